//go:build servers

package schema

import (
	"testing"
)

// TestOddAlters runs ALTER statements whose actions concern one another, in some modes.
func TestOddAlters(t *testing.T) {
	modes := []struct {
		name string
		bits uint64
	}{{"", 0}, {"NO_ZERO_IN_DATE", modeNoZeroInDate}, {"TIME_TRUNCATE_FRACTIONAL", modeTruncateFraction}, {"TIME_ROUND_FRACTIONAL", modeRoundFraction},
		{"EMPTY_STRING_IS_NULL", modeEmptyIsNull}, {"MSSQL", modeMSSQL | modeANSIQuotes | modeIgnoreSpace}}
	statements := []string{
		"CREATE TABLE d (a DATE DEFAULT '2012-02-00', b DATETIME DEFAULT '2012-00-01 01:02:03', c DATE DEFAULT '0000-00-00', d TIMESTAMP(2) DEFAULT '2012-03-04 05:06:07.899')",
		"ALTER TABLE d ADD e TIME(1) DEFAULT '1:2:3.99', ADD f DATETIME(2) DEFAULT '2019-12-31 23:59:59.999', ADD g DATETIME(3) DEFAULT '2012-00-01 01:02:03'",
		// A column that is dropped and added keeps its keys.
		"CREATE TABLE k (a INT, i INT, j INT, v VARCHAR(20) CHARACTER SET latin1, w VARCHAR(5), b BLOB, UNIQUE (i), UNIQUE ij (i, j), UNIQUE (v), UNIQUE vp (v(5)), UNIQUE (w), UNIQUE bb (b(7)), KEY (a))",
		"ALTER TABLE k DROP i, ADD i INT NOT NULL", "ALTER TABLE k DROP i, CHANGE j i INT", "ALTER TABLE k DROP a, ADD a BIGINT NOT NULL PRIMARY KEY FIRST",
		"ALTER TABLE k DROP v, ADD v VARCHAR(30) CHARACTER SET latin1", "ALTER TABLE k DROP w, ADD w VARCHAR(5)", "ALTER TABLE k DROP b, ADD b BLOB NOT NULL", "ALTER TABLE k DROP v, ADD v VARCHAR(30) CHARACTER SET utf8",
		"ALTER TABLE k ADD UNIQUE (j)", "ALTER TABLE k DROP j, ADD j VARCHAR(10)", "CREATE TABLE k2 (p CHAR(4) CHARACTER SET utf8 PRIMARY KEY, q INT)", "ALTER TABLE k2 DROP p, ADD p CHAR(6) CHARACTER SET utf8", "ALTER TABLE k2 DROP p, ADD p CHAR(12) CHARACTER SET utf8 FIRST",
		// An action may be about what another one adds, or be void as another is not.
		"CREATE TABLE x (i INT, j INT)", "ALTER TABLE x ADD a INT NOT NULL, ALTER a SET DEFAULT 3", "ALTER TABLE x ADD b INT DEFAULT 3, ALTER b DROP DEFAULT", "ALTER TABLE x ADD c INT DEFAULT 3, MODIFY c BIGINT DEFAULT 4, ALTER c DROP DEFAULT",
		"ALTER TABLE x ADD d INT, ADD COLUMN IF NOT EXISTS d BIGINT", "ALTER TABLE x ADD IF NOT EXISTS e INT, ADD COLUMN IF NOT EXISTS e BIGINT FIRST", "ALTER TABLE x ADD UNIQUE kk (i), ADD UNIQUE IF NOT EXISTS kk (j)",
		"ALTER TABLE x ADD UNIQUE KEY IF NOT EXISTS kk (j), ADD UNIQUE KEY IF NOT EXISTS kl (j)", "ALTER TABLE x DROP KEY kk, DROP KEY IF EXISTS kk", "ALTER TABLE x DROP KEY kl, ADD UNIQUE KEY IF NOT EXISTS kl (i)", "ALTER TABLE x ADD UNIQUE INDEX IF NOT EXISTS (j)", "ALTER TABLE x ADD UNIQUE INDEX IF NOT EXISTS (j, i)", "ALTER TABLE x DROP KEY kl, ADD UNIQUE KEY IF NOT EXISTS kl (i)",
		"ALTER TABLE x ADD PRIMARY KEY IF NOT EXISTS (i)", "ALTER TABLE x ADD PRIMARY KEY IF NOT EXISTS (j)", "CREATE TABLE xx (i INT, j INT, UNIQUE KEY IF NOT EXISTS k (i), UNIQUE KEY IF NOT EXISTS k (j))", "ALTER TABLE x DROP d, DROP COLUMN IF EXISTS d", "ALTER TABLE x DROP IF EXISTS zz, ADD IF NOT EXISTS zz INT FIRST", "ALTER TABLE x DROP IF EXISTS e, ADD IF NOT EXISTS e BIGINT FIRST",
		"ALTER TABLE x ADD CONSTRAINT IF NOT EXISTS min CHECK (i + j > 100)", "ALTER TABLE x ADD CONSTRAINT IF NOT EXISTS `min` CHECK (i > 100), ADD f INT",
		"ALTER TABLE x ADD COLUMN IF NOT EXISTS (f INT, g INT UNIQUE)", "ALTER TABLE x ADD COLUMN IF NOT EXISTS (g BIGINT UNIQUE, h INT)", "ALTER TABLE x ADD COLUMN IF NOT EXISTS h INT UNIQUE", "ALTER TABLE x ADD COLUMN IF NOT EXISTS h INT PRIMARY KEY",
		"CREATE TABLE c (min INT, CONSTRAINT IF NOT EXISTS n CHECK (min > 0))",
		// Words that are a name or the beginning of a clause.
		"CREATE TABLE i (a INT, b INT, UNIQUE KEY type (a), UNIQUE KEY TYPE BTREE (b))", "CREATE UNIQUE INDEX type TYPE BTREE ON i (b)", "CREATE UNIQUE INDEX type ON i (b)", "CREATE TABLE i2 (a INT, b INT, UNIQUE KEY type USING BTREE (a), UNIQUE KEY USING BTREE (b), UNIQUE KEY type TYPE BTREE (b, a))",
		"CREATE TABLE i3 (a INT, b INT, UNIQUE KEY type TYPE BTREE (b, a))", "CREATE TABLE i4 (a INT, KEY type (a))",
		"CREATE TABLE [b 1] ([c]]d] INT, [e] ENUM('a]', '[b') DEFAULT '[b', UNIQUE [k[1]]] ([e]))", "ALTER TABLE [b 1] RENAME [b2]", "DROP TABLE [b2]",
		"CREATE TABLE y (a YEAR UNSIGNED, b YEAR ZEROFILL, c YEAR(4) UNSIGNED DEFAULT 1999)", "DROP TABLE y",
		"CREATE TABLE cc (a CHAR(3) CHARACTER SET greek) CHARACTER SET greek", "ALTER TABLE cc CONVERT TO CHARACTER SET latin1, CHARACTER SET DEFAULT", "ALTER TABLE cc ADD b CHAR(2), CONVERT TO CHARACTER SET latin2, CHARACTER SET latin1", "DROP TABLE cc",
		// The first TIMESTAMP of the table gets the current time, wherever the statement has it.
		"CREATE TABLE ts (x INT, y TIMESTAMP)", "ALTER TABLE ts ADD z TIMESTAMP", "ALTER TABLE ts ADD v TIMESTAMP, ADD w TIMESTAMP FIRST", "ALTER TABLE ts MODIFY x TIMESTAMP AFTER y", "ALTER TABLE ts DROP w, ADD u TIMESTAMP", "ALTER TABLE ts MODIFY x INT FIRST, CHANGE y yy TIMESTAMP AFTER z", "DROP TABLE ts",
		"CREATE TABLE ts (x INT, y TIMESTAMP NULL, z TIMESTAMP)", "ALTER TABLE ts ADD v TIMESTAMP", "ALTER TABLE ts ADD w TIMESTAMP FIRST, MODIFY v TIMESTAMP FIRST", "DROP TABLE ts", "CREATE TABLE ts (x TIMESTAMP AS (NULL), y TIMESTAMP)", "DROP TABLE ts", "CREATE TABLE ts (x INT)", "ALTER TABLE ts ADD y TIMESTAMP FIRST, MODIFY x TIMESTAMP FIRST", "DROP TABLE ts",
		"CREATE TABLE en (a VARCHAR(9) DEFAULT '', b BINARY(4) DEFAULT 'x')", "ALTER TABLE en ADD c BINARY(4) DEFAULT '', ALTER b SET DEFAULT ''", "DROP TABLE en",
		"CREATE TABLE pt (a TIMESTAMP NULL, b DATETIME NULL, c TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP, PRIMARY KEY (a, b, c))", "DROP TABLE pt", "CREATE TABLE pt (a TIMESTAMP NULL)", "ALTER TABLE pt ADD PRIMARY KEY (a)", "DROP TABLE pt",
		// A key for a foreign key gives way to others that begin with its columns.
		"CREATE TABLE fp (a INT, b INT, PRIMARY KEY (a), KEY (b))", "CREATE TABLE fa (a INT, b INT, FOREIGN KEY (a) REFERENCES fp (a), UNIQUE (a, b), FOREIGN KEY (b) REFERENCES fp (b), UNIQUE (b))", "CREATE TABLE fb (a INT, b INT, FOREIGN KEY (a) REFERENCES fp (a))", "ALTER TABLE fb ADD UNIQUE (a)", "ALTER TABLE fb ADD FOREIGN KEY (a) REFERENCES fp (a), ADD FOREIGN KEY (b) REFERENCES fp (b), ADD UNIQUE (b, a)",
		"CREATE TABLE fc (a INT, b INT, UNIQUE (b), FOREIGN KEY (b) REFERENCES fp (b), UNIQUE (b, a), UNIQUE (a))", "DROP TABLE fa, fb, fc, fp", "DROP TABLE fc", "DROP TABLE fb", "DROP TABLE fa", "DROP TABLE fp",
		// A literal in parentheses is one in SET DEFAULT.
		"CREATE TABLE sd (a INT, b INT DEFAULT 9, c VARCHAR(9), d VARCHAR(9), e INT, f VARCHAR(9), g DECIMAL(5,1), h INT)", "ALTER TABLE sd ALTER a SET DEFAULT (5), ALTER b SET DEFAULT (NULL), ALTER c SET DEFAULT (0x41), ALTER d SET DEFAULT (b'1000001')", "ALTER TABLE sd ALTER e SET DEFAULT ((TRUE)), ALTER f SET DEFAULT (_latin1'x'), ALTER g SET DEFAULT (1.56), ALTER h SET DEFAULT (+3)",
		"ALTER TABLE sd ALTER a SET DEFAULT (-5), ALTER f SET DEFAULT ('a' 'b'), ALTER g SET DEFAULT (1 + 1)", "ALTER TABLE sd ALTER a SET DEFAULT -7, ADD i INT DEFAULT (7)", "DROP TABLE sd",
		// Keys over expressions have one name, whatever their first part is.
		"CREATE TABLE fk (x INT, y INT, UNIQUE ((x + 1)), UNIQUE (x, (y + 1)), UNIQUE ((x + 2)), UNIQUE (x))", "ALTER TABLE fk ADD UNIQUE (y, (x * 2)), ADD UNIQUE functional_index_9 ((x + 9))", "DROP TABLE fk",
		"DROP TABLE d", "DROP TABLE k", "DROP TABLE k2", "DROP TABLE x", "DROP TABLE IF EXISTS xx", "DROP TABLE IF EXISTS c", "DROP TABLE IF EXISTS i, i2, i3, i4",
	}
	eachLine(t, func(t *testing.T, src *source) {
		c := NewCatalog(src.server)
		c.PutDatabase(src.db, "utf8")
		for _, mode := range modes {
			if src.try("SET SESSION sql_mode = '"+mode.name+"'") != nil {
				continue
			}
			src.ctx = Context{Database: src.db, SQLMode: mode.bits}
			taken := 0
			for _, sql := range statements {
				if src.follows(c, sql) {
					taken++
				}
			}
			if taken < 15 {
				t.Errorf("the server took only %d statements in mode %q", taken, mode.name)
			}
		}
	})
}
