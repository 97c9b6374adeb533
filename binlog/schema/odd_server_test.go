//go:build servers

package schema

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"daybook/e2e/servers"
)

// oddLines are the servers that an odd definition is tried on beside those that
// are shared.
var oddLines = []string{"mysql-5.5", "mysql-9", "mariadb-10.5", "mariadb-11.8"}

// eachLine runs fn on a shared server of each line and on one of its own of
// each other.
func eachLine(t *testing.T, fn func(t *testing.T, src *source)) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		fn(t, openSource(t, s, fmt.Sprintf("schema_odd_%08x", rand.Uint32())))
	})
	for _, version := range oddLines {
		t.Run(version, func(t *testing.T) {
			fn(t, openSource(t, servers.Start(t, version), "schema_odd"))
		})
	}
}

// follows runs a statement, and tells whether the server takes it. The catalog
// must then say what the server says.
func (s *source) follows(c *Catalog, sql string) bool {
	s.t.Helper()
	logged, err := s.run(sql)
	if err != nil {
		if *rejected {
			s.t.Logf("rejected: %s: %v", sql, err)
		}
		return false
	}
	if diff := s.follow(c, logged); diff != "" {
		s.t.Errorf("after %s\nlogged: %q\nsql_mode %d\n%s", sql, logged, s.ctx.SQLMode, diff)
		s.adopt(c)
	}
	return true
}

// sqlModes are those in which a definition may mean something else.
var sqlModes = []struct {
	name string
	bits uint64
}{{"", 0}, {"ORACLE", modeOracle | modeANSIQuotes | modeIgnoreSpace}, {"MAXDB", modeMaxDB | modeANSIQuotes | modeIgnoreSpace},
	{"REAL_AS_FLOAT", modeRealAsFloat}, {"POSTGRESQL", modeANSIQuotes | modeIgnoreSpace}, {"ANSI", modeANSIQuotes | modeIgnoreSpace | modeRealAsFloat},
	{"INTERPRET_UTF8_AS_UTF8MB4", modeUTF8MB4}}

// everyType is data types in the forms in which they may be written.
const everyType = `NUMBER|NUMBER(5)|NUMBER(5,2)|NUMERIC|DECIMAL|DEC|FIXED|DECIMAL(65)|DECIMAL(40,38)|DECIMAL(65,30)|DECIMAL(65,38)|DECIMAL(0)|DECIMAL(0,0)
DATE|mariadb_schema.DATE|oracle_schema.DATE|maxdb_schema.TIMESTAMP|mariadb_schema.TIMESTAMP|maxdb_schema.TIMESTAMP(3)|TIMESTAMP|TIMESTAMP(3)|TIMESTAMP NULL|DATETIME|DATETIME(6)|TIME(0)|TIME(3)
BLOB|BLOB(100)|BLOB(300)|TEXT(0)|BLOB(0)|TEXT(20)|TEXT(300)|oracle_schema.BLOB|mariadb_schema.BLOB|CLOB|RAW(5)|LONG|LONG VARCHAR|LONG CHAR VARYING|LONG VARBINARY|MEDIUMBLOB|LONGTEXT|LONG BYTE
VARCHAR2(10)|VARCHAR2(10 CHAR)|VARCHAR2(10 BYTE)|VARCHAR(10 CHAR)|oracle_schema.VARCHAR2(10)|mariadb_schema.VARCHAR(10)|mariadb_schema.INT|VARCHARACTER(4)|CHAR VARYING(4)|CHARACTER VARYING(9)
BOOLEAN|BOOL|SERIAL|FLOAT|FLOAT(30)|FLOAT(20)|FLOAT(10,2)|FLOAT(5) UNSIGNED|DOUBLE|DOUBLE(10,2)|DOUBLE PRECISION(7,3)|REAL|REAL(10,2)|FLOAT4|FLOAT8
INTEGER|INT SIGNED|INT UNSIGNED ZEROFILL|INT8|INT4(3)|INT1(1)|TINYINT(1) UNSIGNED|MIDDLEINT|INT(0)|BIT|BIT(0)|BIT(64)|YEAR|YEAR(2)|YEAR(4)
CHAR|CHAR(0)|CHAR(3) BINARY|CHAR(3) BYTE|CHAR BYTE|VARCHAR(3) ASCII|VARCHAR(3) UNICODE|CHAR(3) ASCII BINARY|CHAR(4) CHARACTER SET binary|TEXT CHARACTER SET binary|TEXT BYTE|TEXT(10) UNICODE
NATIONAL VARCHAR(3)|NVARCHAR(3)|NCHAR|NCHAR(2)|NATIONAL CHAR VARYING(4)|NATIONAL CHARACTER(2)|NCHAR VARCHAR(3)|NCHAR VARYING(3)|BINARY|BINARY(3)|VARBINARY(3)|VARCHAR(70000)|VARBINARY(70000)|VARCHAR(20000)
ENUM('a','b  ','')|SET('a','b')|ENUM('a') BINARY|ENUM('a') CHARACTER SET binary|ENUM(0x61,b'1100010')|JSON|UUID|INET4|INET6|VECTOR(3)|VECTOR|GEOMETRY|POINT|GEOMCOLLECTION
VARCHAR(5) COMPRESSED|BLOB COMPRESSED|VARCHAR(5) CHARACTER SET utf8|VARCHAR(5) CHARACTER SET utf8mb3|VARCHAR(5) CHARACTER SET 'latin1'|VARCHAR(5) COLLATE utf8_bin|VARCHAR(5) CHARSET cp932 COLLATE cp932_bin`

