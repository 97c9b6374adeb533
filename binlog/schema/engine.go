package schema

import (
	"slices"
	"strings"
)

// modeNoEngineSubstitution is the bit of sql_mode without which a server takes
// its default engine in place of one that it does not have.
const modeNoEngineSubstitution = 1 << 30

// engines are the storage engines whose place in transactions is known: whether
// the server holds their changes back until the transaction's end and drops
// them at ROLLBACK. That is what a handler says of itself, and not what
// information_schema.ENGINES shows: BLACKHOLE is shown as without transactions,
// and its rows never reach the binlog before COMMIT. FEDERATED, Mroonga and
// others differ by server or table, and are left out.
var engines = map[string]struct{ name, transactional string }{
	"innodb":     {"InnoDB", "yes"},
	"innobase":   {"InnoDB", "yes"},
	"xtradb":     {"InnoDB", "yes"},
	"tokudb":     {"TokuDB", "yes"},
	"rocksdb":    {"ROCKSDB", "yes"},
	"myrocks":    {"ROCKSDB", "yes"},
	"ndbcluster": {"ndbcluster", "yes"},
	"ndb":        {"ndbcluster", "yes"},
	"bdb":        {"BerkeleyDB", "yes"},
	"berkeleydb": {"BerkeleyDB", "yes"},
	"falcon":     {"Falcon", "yes"},
	"pbxt":       {"PBXT", "yes"},
	"blackhole":  {"BLACKHOLE", "yes"},
	"spider":     {"SPIDER", "yes"},
	"sequence":   {"SEQUENCE", "yes"},
	"myisam":     {"MyISAM", "no"},
	"memory":     {"MEMORY", "no"},
	"heap":       {"MEMORY", "no"},
	"mrg_myisam": {mergeEngine, "no"},
	"merge":      {mergeEngine, "no"},
	"csv":        {"CSV", "no"},
	"archive":    {"ARCHIVE", "no"},
	"aria":       {"Aria", "no"},
	"maria":      {"Aria", "no"},
	"isam":       {"ISAM", "no"},
	"example":    {"EXAMPLE", "no"},
	"connect":    {"CONNECT", "no"},
}

// mergeEngine is that of tables whose rows are those of others.
const mergeEngine = "MRG_MYISAM"

// Transactional tells whether a storage engine's rows are undone by ROLLBACK;
// known is false for an engine of which that cannot be said by its name.
func Transactional(engine string) (yes, known bool) {
	e, known := engines[strings.ToLower(engine)]
	return e.transactional == "yes", known
}

// engineName gives an engine the name that the server shows, whatever synonym
// and case it was written in.
func engineName(name string) string {
	if e, ok := engines[strings.ToLower(name)]; ok {
		return e.name
	}
	return name
}

// Engine returns the name of a table's storage engine, as in
// information_schema.TABLES; "" if it is not known. A CREATE TABLE that names
// none gives the table Server.DefaultEngine, which a session may have set
// otherwise without a trace in the binlog.
func (c *Catalog) Engine(db, name string) string {
	if e := c.find(TableName{db, name}); e != nil {
		return e.engine
	}
	return ""
}

// CertainlyUndoes tells whether ROLLBACK certainly undoes what is done to a
// table: its engine is told, and not assumed, and does.
func (c *Catalog) CertainlyUndoes(db, name string) bool {
	yes, _ := Transactional(c.Engine(db, name))
	return yes && !c.engineAssumed(db, name)
}

func (c *Catalog) engineAssumed(db, name string) bool {
	e := c.find(TableName{db, name})
	return e != nil && e.assumed
}

// engine returns the engine of a table that a statement creates with or alters
// to the one named; old is what it has without.
func (u *run) engine(named, old string) string {
	switch {
	case named == "":
		return old
	case u.ctx.SQLMode&modeNoEngineSubstitution == 0 && !alwaysThere(named):
		return "" // itself, or what the server took in its place
	}
	return engineName(named)
}

// alwaysThere tells the engines that no server can be without.
func alwaysThere(engine string) bool {
	switch engineName(engine) {
	case "InnoDB", "MyISAM", "MEMORY", mergeEngine, "CSV":
		return true
	}
	return false
}

// EmptiedBy tells which table a statement, whose result Apply has just given,
// empties as a restart of the server does: it is DELETE FROM of a MEMORY table
// and nothing else. That is what servers log when such a table is first opened,
// before MySQL 8.0 and MariaDB 10.11, which log TRUNCATE; within BEGIN and COMMIT (MySQL
// 5.7) or alone. A DELETE that would run a trigger is more than that.
func (c *Catalog) EmptiedBy(result *Result) (TableName, bool) {
	if result.change == nil || !result.change.empties {
		return TableName{}, false
	}
	n := result.change.targets[0].TableName
	e := c.find(n)
	deletes := func(p *program) bool { return p.Events&onDelete != 0 }
	if e == nil || e.engine != "MEMORY" || slices.ContainsFunc(c.triggersOf(n), deletes) {
		return TableName{}, false
	}
	return TableName{e.database, e.name}, true
}
