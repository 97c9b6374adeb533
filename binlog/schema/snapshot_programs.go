package schema

import (
	"context"
	"fmt"
	"regexp"
	"strings"
)

// pagePrograms is how many programs one query reads.
const pagePrograms = 500

// programs reads triggers, stored routines and views, and notes of which
// databases they can all be seen.
func (s *snapshot) programs(ctx context.Context) error {
	for _, source := range []struct {
		what, columns, from, schema, name string
		put                               func(s *snapshot, r []Text)
	}{
		{"triggers", "EVENT_OBJECT_TABLE, EVENT_MANIPULATION, ACTION_STATEMENT, SQL_MODE", "TRIGGERS", "TRIGGER_SCHEMA", "TRIGGER_NAME", (*snapshot).trigger},
		{"routines", "ROUTINE_TYPE, ROUTINE_BODY, ROUTINE_DEFINITION, SQL_MODE", "ROUTINES", "ROUTINE_SCHEMA", "ROUTINE_NAME", (*snapshot).routine},
		{"views", "VIEW_DEFINITION", "VIEWS", "TABLE_SCHEMA", "TABLE_NAME", (*snapshot).view},
	} {
		for offset := 0; ; offset += pagePrograms {
			rows, err := s.query(ctx, fmt.Sprintf("SELECT %s, %s, %s FROM information_schema.%s WHERE %s NOT IN %s ORDER BY 1, 2, 3 LIMIT %d OFFSET %d",
				source.schema, source.name, source.columns, source.from, source.schema, hidden, pagePrograms, offset))
			if err != nil {
				return fmt.Errorf("read %s: %w", source.what, err)
			}
			for _, r := range rows {
				source.put(s, r)
			}
			if len(rows) < pagePrograms {
				break
			}
		}
	}
	return s.sight(ctx)
}

// trigger reads a row of TRIGGERS; one that is made for several events has
// several.
func (s *snapshot) trigger(r []Text) {
	p := &program{Kind: aTrigger, Database: r[0].String, Name: r[1].String, Table: r[2].String}
	if old := s.catalog.findProgram(aTrigger, TableName{p.Database, p.Name}); old != nil && old.Name == p.Name {
		p.Events = old.Events
	}
	switch r[3].String {
	case "INSERT":
		p.Events |= onInsert
	case "UPDATE":
		p.Events |= onUpdate
	case "DELETE":
		p.Events |= onDelete
	default:
		p.Events = onAny
	}
	s.program(p, r[4], modeOf(r[5].String))
}

// routine reads a row of ROUTINES.
func (s *snapshot) routine(r []Text) {
	p := &program{Database: r[0].String, Name: r[1].String}
	switch r[2].String {
	case "FUNCTION":
		p.Kind = aFunction
	case "PROCEDURE":
		p.Kind = aProcedure
	case "PACKAGE BODY":
		p.Kind = aPackage
	default:
		return // PACKAGE: it has no body
	}
	s.program(p, r[4], modeOf(r[5].String))
	p.Opaque = p.Opaque || r[3].String != "SQL"
}

// view reads a row of VIEWS. The server writes the definition anew, by modes
// that are not told, so it is read by each of them.
func (s *snapshot) view(r []Text) {
	p := &program{Kind: aView, Database: r[0].String, Name: r[1].String}
	s.program(p, r[2], modeANSIQuotes, modeANSIQuotes|modeNoBackslashEscapes)
}

// program adds a program; a body that is hidden from the account is null or
// empty.
func (s *snapshot) program(p *program, body Text, modes ...uint64) {
	m := mentions{server: s.catalog.server}
	for _, mode := range modes {
		m.mode = mode
		l := lexer{src: body.String, mode: mode, server: s.catalog.server}
		for t := l.next(); t.kind != tokEnd; t = l.next() {
			m.add(t)
		}
		m.end()
	}
	p.setBody(&m, "")
	p.Opaque = p.Opaque || body.String == ""
	s.catalog.putProgram(p)
}

// modeOf reads the modes that matter to the lexer from their names.
func modeOf(names string) uint64 {
	var mode uint64
	for name := range strings.SplitSeq(names, ",") {
		switch name {
		case "ANSI_QUOTES":
			mode |= modeANSIQuotes
		case "IGNORE_SPACE":
			mode |= modeIgnoreSpace
		case "ORACLE":
			mode |= modeOracle
		case "NO_BACKSLASH_ESCAPES":
			mode |= modeNoBackslashEscapes
		}
	}
	return mode
}