// TestEveryTypeInEveryMode makes a column of each type in each sql_mode.
func TestEveryTypeInEveryMode(t *testing.T) {
	eachLine(t, func(t *testing.T, src *source) {
		c := NewCatalog(src.server)
		c.PutDatabase(src.db, "utf8")
		src.ctx = Context{Database: src.db}
		taken := 0
		for _, mode := range sqlModes {
			if src.try("SET SESSION sql_mode = '"+mode.name+"'") != nil {
				continue
			}
			src.ctx.SQLMode = mode.bits
			for i, typ := range strings.FieldsFunc(everyType, func(r rune) bool { return r == '|' || r == '\n' }) {
				if src.follows(c, fmt.Sprintf("CREATE TABLE x%d (c %s, pad INT)", i, typ)) {
					taken++
					src.follows(c, fmt.Sprintf("ALTER TABLE x%d MODIFY x%d.c %s FIRST, ADD d %s", i, i, typ, typ))
					src.follows(c, fmt.Sprintf("DROP TABLE x%d", i))
				}
			}
		}
		if taken < 200 {
			t.Errorf("the server took only %d types", taken)
		}
	})
}

// TestLongText has columns that may be too long for a VARCHAR, of which servers
// make TEXT where the mode is not strict, or for a CHAR, of which MariaDB makes VARCHAR.
func TestLongText(t *testing.T) {
	eachLine(t, func(t *testing.T, src *source) {
		src.must("SET SESSION sql_mode = ''")
		c := NewCatalog(src.server)
		c.PutDatabase(src.db, "utf8")
		src.ctx = Context{Database: src.db}
		taken := 0
		for i, typ := range []string{"VARBINARY(65532)", "VARBINARY(65533)", "VARBINARY(65535)", "VARBINARY(65536)", "VARCHAR(65532) CHARACTER SET latin1", "VARCHAR(65533) CHARACTER SET latin1",
			"VARCHAR(65536) CHARACTER SET latin1", "VARCHAR(21844) CHARACTER SET utf8", "VARCHAR(21845) CHARACTER SET utf8",
			"CHAR(204) CHARACTER SET filename", "CHAR(205) CHARACTER SET filename", "CHAR(255) CHARACTER SET utf8mb4"} {
			if src.follows(c, fmt.Sprintf("CREATE TABLE t%d (a %s NOT NULL)", i, typ)) {
				taken++
			}
		}
		src.follows(c, "CREATE TABLE conv (a CHAR(205) CHARACTER SET latin1, b CHAR(204) CHARACTER SET utf8)")
		src.follows(c, "ALTER TABLE conv CONVERT TO CHARACTER SET filename")
		if taken < 5 {
			t.Errorf("the server took only %d types", taken)
		}
	})
}

