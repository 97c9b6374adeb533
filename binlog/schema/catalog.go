package schema

import (
	"container/list"
	"slices"
	"strings"

	"daybook/binlog/charset"
	"daybook/change"
)

// Server is what the catalog must know of the source.
type Server struct {
	Flavor              string // "mysql" or "mariadb"
	Version             int    // as in versioned comments: 50740, 80031, 101106
	LowerCaseTableNames int    // lower_case_table_names: 0, 1 or 2
	DefaultCharset      string // character_set_server, for databases without one
	// DefaultEngine is default_storage_engine (before 5.5 storage_engine), for
	// tables created without one; "": what servers of that version come with.
	DefaultEngine string
	// ExplicitDefaultsForTimestamp is the global variable of that name, for
	// query events that do not carry it (MySQL before 8.0, MariaDB).
	ExplicitDefaultsForTimestamp bool
	// UTF8MB4 tells that utf8 means utf8mb4: MariaDB's old_mode lacks UTF8_IS_UTF8MB3.
	// A session may have another.
	UTF8MB4           bool
	NativeForeignKeys bool // innodb_native_foreign_keys of MySQL 9.6
}

func (s Server) mariaDB() bool { return s.Flavor == "mariadb" }

// mysqlFrom and mariaFrom tell whether the source is that server, at least of
// that version.
func (s Server) mysqlFrom(version int) bool { return !s.mariaDB() && s.Version >= version }
func (s Server) mariaFrom(version int) bool { return s.mariaDB() && s.Version >= version }

// stored gives the form in which the server keeps a database's or table's name.
func (s Server) stored(name string) string {
	if s.LowerCaseTableNames == 1 {
		return strings.ToLower(name)
	}
	return name
}

// TableName names a table. Database may be "" if a statement that cannot be
// read names none and has no default.
type TableName struct{ Database, Name string }

// String returns the name as a person writes it.
func (n TableName) String() string {
	if n.Database == "" {
		return n.Name
	}
	return n.Database + "." + n.Name
}

// Catalog is all databases and tables of the source at one binlog position.
type Catalog struct {
	server    Server
	databases map[string]*database // by folded name
	others    sight                // of databases that are not in it: that there are none with the like
	dirty     map[string]bool      // keys of entries that changed
	hot       hotTables
	scratch   []byte
}

type database struct {
	Name    string `json:"name"`
	Charset string `json:"charset"`
	Seen    sight  `json:"seen,omitempty"`
	// Former are the default charsets that it had before, and By the thread that
	// changed it last: other sessions may go on with one of those.
	Former []string `json:"former,omitempty"`
	By     uint32   `json:"by,omitempty"`

	tables   map[string]*entry // by folded name
	programs map[programKey]*program
	triggers map[string][]*program // by their table's folded name
}

// table is what the catalog knows of a table: the definition that it hands out,
// and the keys that later statements may name or change.
type table struct {
	Def       *change.Table `json:"table"`               // name and database alone if Unknown
	Keys      []key         `json:"keys,omitempty"`      // all keys, in the server's order
	Virtual   []string      `json:"virtual,omitempty"`   // columns that are generated and not stored: keys over them sort last
	Invisible []string      `json:"invisible,omitempty"` // columns that SELECT * leaves out
	Bare      []string      `json:"bare,omitempty"`      // columns that may be NULL and have no default, not even that
	Versioned bool          `json:"versioned,omitempty"` // MariaDB: with implicit system versioning columns
	RowTimes  *period       `json:"row_times,omitempty"` // the declared columns of system versioning
	Period    *period       `json:"period,omitempty"`    // of application time
	Engine    string        `json:"engine,omitempty"`    // "": not known
	Assumed   bool          `json:"assumed,omitempty"`   // the engine is the server's default, as the statement named none
	Unknown   bool          `json:"unknown,omitempty"`
	// CharsetUnsure: its default charset, which columns added later have, may be another.
	CharsetUnsure bool `json:"charset_unsure,omitempty"`
	// Written: all of it comes from statements of clients, and nothing from what a server shows: a
	// question mark in a label is one.
	Written bool `json:"written,omitempty"`
	Unsure  bool `json:"unsure,omitempty"` // its columns may be in another charset, which the binlog does not tell
}

// NewCatalog returns an empty catalog.
func NewCatalog(server Server) *Catalog {
	return &Catalog{server: server.withDefaults(), databases: map[string]*database{}, dirty: map[string]bool{}, hot: hotTables{byEntry: map[*entry]*list.Element{}}}
}