// sight notes what the account's privileges let it see of each database.
func (s *snapshot) sight(ctx context.Context) error {
	show := "SHOW GRANTS"
	if s.catalog.server.mysqlFrom(80000) {
		rows, err := s.query(ctx, "SELECT CURRENT_ROLE()")
		if err != nil {
			return fmt.Errorf("read the account's roles: %w", err)
		}
		if len(rows) == 1 && rows[0][0].String != "" && rows[0][0].String != "NONE" {
			show += " FOR CURRENT_USER() USING " + rows[0][0].String
		}
	}
	rows, err := s.query(ctx, show)
	if err != nil {
		return fmt.Errorf("read the account's privileges: %w", err)
	}
	var list []grant
	for _, r := range rows {
		if g, ok := parseGrant(r[0].String); ok {
			list = append(list, g)
		}
	}
	s.catalog.setSightOfOthers(sightOfAll(list))
	for _, db := range s.catalog.Databases() {
		var seen sight
		for _, g := range list {
			if seen |= g.sight(db); g.revoked && g.matches(db) {
				seen = 0
				break
			}
		}
		s.catalog.setSight(db, seen)
	}
	return nil
}

// sightOfAll tells what is seen of every database, whatever its name.
func sightOfAll(list []grant) sight {
	var seen sight
	for _, g := range list {
		switch {
		case g.revoked:
			return 0 // of one that may have been hidden by that
		case g.database == "*":
			seen |= g.sight("")
		}
	}
	return seen
}

// grant is one line of SHOW GRANTS.
type grant struct {
	privileges []string // in upper case
	database   string   // a pattern of LIKE, or * for all
	revoked    bool     // MySQL 8's partial revokes
}

var grantLine = regexp.MustCompile("(?i)^(GRANT|REVOKE) (.+) ON (\\*|[`\"].+[`\"])\\.\\* (?:TO|FROM) ")

// parseGrant reads a line; false for one that is about a single table, a
// single routine, a role or PROXY.
func parseGrant(line string) (grant, bool) {
	m := grantLine.FindStringSubmatch(line)
	if m == nil {
		return grant{}, false
	}
	name := m[3]
	if quote := name[:1]; name != "*" {
		name = strings.ReplaceAll(name[1:len(name)-1], quote+quote, quote)
	}
	g := grant{database: name, revoked: strings.EqualFold(m[1], "REVOKE")}
	for privilege := range strings.SplitSeq(strings.ToUpper(m[2]), ",") {
		g.privileges = append(g.privileges, strings.TrimSpace(privilege))
	}
	return g, true
}

// sight tells what a grant lets its account see of a database.
func (g grant) sight(db string) sight {
	if !g.matches(db) {
		return 0
	}
	var seen sight
	for _, p := range g.privileges {
		switch p {
		case "ALL", "ALL PRIVILEGES":
			seen |= seesAll
		case "SELECT":
			seen |= seesTables | seesViews
			if g.database == "*" {
				seen |= seesRoutines
			}
		case "TRIGGER":
			seen |= seesTriggers
		case "SHOW_ROUTINE", "SHOW CREATE ROUTINE", "EXECUTE", "CREATE ROUTINE", "ALTER ROUTINE":
			seen |= seesRoutines // at least that they are there
		}
	}
	return seen
}

// matches tells whether the grant is for that database.
func (g grant) matches(db string) bool {
	return g.database == "*" || like(g.database, db)
}

// like matches a pattern with % and _, and a backslash before those that stand
// for themselves.
func like(pattern, s string) bool {
	if pattern == "" {
		return s == ""
	}
	switch c := pattern[0]; {
	case c == '%':
		for i := 0; i <= len(s); i++ {
			if like(pattern[1:], s[i:]) {
				return true
			}
		}
		return false
	case s == "":
		return false
	case c == '\\' && len(pattern) > 1:
		return pattern[1] == s[0] && like(pattern[2:], s[1:])
	}
	return (pattern[0] == '_' || pattern[0] == s[0]) && like(pattern[1:], s[1:])
}