// TestOddDefinitions runs statements that a catalog got wrong once, and those
// beside them. Servers that do not know one refuse it.
func TestOddDefinitions(t *testing.T) {
	eachLine(t, func(t *testing.T, src *source) {
		c := NewCatalog(src.server)
		c.PutDatabase(src.db, "utf8")
		src.ctx = Context{Database: src.db}
		taken := 0
		for _, sql := range []string{
			"CREATE TABLE intro (a VARCHAR(9) CHARACTER SET utf8 DEFAULT _latin1'é', b VARCHAR(9) CHARACTER SET sjis DEFAULT _utf8'表', c ENUM('é') CHARACTER SET latin1 DEFAULT _utf8'é')", "CREATE TABLE q (a INT, b INT)", "ALTER TABLE q MODIFY " + src.db + ".q.a BIGINT", "ALTER TABLE q MODIFY COLUMN q.a INT, CHANGE " + src.db + ".q.b " + src.db + ".q.c BIGINT",
			"ALTER TABLE q MODIFY .q.a BIGINT AFTER c", "ALTER TABLE q ALTER q.a SET DEFAULT 4, DROP q.c", "DROP TABLE q",
			"CREATE TABLE vb (a VARCHAR(2) DEFAULT 'xx ', b VARCHAR(3) DEFAULT 'x ', c VARCHAR(2) CHARACTER SET utf8 DEFAULT 'éé   ', d VARBINARY(3) DEFAULT 'x ')", "ALTER TABLE vb ALTER b SET DEFAULT 'yyy  ', ADD e VARCHAR(2) DEFAULT 'z   '", "DROP TABLE vb",
			// A byte of zero in a label.
			`CREATE TABLE z (a ENUM('a','b\0c') DEFAULT 'b\0c', b SET('p\0q','r') DEFAULT 'r,p\0q', c ENUM('x\0 ','y') CHARACTER SET binary DEFAULT 'y', d ENUM('A\0','b') CHARACTER SET ucs2, e ENUM('x\0x','w') CHARACTER SET gbk, f ENUM(0x610062, 'x'))`,
			`ALTER TABLE z ADD g ENUM('g\0c','b') CHARACTER SET latin1 DEFAULT 'g\0c', MODIFY d ENUM('A\0','b') CHARACTER SET latin1`, "ALTER TABLE z CONVERT TO CHARACTER SET utf8mb4", "DROP TABLE z",
			"CREATE TABLE p (s DATE, e DATE, x INT, PERIOD FOR pp (s, e))", "ALTER TABLE p DROP PERIOD FOR pp", "ALTER TABLE p MODIFY s DATE, MODIFY e DATE", "ALTER TABLE p ADD PERIOD FOR qq (S, e)", "DROP TABLE p",
			"CREATE TABLE p (s TIMESTAMP, e TIMESTAMP, x INT, PERIOD IF NOT EXISTS FOR pp (s, e))", "CREATE TABLE p2 (period INT, e INT)", "ALTER TABLE p2 ADD period2 INT",
			"CREATE TABLE v (x INT PRIMARY KEY)",
			"ALTER TABLE v ADD COLUMN s TIMESTAMP(6) GENERATED ALWAYS AS ROW START INVISIBLE, ADD COLUMN e TIMESTAMP(6) AS ROW END INVISIBLE, ADD PERIOD FOR SYSTEM_TIME (s, e), ADD SYSTEM VERSIONING",
			"ALTER TABLE v ADD y INT, ADD UNIQUE (y)", "ALTER TABLE v DROP SYSTEM VERSIONING", "ALTER TABLE v ADD z INT",
			"CREATE TABLE v2 (x INT)", "ALTER TABLE v2 ADD SYSTEM VERSIONING, ADD y INT", "ALTER TABLE v2 ADD PRIMARY KEY (x)", "ALTER TABLE v2 DROP SYSTEM VERSIONING",
			"CREATE TABLE lb (a ENUM('a', 'a ') CHARACTER SET binary, b SET('x ', 'y') CHARACTER SET binary, c ENUM('z ', 'y') DEFAULT 'z  ')", "ALTER TABLE lb MODIFY a ENUM('a  ') CHARACTER SET latin1",
			"CREATE TABLE dp (a INT DEFAULT (99), b VARCHAR(9) DEFAULT ('x'), c INT DEFAULT (-5), d INT DEFAULT (NULL), e INT DEFAULT ((3)), f VARCHAR(9) DEFAULT (0x41), g DATE DEFAULT ('2020-1-1'), h DECIMAL(5,2) DEFAULT (1), i INT DEFAULT (1 + 1) COMMENT 'x')",
			"CREATE TABLE dq (a INT DEFAULT (--1), b INT DEFAULT - 1, c INT DEFAULT +1, d INT DEFAULT (1----1), e TIME DEFAULT (((TIME'10:20:30'))), f DATE DEFAULT (DATE'2001-1-1'), g DATETIME DEFAULT ((TIMESTAMP'2001-01-01 10:20:30')), h INT DEFAULT (-+-3), i VARCHAR(9) DEFAULT (_latin1'x'))",
			"CREATE TABLE tdt (f TIME DEFAULT '1995-05-05 10:20:30', g TIME(3) DEFAULT '1995-05-05 10:20:30.5678', h TIME DEFAULT '19950505102030', i TIME DEFAULT '95-5-5 1:2:3', j TIME DEFAULT '1995-05-05 10:20', k TIME DEFAULT '1 10:20', l TIME DEFAULT '-10:20:30')", "CREATE TABLE tdd (a DATE DEFAULT '2024-02-29 23:59:59.999996', b DATE DEFAULT '2024-02-29 10:00:00', c DATE DEFAULT '2024-02-29 23:59:59.4')",
			"CREATE TABLE tiny (a DECIMAL(2,1) DEFAULT '1e-401', b DECIMAL(5,2) DEFAULT '-3.5e-10000', c INT DEFAULT '1.5e-401', d DOUBLE DEFAULT '1e-10000', e DOUBLE DEFAULT '0e10000', f FLOAT DEFAULT '1e-60', g DECIMAL(4,1) DEFAULT '250e-1')", "CREATE TABLE none (w INT DEFAULT 0e10000, x DECIMAL(4,1) DEFAULT '0e-99999999999')",
			"CREATE TABLE tiny2 (a DECIMAL(2,1) DEFAULT '1e-401')", "CREATE TABLE tiny3 (b DECIMAL(5,2) DEFAULT '-3.5e-10000')", "CREATE TABLE tiny4 (c INT DEFAULT '1.5e-401')", "CREATE TABLE tiny5 (d DOUBLE DEFAULT '1e-10000')", "CREATE TABLE tiny6 (f FLOAT DEFAULT '1e-60')",
			"CREATE TABLE dn (c VARBINARY(30) DEFAULT (-(3)), d INT DEFAULT (-(-(4))), e VARCHAR(9) DEFAULT (-('5')), g INT DEFAULT (+(-(7))), h DECIMAL(5,2) DEFAULT (-(1.5)), i INT DEFAULT (-TRUE), j INT DEFAULT (-(0x41)), m INT DEFAULT (-(-4)), o INT DEFAULT (-(+4)), p VARCHAR(9) DEFAULT (-+(4)), q INT DEFAULT (-(NULL)), r VARCHAR(9) DEFAULT ('a' 'b'))",
			"CREATE TABLE ri (a INT, b INT)", "CREATE UNIQUE INDEX k ON ri (a)", "CREATE OR REPLACE INDEX k ON ri (a)", "CREATE OR REPLACE UNIQUE INDEX k ON ri (b)", "CREATE OR REPLACE UNIQUE INDEX l ON ri (a)",
			"ALTER TABLE dp ALTER a SET DEFAULT (4), ALTER i SET DEFAULT (i)",
			"CREATE TABLE v3 (x INT WITH SYSTEM VERSIONING, y INT)", "CREATE TABLE v4 (x INT, y INT WITHOUT SYSTEM VERSIONING) WITH SYSTEM VERSIONING", "CREATE TABLE v5 LIKE v3",
			"CREATE TABLE v6 (x INT WITH SYSTEM VERSIONING UNIQUE, s TIMESTAMP(6) AS ROW START, e TIMESTAMP(6) AS ROW END, PERIOD FOR SYSTEM_TIME (s, e))",
			"CREATE TABLE gt (a INT, b TIMESTAMP AS (NULL) VIRTUAL NULL, c TIMESTAMP AS (NULL) VIRTUAL, d TIMESTAMP AS (NULL) STORED NULL COMMENT 'x')",
			"CREATE TABLE nb (a BIT(64) DEFAULT -1, b BIT(64) DEFAULT '-1')", "ALTER TABLE nb /*!99990 /* a comment */ ADD c INT, */ ADD d INT", "ALTER TABLE nb /* 99990 x */ ADD e INT /* last */",
			"CREATE TABLE hx (a VARCHAR(5) CHARACTER SET ucs2 DEFAULT 0x41, b VARCHAR(5) CHARACTER SET utf32 DEFAULT b'1000001', c ENUM(0x41, 0x0042) CHARACTER SET utf16, d SET('', 'x', 'y') DEFAULT ',x,y')",
			"CREATE TABLE h (a TEXT UNIQUE, b INT)", "ALTER TABLE h ADD c INT, ADD d BLOB UNIQUE, ADD UNIQUE (b)", "CREATE TABLE h2 (a VARCHAR(1000) UNIQUE, b INT NOT NULL UNIQUE)",
			"CREATE TABLE l (a ENUM(0x9353, 0x9373) CHARACTER SET sjis, b SET(_latin1 0xE4, 'x', b'01000001') CHARACTER SET latin1, c ENUM(0x00E400F6) CHARACTER SET ucs2, d ENUM(_utf8 0xC3A4, 0x62))",
			"CREATE TABLE l2 (a VARCHAR(5) CHARACTER SET latin1 DEFAULT 0xE4, b VARCHAR(5) CHARACTER SET sjis DEFAULT 0x9353, c ENUM('ä') CHARACTER SET latin1 DEFAULT 0xE4, d VARCHAR(9) DEFAULT _latin1 0xE4)",
			"CREATE TABLE cl (e ENUM('ä','b') CHARACTER SET latin1 DEFAULT 'ä', s SET('ö','x','ü') CHARACTER SET latin1 DEFAULT 'ö,x')", "ALTER TABLE cl CONVERT TO CHARACTER SET cp1251", "ALTER TABLE cl CONVERT TO CHARACTER SET koi8r, ADD x INT",
			"CREATE TABLE eb (a ENUM('a', 'b', '') CHARACTER SET binary NOT NULL DEFAULT 'b', b SET('x', 'y') CHARACTER SET binary DEFAULT 'x,y', c SET('x', '') CHARACTER SET binary DEFAULT '')",
			"CREATE TABLE i (a INT INVISIBLE DEFAULT 1, b INT)", "ALTER TABLE i ALTER a SET VISIBLE", "ALTER TABLE i ALTER a SET INVISIBLE, ADD c INT FIRST", "ALTER TABLE i MODIFY b INT INVISIBLE", "CREATE TABLE i2 LIKE i", "ALTER TABLE i2 ADD d INT FIRST",
		} {
			if src.follows(c, sql) {
				taken++
			}
		}
		if taken < 12 {
			t.Errorf("the server took only %d statements", taken)
		}
	})
}