// SetServer has the statements that come next mean what they mean at another
// server. Names go on being found as they were.
func (c *Catalog) SetServer(server Server) {
	server.LowerCaseTableNames = c.server.LowerCaseTableNames
	c.server = server.withDefaults()
}

func (server Server) withDefaults() Server {
	server.DefaultCharset = charset.Canonical(server.DefaultCharset)
	if server.DefaultCharset == "" {
		server.DefaultCharset = "latin1"
	}
	switch {
	case server.DefaultEngine != "":
		server.DefaultEngine = engineName(server.DefaultEngine)
	case server.mysqlFrom(50505) || server.mariaDB():
		server.DefaultEngine = "InnoDB"
	default:
		server.DefaultEngine = "MyISAM"
	}
	return server
}

// fold gives the form of a database or table name under which it is found.
func (c *Catalog) fold(name string) string {
	if c.server.LowerCaseTableNames != 0 {
		return strings.ToLower(name)
	}
	return name
}

func (c *Catalog) stored(name string) string { return c.server.stored(name) }

// Table returns a table's definition, the same one as long as it is in use and
// does not change; false if there is no such table or its
// definition is not known at this position (see [Catalog.IsUnknown]).
func (c *Catalog) Table(db, name string) (*change.Table, bool) {
	e := c.find(TableName{db, name})
	if e == nil || e.unknown {
		return nil, false
	}
	return c.unpack(e).Def, true
}

// IsUnknown tells whether the table exists, or may, but its definition is not
// known at this position, because a statement could not be read.
func (c *Catalog) IsUnknown(db, name string) bool {
	e := c.find(TableName{db, name})
	return e != nil && e.unknown
}

// Databases returns the names of all databases, in order.
func (c *Catalog) Databases() []string {
	var names []string
	for _, d := range c.databases {
		names = append(names, d.Name)
	}
	slices.Sort(names)
	return names
}

// PutDatabase adds a database or sets its default charset.
func (c *Catalog) PutDatabase(name, defaultSet string) {
	d := c.ensureDatabase(name)
	d.Charset = charset.Canonical(defaultSet)
	c.dirty[databaseKey(c.fold(name))] = true
}

// Put adds a definition, or replaces the one of that name. The catalog takes
// it over; it must not be changed any more. What it does not say stays what it was: the
// engine, and what is known of columns that are still there.
func (c *Catalog) Put(t *change.Table) {
	n := &table{Def: t, Keys: keysOf(t), Engine: c.Engine(t.Database, t.Name), Assumed: c.engineAssumed(t.Database, t.Name)}
	if old := c.lookup(TableName{t.Database, t.Name}); old != nil && !old.Unknown {
		there := func(names []string) []string {
			return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
				return !slices.ContainsFunc(t.Columns, func(c change.Column) bool { return strings.EqualFold(c.Name, name) })
			})
		}
		n.Virtual, n.Invisible, n.Bare, n.CharsetUnsure = there(old.Virtual), there(old.Invisible), there(old.Bare), old.CharsetUnsure
	}
	c.put(n)
}

// Drop removes a table, and its triggers.
func (c *Catalog) Drop(db, name string) {
	c.dropTriggers(TableName{db, name})
	c.remove(db, name)
}

// Unknown marks a table whose definition is not known at this position, until
// a statement or Put defines it again.
func (c *Catalog) Unknown(db, name string) {
	c.put(&table{Def: &change.Table{Database: c.stored(db), Name: c.stored(name)}, Unknown: true})
}

func (c *Catalog) ensureDatabase(name string) *database {
	folded := c.fold(name)
	d := c.databases[folded]
	if d == nil {
		d = &database{Name: c.stored(name), Charset: c.server.DefaultCharset, tables: map[string]*entry{},
			programs: map[programKey]*program{}, triggers: map[string][]*program{}}
		c.databases[folded] = d
		c.dirty[databaseKey(folded)] = true
	}
	return d
}

func (c *Catalog) dropDatabase(name string) {
	folded := c.fold(name)
	d := c.databases[folded]
	if d == nil {
		return
	}
	for table, e := range d.tables {
		c.hot.drop(e)
		c.dirty[TableKey(folded, table)] = true
	}
	for _, p := range d.programs {
		c.dirty[c.programEntry(p)] = true
	}
	delete(c.databases, folded)
	c.dirty[databaseKey(folded)] = true
}
