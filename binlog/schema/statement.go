package schema

// A statement that the catalog follows is read into one of these, without a
// look at the catalog, and then run against it.

type createTable struct {
	name                  TableName
	orReplace, ifNotExist bool
	temporary             bool
	like                  *TableName
	elements              []alteration // addColumn and addKey only
	options               tableOptions
	query                 bool // AS SELECT without row-format rewriting: columns that are not written here
}

type alterTable struct {
	name     TableName
	ifExists bool
	actions  []alteration
	options  tableOptions
	renameTo *TableName
	others   bool // has actions that are stepped over
	rewrites bool // has, of those that are not in actions, one that has the server write the definition anew
	// maintenance: partitions are checked or repaired. Servers log that of tables, too,
	// that are not there.
	maintenance bool
	// partitionsLost: partitions are dropped, emptied, or go elsewhere, with their rows.
	partitionsLost bool
	partitionWith  *TableName // EXCHANGE PARTITION … WITH TABLE
	// MariaDB's CONVERT PARTITION … TO TABLE and CONVERT TABLE … TO PARTITION.
	partitionTo, partitionOf *TableName
}

type dropTable struct {
	names               []TableName
	ifExists, temporary bool
	sequences           bool // of the names only those of sequences are dropped
}

type renameTable struct {
	ifExists bool
	pairs    [][2]TableName
}

type truncateTable struct{ name TableName }

type createDatabase struct {
	name       string
	charset    string
	ifNotExist bool
	orReplace  bool
}

type alterDatabase struct{ name, charset string }

type dropDatabase struct{ name string }

// tableOptions are the options behind CREATE TABLE and among the actions of
// ALTER TABLE that change what the catalog keeps.
type tableOptions struct {
	charset    string // DEFAULT CHARACTER SET or that of COLLATE; defaultCharset for "the database's"
	convert    string // CONVERT TO CHARACTER SET, likewise
	converted  string // charset, as it was before CONVERT TO
	comment    *string
	engine     string // as written; "": not said
	versioning versioning
	// start and end are where START TRANSACTION stands, with which MySQL logs CREATE …
	// SELECT from 8.0.21 on: the rows follow in the same transaction.
	start, end int
}

// defaultCharset stands for CHARACTER SET DEFAULT.
const defaultCharset = "default"

type versioning uint8

const (
	versioningKept versioning = iota
	versioningAdded
	versioningDropped
)

// alterationKind says what an alteration does; those up to setVisible are about
// columns, the others about keys.
type alterationKind uint8

const (
	addColumn alterationKind = iota
	changeColumn
	dropColumn
	renameColumn
	setDefault
	setVisible
	addKey
	dropKey // of any kind by its name; "PRIMARY" for the primary one
	renameKey
	addPeriod // MariaDB's PERIOD FOR
	dropPeriod
)

// alteration is one action of ALTER TABLE, or one element of CREATE TABLE.
type alteration struct {
	kind     alterationKind
	name     string // of the column or key that is there already
	newName  string
	column   columnDef // addColumn, changeColumn
	first    bool
	after    string
	ifExists bool // IF EXISTS or IF NOT EXISTS
	key      key
	literal  *literal // setDefault; nil: DROP DEFAULT
	hide     bool     // setVisible: SET INVISIBLE
	period   period   // addPeriod; of dropPeriod the name
}

// key is an index of a table.
type key struct {
	Name      string    `json:"name,omitempty"`
	Primary   bool      `json:"primary,omitempty"`
	Unique    bool      `json:"unique,omitempty"`
	Parts     []keyPart `json:"parts"`
	FullText  bool      `json:"full_text,omitempty"` // or spatial: sorts last
	Hash      bool      `json:"hash,omitempty"`      // USING HASH, which MariaDB forgets when it writes the definition anew
	Generated bool      `json:"generated,omitempty"` // made by the server for a foreign key
	Overlaps  bool      `json:"overlaps,omitempty"`  // WITHOUT OVERLAPS: the last two parts are a period's end and start
}

// intended returns the name by which IF NOT EXISTS looks for a key that is to be made.
func (k *key) intended() string {
	if k.Name == "" && len(k.Parts) > 0 {
		return k.Parts[0].Column
	}
	return k.Name
}

// keyPart is a column of a key, or an expression, which has no column.
type keyPart struct {
	Column string `json:"column,omitempty"`
	Prefix int    `json:"prefix,omitempty"` // characters or bytes of the column; 0: all of it
	period string // of WITHOUT OVERLAPS, in a statement
}

// columnDef is a column as a statement writes it.
type columnDef struct {
	name      string
	typ       typeSpec
	charset   string // explicit, or that of COLLATE; "" for the table's
	nullable  *bool  // NULL and NOT NULL; nil if not said
	autoInc   bool
	generated bool
	stored    bool
	invisible bool
	fallback  *literal // DEFAULT; nil if none
	onUpdate  bool
	comment   string
	// MariaDB's: AS ROW START or AS ROW END, COMPRESSED, and WITH SYSTEM VERSIONING.
	rowTime               rowTime
	compressed, versioned bool
}

// literal is what stands behind DEFAULT.
type literal struct {
	kind tokenKind // tokString, tokNumber, tokHex, tokBits, tokWord for NULL, TRUE, FALSE; tokOp for an expression
	text string
	// charset that tokHex and tokBits are said to be in; "": the column's.
	charset string
}

// typeSpec is a data type as a statement writes it.
type typeSpec struct {
	word           string // first word in upper case, synonyms resolved
	schema         string // MariaDB: the server whose type it is, such as ORACLE_SCHEMA; "": as sql_mode says
	length, scale  int    // -1: not written
	unsigned, zero bool
	members        []label
	binary         bool // BINARY attribute, CHARACTER SET binary aside
}

// label is a label of ENUM or SET as a statement writes it.
type label struct {
	text    string
	bytes   bool   // text is bytes in charset
	charset string // "": the column's
}

type createSequence struct {
	name                  TableName
	orReplace, ifNotExist bool
	options               tableOptions
}