// TestPeriods has MariaDB's tables with periods change: declared columns of system
// versioning give way to those that are there by themselves and the other way round, and
// keys WITHOUT OVERLAPS come and go with their columns.
func TestPeriods(t *testing.T) {
	eachLine(t, func(t *testing.T, src *source) {
		if !src.server.mariaFrom(100503) {
			return
		}
		src.must("SET SESSION system_versioning_alter_history = KEEP")
		c := NewCatalog(src.server)
		c.PutDatabase(src.db, "utf8")
		src.ctx = Context{Database: src.db}
		const declared = "(x INT PRIMARY KEY, s TIMESTAMP(6) AS ROW START, e TIMESTAMP(6) AS ROW END, z INT, PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING"
		const booked = "(id INT, s DATE, e DATE, PERIOD FOR p (s, e), UNIQUE (id, p WITHOUT OVERLAPS))"
		taken := 0
		for _, sql := range []string{
			"CREATE TABLE v1 " + declared, "ALTER TABLE v1 DROP COLUMN s, DROP COLUMN e", "ALTER TABLE v1 ADD y INT, ADD UNIQUE (y)",
			"CREATE TABLE v2 " + declared, "ALTER TABLE v2 DROP COLUMN e, ADD y INT FIRST, DROP COLUMN s, DROP PERIOD FOR SYSTEM_TIME", "ALTER TABLE v2 DROP SYSTEM VERSIONING",
			"CREATE TABLE v3 " + declared, "ALTER TABLE v3 DROP SYSTEM VERSIONING, DROP COLUMN s, DROP COLUMN e",
			"CREATE TABLE v4 " + declared, "ALTER TABLE v4 RENAME COLUMN e TO ee, ADD UNIQUE (z)", "ALTER TABLE v4 DROP COLUMN s, DROP COLUMN ee", "ALTER TABLE v4 ADD a INT",
			"CREATE TABLE v5 (x INT PRIMARY KEY) WITH SYSTEM VERSIONING", "ALTER TABLE v5 ADD s TIMESTAMP(6) AS ROW START, ADD e TIMESTAMP(6) AS ROW END, ADD PERIOD FOR SYSTEM_TIME (s, e)", "ALTER TABLE v5 ADD y INT UNIQUE",
			"CREATE TABLE v6 LIKE v1", "CREATE TABLE v7 LIKE v4", "CREATE TABLE v8 " + declared, "CREATE TABLE v9 LIKE v8", "ALTER TABLE v9 DROP e, DROP s",
			"CREATE TABLE o1 " + booked, "ALTER TABLE o1 RENAME COLUMN s TO ss", "ALTER TABLE o1 ADD PRIMARY KEY (id, P WITHOUT OVERLAPS)", "ALTER TABLE o1 MODIFY e DATE FIRST",
			"CREATE TABLE o2 " + booked, "ALTER TABLE o2 DROP COLUMN id", "ALTER TABLE o2 ADD id INT, ADD CONSTRAINT c UNIQUE (id, p WITHOUT OVERLAPS)",
			"CREATE TABLE o3 (a INT NOT NULL, b INT, s DATETIME(3), e DATETIME(3), PERIOD FOR q (s, e), UNIQUE (b), PRIMARY KEY (a, q WITHOUT OVERLAPS))", "ALTER TABLE o3 DROP PRIMARY KEY, DROP PERIOD FOR q", "ALTER TABLE o3 ADD PERIOD FOR r (e, s), ADD UNIQUE (b, r WITHOUT OVERLAPS)",
			"CREATE TABLE o4 LIKE o1", "ALTER TABLE o4 ADD UNIQUE k (id, p WITHOUT OVERLAPS)", "CREATE TABLE o5 (s DATE, e DATE, id INT)", "ALTER TABLE o5 ADD PERIOD IF NOT EXISTS FOR p (s, e), ADD UNIQUE (id, p WITHOUT OVERLAPS)", "ALTER TABLE o5 ADD PERIOD IF NOT EXISTS FOR p (s, e)",
			"ALTER TABLE o5 DROP PERIOD IF EXISTS FOR q", "ALTER TABLE o5 DROP INDEX id, DROP PERIOD IF EXISTS FOR p", "CREATE TABLE ov (id INT, s DATE, e DATE, PERIOD FOR p (s, e))", "ALTER TABLE ov ADD SYSTEM VERSIONING", "ALTER TABLE ov ADD PRIMARY KEY (id, p WITHOUT OVERLAPS)", "ALTER TABLE ov ADD y INT UNIQUE", "CREATE TABLE ov2 LIKE ov", "ALTER TABLE ov DROP SYSTEM VERSIONING",
			"CREATE TABLE ow (id INT, s DATE, e DATE, PERIOD FOR p (s, e), rs TIMESTAMP(6) AS ROW START, re TIMESTAMP(6) AS ROW END, PERIOD FOR SYSTEM_TIME (rs, re), UNIQUE (id, p WITHOUT OVERLAPS)) WITH SYSTEM VERSIONING", "ALTER TABLE ow DROP rs, DROP re", "ALTER TABLE ow ADD z INT",
			"CREATE TABLE o6 (period INT, s INT)", "ALTER TABLE o6 DROP period",
		} {
			if src.follows(c, sql) {
				taken++
			}
		}
		if taken < 34 {
			t.Errorf("the server took only %d statements", taken)
		}
	})
}

