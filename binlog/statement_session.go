package binlog

import (
	"encoding/binary"
	"strings"

	"daybook/binlog/charset"
	"daybook/binlog/dump"
	"daybook/binlog/schema"
	"daybook/change"
)

const (
	// options that are set where a check is off
	optionNoForeignKeyChecks = 1 << 26
	optionRelaxedUnique      = 1 << 27
	// optionExplicitDefaults is MariaDB's explicit_defaults_for_timestamp in
	// flags2 (OPTION_EXPLICIT_DEF_TIMESTAMP), which a session may set from
	// explicitDefaultsSince on; before, it is the server's.
	optionExplicitDefaults = 1 << 24
	explicitDefaultsSince  = 100804
	// options of MariaDB's sessions alone
	optionNoCheckConstraints = 1 << 15
	optionIfExists           = 1 << 28
)

// settings are those of a session that an event tells only where they are not
// the servers' defaults: 0 is the default.
type settings struct {
	increment, offset uint16 // of auto_increment
	timeNames         uint16 // lc_time_names, by its number
	encrypts          bool   // MySQL 8.0's default_table_encryption
	requiresKey       bool   // MySQL 8.0's sql_require_primary_key
}

// defaultCollations are those that a session has character sets mean where no
// collation is named.
type defaultCollations struct {
	utf8mb4 uint16 // MySQL 8.0's default_collation_for_utf8mb4; 0: not told
	// ofCharsets is MariaDB's character_set_collations: pairs of IDs, a charset's own
	// default and the session's; nil: not told, as the statement does not depend on it.
	ofCharsets []byte
}

// characterSetCollations returns MariaDB's variable of that name as a session
// has it; nil if that is not told, or a collation has no name.
func (d *defaultCollations) characterSetCollations(source *Status) *string {
	if d.ofCharsets == nil {
		return nil
	}
	var list []string
	for b := d.ofCharsets; len(b) >= 4; b = b[4:] {
		own, set := source.Collations[int(binary.LittleEndian.Uint16(b))], source.Collations[int(binary.LittleEndian.Uint16(b[2:]))]
		if own == "" || set == "" {
			return nil
		}
		list = append(list, charset.OfCollation(own)+"="+set)
	}
	text := strings.Join(list, ",")
	return &text
}

// sessionOf fills in what only the session's options tell.
func (q *query) sessionOf(s *Status) {
	q.context.IfExists = s.Flavor == MariaDB && q.flags2&optionIfExists != 0
	if s.Flavor == MariaDB && s.Version >= explicitDefaultsSince {
		explicit := q.flags2&optionExplicitDefaults != 0
		q.context.ExplicitDefaultsForTimestamp = &explicit
	}
}

// session returns what the statement's meaning depends on beside its sql_mode, for those who
// run it elsewhere.
func (q *query) session(server schema.Server, source *Status, at *dump.Event) change.Session {
	explicit := server.ExplicitDefaultsForTimestamp
	if told := q.context.ExplicitDefaultsForTimestamp; told != nil {
		explicit = *told
	}
	name := func(id uint16) string { return source.Collations[int(id)] }
	maria := source.Flavor == MariaDB
	return change.Session{
		Database: q.context.Database, TimeZone: q.context.TimeZone,
		CharacterSetServer: charset.OfID(int(q.context.ServerCollation)), CollationServer: name(q.context.ServerCollation),
		CollationConnection: name(q.context.ConnectionCollation), CollationDatabase: name(q.context.DatabaseCollation),
		DefaultCollationForUTF8MB4: name(q.defaults.utf8mb4), CharacterSetCollations: q.defaults.characterSetCollations(source),
		ForeignKeyChecks: q.flags2&optionNoForeignKeyChecks == 0, UniqueChecks: q.flags2&optionRelaxedUnique == 0,
		ExplicitDefaultsForTimestamp: explicit, Timestamp: int64(at.Timestamp)*1e6 + int64(q.micros),
		AutoIncrementIncrement: q.settings.increment, AutoIncrementOffset: q.settings.offset, LCTimeNames: localeOf(q.settings.timeNames),
		SQLIfExists: q.context.IfExists, ConstraintsUnchecked: maria && q.flags2&optionNoCheckConstraints != 0,
		DefaultTableEncryption: q.settings.encrypts, RequirePrimaryKey: q.settings.requiresKey,
	}
}