// TestPeriodsOfASnapshot changes tables with periods that a snapshot gave.
func TestPeriodsOfASnapshot(t *testing.T) {
	eachLine(t, func(t *testing.T, src *source) {
		if !src.server.mariaFrom(100503) {
			return
		}
		for i, steps := range [][]string{
			{"(id INT, s DATE, e DATE, PERIOD FOR p (s, e))", "MODIFY s DATE NULL", "ADD UNIQUE k (id, p WITHOUT OVERLAPS)", "DROP INDEX k", "MODIFY e DATE NULL FIRST", "DROP PERIOD FOR p", "MODIFY s DATE NULL"},
			{"(id INT, s DATETIME(3), e DATETIME(3), x INT, PERIOD FOR `p q` (s, e), UNIQUE (id, `p q` WITHOUT OVERLAPS))", "DROP id", "ADD id INT, ADD UNIQUE (id, `P q` WITHOUT OVERLAPS)"},
			{"(id INT, s DATE, e DATE, PERIOD FOR p (s, e), PRIMARY KEY (id, p WITHOUT OVERLAPS)) WITH SYSTEM VERSIONING", "ADD x INT UNIQUE", "RENAME COLUMN e TO ee", "DROP SYSTEM VERSIONING"},
		} {
			table := fmt.Sprintf("p%d", i)
			src.must("CREATE TABLE " + table + " " + steps[0])
			c := src.snapshot()
			src.ctx = Context{Database: src.db}
			for _, alter := range steps[1:] {
				src.must("SET SESSION system_versioning_alter_history = KEEP")
				if !src.follows(c, "ALTER TABLE "+table+" "+alter) {
					t.Errorf("%s was refused", alter)
				}
			}
		}
	})
}

// TestGeneratedInvisiblePrimaryKey has MySQL make primary keys up, which stay in
// front whatever the statement says, as long as they are invisible and of InnoDB.
func TestGeneratedInvisiblePrimaryKey(t *testing.T) {
	eachLine(t, func(t *testing.T, src *source) {
		if !src.server.mysqlFrom(80030) {
			return
		}
		c := NewCatalog(src.server)
		c.PutDatabase(src.db, "utf8")
		src.ctx = Context{Database: src.db}
		const written = "my_row_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT INVISIBLE"
		n := 0
		for _, create := range []string{"(a INT)", "(a INT) ENGINE=MyISAM", "AS SELECT 1 AS a", "(" + written + " PRIMARY KEY, a INT)", "(a INT, " + written + " PRIMARY KEY)",
			"(" + written + ", a INT, PRIMARY KEY (my_row_id))", "(" + written + ", a INT, PRIMARY KEY (my_row_id, a))", "(" + strings.Replace(written, "UNSIGNED ", "", 1) + " PRIMARY KEY, a INT)",
			"(" + strings.Replace(written, "my_row_id", "x", 1) + " PRIMARY KEY, a INT)", "(" + strings.Replace(written, "INVISIBLE", "VISIBLE", 1) + " PRIMARY KEY, a INT)", "LIKE t0"} {
			for _, alters := range [][]string{
				{"ADD b BIGINT UNSIGNED NOT NULL FIRST"}, {"MODIFY a INT FIRST"}, {"CHANGE a c BIGINT FIRST"}, {"ADD b INT FIRST, ADD c INT AFTER my_row_id, ADD d INT FIRST"},
				{"ALTER my_row_id SET VISIBLE", "ADD b INT FIRST", "ALTER my_row_id SET INVISIBLE", "ADD c INT FIRST"}, {"ALTER my_row_id SET VISIBLE, ADD b INT FIRST"},
				{"DROP PRIMARY KEY, DROP my_row_id, ADD b INT FIRST"}, {"DROP PRIMARY KEY, DROP my_row_id, ADD id INT PRIMARY KEY FIRST"},
				{"RENAME COLUMN x TO my_row_id", "ADD b INT FIRST", "ADD c INT FIRST"}, {"DROP PRIMARY KEY, DROP my_row_id, ADD " + written + " PRIMARY KEY, ADD b INT FIRST"}, {"CONVERT TO CHARACTER SET latin1, ADD b INT FIRST"},
				{"ENGINE=MEMORY", "RENAME COLUMN a TO c, ADD b INT FIRST", "ENGINE=InnoDB", "ADD d INT FIRST"}, {"ENGINE=MyISAM", "MODIFY a INT FIRST"}, {"ENGINE=MERGE", "ADD b INT AFTER a", "ADD c INT FIRST"},
				{"ENGINE=MyISAM", "ENGINE=InnoDB", "ADD b INT FIRST"}, {"ENGINE=MEMORY, ADD b INT FIRST"}, {"ENGINE=MEMORY", "ENGINE=InnoDB, ADD b INT FIRST", "ADD c INT FIRST"},
			} {
				src.must("SET SESSION sql_generate_invisible_primary_key = ON")
				table := fmt.Sprintf("t%d", n)
				n++
				src.follows(c, "CREATE TABLE "+table+" "+create)
				for i, alter := range alters {
					src.must(fmt.Sprintf("SET SESSION sql_generate_invisible_primary_key = %d", (n+i)%2))
					src.follows(c, "ALTER TABLE "+table+" "+alter)
				}
			}
		}
	})
}
