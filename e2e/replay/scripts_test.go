//go:build servers

package replay

import "strings"

// script is what is done to the tables of one database. Before a statement may
// stand "other: " for a second session, and "fails: " if it must fail. {db} is
// the database's name, {file} that of a file of its own.
type script struct {
	name       string
	on         func(mariadb bool, version int) bool // nil: everywhere
	statements []string
	// unlogged are tables of which servers before MySQL 9 leave changes out of
	// the binlog.
	unlogged []string
	// movesKeys: a row gets another key, which with partial row images is an Error.
	movesKeys bool
}

func mysql(from int) func(bool, int) bool {
	return func(mariadb bool, version int) bool { return !mariadb && version >= from }
}

func mariadb(from int) func(bool, int) bool {
	return func(mariadb bool, version int) bool { return mariadb && version >= from }
}

var scripts = []script{
	{name: "upserts", movesKeys: true, statements: []string{
		"CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, u INT UNIQUE, n INT) ENGINE=InnoDB",
		"INSERT INTO t (u, n) VALUES (1, 1), (2, 2), (3, 3), (4, 4)",
		"INSERT INTO t (u, n) VALUES (2, 20), (5, 50) ON DUPLICATE KEY UPDATE n = n + VALUES(n)",
		"INSERT IGNORE INTO t (u, n) VALUES (3, 30), (6, 60)",
		"REPLACE INTO t (u, n) VALUES (1, 100), (7, 70)",
		"REPLACE INTO t VALUES (3, 4, 99)", // two rows are in the way
		"REPLACE INTO t VALUES (1000, 1, 1)",
		"UPDATE t SET id = id + 5000 ORDER BY id DESC",
		"UPDATE IGNORE t SET u = 2 WHERE u > 4",
		"INSERT INTO t (u, n) VALUES (2, 0) ON DUPLICATE KEY UPDATE n = n", // nothing changes
	}},
	{name: "foreign keys", statements: []string{
		"CREATE TABLE p (id INT PRIMARY KEY) ENGINE=InnoDB",
		"CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE ON UPDATE CASCADE) ENGINE=InnoDB",
		"INSERT INTO p VALUES (1), (2), (3)",
		"INSERT INTO c VALUES (10, 1), (20, 2), (30, 3)",
		"DELETE FROM p WHERE id = 1",
		"UPDATE p SET id = 4 WHERE id = 2",
	}, unlogged: []string{"c"}},
	{name: "triggers", statements: []string{
		"CREATE TABLE t (id INT PRIMARY KEY, n INT)",
		"CREATE TABLE log (id INT PRIMARY KEY AUTO_INCREMENT, what VARCHAR(20), n INT)",
		"CREATE TRIGGER i AFTER INSERT ON t FOR EACH ROW INSERT INTO log (what, n) VALUES ('insert', NEW.n)",
		"CREATE TRIGGER b BEFORE UPDATE ON t FOR EACH ROW SET NEW.n = NEW.n + 1000",
		"CREATE TRIGGER d AFTER DELETE ON t FOR EACH ROW UPDATE log SET what = 'gone' WHERE n = OLD.n",
		"INSERT INTO t VALUES (1, 1), (2, 2), (3, 3)",
		"UPDATE t SET n = 5 WHERE id > 1",
		"DELETE FROM t WHERE id < 3",
		"CREATE PROCEDURE fill(IN upto INT) BEGIN DECLARE i INT DEFAULT 100; WHILE i < upto DO INSERT INTO t VALUES (i, i); SET i = i + 1; END WHILE; UPDATE t SET n = n - 1; END",
		"CALL fill(104)",
		"CREATE FUNCTION f(a INT) RETURNS INT DETERMINISTIC MODIFIES SQL DATA BEGIN INSERT INTO log (what, n) VALUES ('function', a); RETURN a; END",
		"UPDATE t SET n = f(id) WHERE id > 101",
		"DO f(7)",
		"DROP TRIGGER i", "DROP TRIGGER b", "DROP TRIGGER d", "DROP FUNCTION f", "DROP PROCEDURE fill",
	}},
	{name: "savepoints", statements: []string{
		"CREATE TABLE t (id INT PRIMARY KEY, n INT) ENGINE=InnoDB",
		"BEGIN", "INSERT INTO t VALUES (1, 1)", "SAVEPOINT a", "INSERT INTO t VALUES (2, 2)", "SAVEPOINT b", "UPDATE t SET n = 9",
		"ROLLBACK TO b", "INSERT INTO t VALUES (3, 3)", "ROLLBACK TO a", "INSERT INTO t VALUES (4, 4)", "RELEASE SAVEPOINT a", "COMMIT",
		"BEGIN", "INSERT INTO t VALUES (5, 5)", "fails: INSERT INTO t VALUES (6, 6), (5, 5)", "INSERT INTO t VALUES (7, 7)", "COMMIT",
		"BEGIN", "DELETE FROM t", "ROLLBACK",
		"BEGIN", "INSERT INTO t VALUES (8, 8)", "SAVEPOINT a", "other: INSERT INTO t VALUES (80, 80)", "UPDATE t SET n = 10 WHERE id = 8", "ROLLBACK TO a", "COMMIT",
	}},
	{name: "no transactions", statements: []string{
		"CREATE TABLE m (id INT PRIMARY KEY, n INT) ENGINE=MyISAM",
		"INSERT INTO m VALUES (1, 1), (2, 2)",
		"fails: INSERT INTO m VALUES (3, 3), (1, 1), (4, 4)", // 3 stays
		"BEGIN", "INSERT INTO m VALUES (5, 5)", "ROLLBACK",
		"CREATE TABLE q (id INT PRIMARY KEY, n INT) ENGINE=MEMORY",
		"INSERT INTO q VALUES (1, 1), (2, 2)",
		"fails: UPDATE m SET id = 2 WHERE id IN (1, 2, 5) ORDER BY id DESC",
	}},
	{name: "several tables", statements: []string{
		"CREATE TABLE a (id INT PRIMARY KEY, n INT)", "CREATE TABLE b (id INT PRIMARY KEY, a INT, n INT)",
		"INSERT INTO a VALUES (1, 1), (2, 2), (3, 3), (4, 4)",
		"INSERT INTO b SELECT id + 10, id, n * n FROM a",
		"UPDATE a JOIN b ON b.a = a.id SET a.n = a.n + 100, b.n = a.n + b.n WHERE a.id < 3",
		"DELETE a, b FROM a JOIN b ON b.a = a.id WHERE a.id = 2",
		"DELETE b FROM a JOIN b ON b.a = a.id WHERE a.id = 3",
		// Older servers say of an outer table that all its columns can be NULL.
		"DELETE FROM a, b USING a LEFT JOIN b ON b.a = a.id WHERE a.id = 4", "UPDATE b LEFT JOIN a ON b.a = a.id SET a.n = 5, b.n = 6",
		"UPDATE b RIGHT JOIN a ON b.a = a.id SET a.n = 7, b.n = 8",
		"CREATE VIEW v AS SELECT id, n FROM a", "UPDATE v SET n = 77", "INSERT INTO v VALUES (50, 50)", "DROP VIEW v",
	}},
	{name: "partitions", movesKeys: true, statements: []string{
		"CREATE TABLE t (id INT PRIMARY KEY, n INT) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20), PARTITION p2 VALUES LESS THAN MAXVALUE)",
		"CREATE TABLE x (id INT PRIMARY KEY, n INT)",
		"INSERT INTO t VALUES (1, 1), (2, 2), (11, 11), (12, 12), (21, 21)", "INSERT INTO x VALUES (5, 5), (6, 6)",
		"UPDATE t SET id = id + 11 WHERE id = 2",
		"fails: UPDATE t SET id = 11 WHERE id = 21",
		"ALTER TABLE t EXCHANGE PARTITION p0 WITH TABLE x",
		"UPDATE t SET n = n + 1", "UPDATE x SET n = n + 1", "INSERT INTO t VALUES (3, 3)",
		"ALTER TABLE t TRUNCATE PARTITION p1", "UPDATE t SET n = n + 1", "INSERT INTO t VALUES (15, 15)",
		"ALTER TABLE t DROP PARTITION p0", "UPDATE t SET n = n + 1",
		"ALTER TABLE t REORGANIZE PARTITION p1 INTO (PARTITION p1a VALUES LESS THAN (15), PARTITION p1b VALUES LESS THAN (20))",
		"INSERT INTO t VALUES (7, 7), (16, 16)",
		"ALTER TABLE t REMOVE PARTITIONING", "DELETE FROM t WHERE id = 7",
		"ALTER TABLE t PARTITION BY HASH (id) PARTITIONS 4", "DELETE FROM t WHERE id = 16", "INSERT INTO t VALUES (8, 8)",
		"ALTER TABLE t COALESCE PARTITION 2", "ALTER TABLE t ADD PARTITION PARTITIONS 3", "INSERT INTO t VALUES (9, 9)",
		"ALTER TABLE t REBUILD PARTITION ALL", "ALTER TABLE t ANALYZE PARTITION ALL",
	}},
	{name: "maintenance", statements: []string{
		"CREATE TABLE t (id INT PRIMARY KEY, n INT)", "INSERT INTO t VALUES (1, 1)",
		"FLUSH TABLES t", "ANALYZE TABLE t", "OPTIMIZE TABLE t", "REPAIR TABLE t", "CHECK TABLE t", "FLUSH TABLES t WITH READ LOCK", "UNLOCK TABLES",
		"ALTER TABLE t ENGINE=InnoDB", "ALTER TABLE t FORCE", "ALTER TABLE t ORDER BY n", "FLUSH BINARY LOGS", "UPDATE t SET n = 2",
		"ALTER TABLE t DISABLE KEYS", "LOCK TABLES t WRITE", "INSERT INTO t VALUES (2, 22)", "UNLOCK TABLES",
		"CREATE INDEX i ON t (n)", "DROP INDEX i ON t", "CREATE UNIQUE INDEX i ON t (n)", "UPDATE t SET n = n + 10 ORDER BY n DESC", "COMMIT",
	}},
	{name: "create from select", statements: []string{
		"CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(20), d DECIMAL(10,2)) CHARSET utf8mb4",
		"INSERT INTO a VALUES (1, 'één', 1.50), (2, NULL, -2.25)",
		"CREATE TABLE l LIKE a", "INSERT INTO l SELECT * FROM a",
		"UPDATE l SET v = CONCAT(v, '!')",
	}},
	{name: "create table select", on: func(mariadb bool, version int) bool { return mariadb || version >= 80022 }, statements: []string{
		"CREATE TABLE a (id INT PRIMARY KEY, v VARCHAR(20), d DECIMAL(10,2)) CHARSET utf8mb4",
		"INSERT INTO a VALUES (1, 'één', 1.50), (2, NULL, -2.25)",
		"CREATE TABLE b SELECT * FROM a",
		"CREATE TABLE c (PRIMARY KEY (id), x INT DEFAULT 5) AS SELECT id, CONCAT(v, '!') w, d * 2 dd, NOW(3) at, 'const' k FROM a",
		"CREATE TABLE IF NOT EXISTS c SELECT 1 AS id",
		"UPDATE c SET x = 6", "UPDATE b SET v = 'z'", "DELETE FROM b WHERE id = 1",
		"CREATE TABLE e (id INT PRIMARY KEY) SELECT 1 AS id WHERE 1 = 0", "INSERT INTO e VALUES (5)",
		"fails: CREATE TABLE f (id INT PRIMARY KEY) SELECT 1 AS id UNION ALL SELECT 1",
		"INSERT INTO e VALUES (6)",
	}},
	{name: "temporary tables", statements: []string{
		"CREATE TABLE t (id INT PRIMARY KEY, n INT)",
		"CREATE TEMPORARY TABLE tmp (id INT PRIMARY KEY, n INT)",
		"INSERT INTO tmp VALUES (1, 1), (2, 2)", "INSERT INTO t SELECT * FROM tmp", "UPDATE t JOIN tmp ON t.id = tmp.id SET t.n = tmp.n + 10",
		"CREATE TEMPORARY TABLE t (x VARCHAR(10), y INT, z INT)", // hides t
		"INSERT INTO t VALUES ('a', 1, 1)", "ALTER TABLE t ADD COLUMN w INT", "TRUNCATE TABLE t", "other: INSERT INTO t VALUES (5, 5)", "DROP TEMPORARY TABLE t",
		"INSERT INTO t VALUES (6, 6)", "DROP TEMPORARY TABLE IF EXISTS tmp",
	}},
	{name: "gh-ost", statements: []string{
		"CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, n INT, v VARCHAR(10)) CHARSET utf8mb4", "INSERT INTO t VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c')",
		"CREATE TABLE _t_ghc (id BIGINT AUTO_INCREMENT, last_update TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, hint VARCHAR(64) CHARSET ascii NOT NULL, value VARCHAR(4096) CHARSET ascii NOT NULL, PRIMARY KEY (id), UNIQUE KEY hint_uidx (hint)) AUTO_INCREMENT=256",
		"INSERT INTO _t_ghc (id, hint, value) VALUES (2, 'state', 'GhostTableMigrated') ON DUPLICATE KEY UPDATE last_update = NOW(), value = VALUES(value)",
		"CREATE TABLE _t_gho LIKE t", "ALTER TABLE _t_gho ADD COLUMN added INT NOT NULL DEFAULT 7 FIRST, MODIFY v VARCHAR(300) CHARSET latin1",
		"INSERT IGNORE INTO _t_gho (id, n, v) (SELECT id, n, v FROM t FORCE INDEX (PRIMARY) WHERE id >= 1 AND id <= 2 LOCK IN SHARE MODE)",
		"UPDATE t SET n = 22 WHERE id = 2", "REPLACE INTO _t_gho (id, n, v) VALUES (2, 22, 'b')",
		"INSERT IGNORE INTO _t_gho (id, n, v) (SELECT id, n, v FROM t WHERE id > 2 LOCK IN SHARE MODE)",
		"CREATE TABLE _t_del (id INT AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB COMMENT='ghost-cut-over-sentry'", "DROP TABLE _t_del",
		"RENAME TABLE t TO _t_del, _t_gho TO t",
		"INSERT INTO t (n, v) VALUES (4, 'é')", "UPDATE t SET n = n + 1, added = 8",
		"DROP TABLE IF EXISTS _t_ghc", "DROP TABLE IF EXISTS _t_del", "DELETE FROM t WHERE id = 1",
	}},
	{name: "pt-online-schema-change", movesKeys: true, statements: []string{
		"CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, n INT, v VARCHAR(10)) CHARSET utf8mb4", "INSERT INTO t VALUES (1, 1, 'a'), (2, 2, 'b'), (3, 3, 'c')",
		"CREATE TABLE `_t_new` (id INT PRIMARY KEY AUTO_INCREMENT, n INT, v VARCHAR(10)) CHARSET utf8mb4", "ALTER TABLE `_t_new` DROP COLUMN n, ADD COLUMN m BIGINT UNSIGNED",
		"CREATE TRIGGER `pt_del` AFTER DELETE ON t FOR EACH ROW DELETE IGNORE FROM `_t_new` WHERE `_t_new`.id <=> OLD.id",
		"CREATE TRIGGER `pt_upd` AFTER UPDATE ON t FOR EACH ROW BEGIN DELETE IGNORE FROM `_t_new` WHERE !(OLD.id <=> NEW.id) AND `_t_new`.id <=> OLD.id; REPLACE INTO `_t_new` (id, v) VALUES (NEW.id, NEW.v); END",
		"CREATE TRIGGER `pt_ins` AFTER INSERT ON t FOR EACH ROW REPLACE INTO `_t_new` (id, v) VALUES (NEW.id, NEW.v)",
		"INSERT LOW_PRIORITY IGNORE INTO `_t_new` (id, v) SELECT id, v FROM t WHERE id < 3 LOCK IN SHARE MODE",
		"UPDATE t SET v = 'x' WHERE id = 1", "UPDATE t SET id = 33 WHERE id = 3", "INSERT INTO t VALUES (5, 5, 'e')", "DELETE FROM t WHERE id = 2",
		"RENAME TABLE `{db}`.`t` TO `{db}`.`_t_old`, `{db}`.`_t_new` TO `{db}`.`t`", "INSERT INTO t VALUES (6, 'f', 18446744073709551615)",
		"UPDATE t SET m = 1", "DROP TRIGGER IF EXISTS `{db}`.`pt_del`", "DROP TRIGGER pt_upd", "DROP TRIGGER pt_ins", "DROP TABLE IF EXISTS `_t_old`", "UPDATE t SET v = 'y'",
	}},
	{name: "renames", statements: []string{
		"CREATE TABLE a (id INT PRIMARY KEY, n INT)", "CREATE TABLE b (id INT PRIMARY KEY, v VARCHAR(5), w INT) CHARSET latin1", "INSERT INTO a VALUES (1, 1)", "INSERT INTO b VALUES (1, 'x', 1)",
		"RENAME TABLE a TO tmp, b TO a, tmp TO b", "INSERT INTO a VALUES (2, 'y', 2)", "INSERT INTO b VALUES (2, 2)",
		"ALTER TABLE a RENAME TO c, ADD COLUMN z INT", "UPDATE c SET z = 3", "ALTER TABLE c RENAME b2", "RENAME TABLE b2 TO c, c TO a", "UPDATE a SET z = 4",
		"BEGIN", "INSERT INTO a VALUES (3, 'z', 3, 3)", "other: INSERT INTO b VALUES (3, 3)", "COMMIT",
	}},
	{name: "alters", movesKeys: true, statements: []string{
		"CREATE TABLE t (id INT, n INT, v VARCHAR(20)) CHARSET latin1", "INSERT INTO t VALUES (1, 1, 'a'), (2, 2, 'é'), (2, 2, 'é')",
		"ALTER TABLE t ADD COLUMN e ENUM('a','b','ç') DEFAULT 'ç' AFTER id, ADD COLUMN s SET('x','y','z') FIRST", "UPDATE t SET s = 'x,z', n = n + 1",
		"ALTER TABLE t MODIFY e ENUM('ç','b','a','new') CHARSET utf8", "UPDATE t SET e = 'new' WHERE id = 1", "UPDATE t SET s = 'y'",
		"ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4", "UPDATE t SET v = CONCAT(v, '😀')",
		"DELETE FROM t WHERE id = 2 LIMIT 1", "ALTER TABLE t ADD PRIMARY KEY (id)", "UPDATE t SET n = 50",
		"ALTER TABLE t CHANGE n id2 BIGINT UNSIGNED NOT NULL, DROP PRIMARY KEY, ADD UNIQUE (id2, id)", "UPDATE t SET id2 = id2 * 2",
		"ALTER TABLE t DROP COLUMN s, DROP COLUMN e, MODIFY v TEXT", "UPDATE t SET v = REPEAT(v, 10)",
		"ALTER TABLE t ADD COLUMN d DECIMAL(20,5) DEFAULT 1.5, ADD COLUMN (f FLOAT, g DOUBLE), ADD b BIT(10) DEFAULT b'101', ADD y YEAR DEFAULT 1999", "UPDATE t SET f = 1.5, g = 2.25",
		"ALTER TABLE t ADD dt DATETIME DEFAULT '2020-01-02 03:04:05', ADD ts TIMESTAMP NULL DEFAULT '2020-01-02 03:04:05', ADD ti TIME, ADD da DATE, ADD bin BINARY(4) DEFAULT 'ab', ADD bl BLOB", "UPDATE t SET ti = '-12:34:56', da = '1000-01-01', bl = 'abc', bin = 'abcd'",
		"ALTER TABLE t MODIFY dt DATETIME(6), MODIFY ts TIMESTAMP(3) NULL, MODIFY ti TIME(2)", "UPDATE t SET ti = '838:59:58.25', dt = '2020-01-02 03:04:05.654321'",
		"ALTER TABLE t ALTER d SET DEFAULT 7, ALTER y DROP DEFAULT", "INSERT INTO t (id, id2, v, y) VALUES (9, 9, 'nine', 2009)",
		"TRUNCATE TABLE t", "INSERT INTO t (id, id2, v, y) VALUES (10, 10, 'ten', 2010)",
	}},
	{name: "generated columns", on: func(mariadb bool, version int) bool { return mariadb || version >= 50700 }, statements: []string{
		"CREATE TABLE t (id INT PRIMARY KEY, a INT, v INT GENERATED ALWAYS AS (a + 1) VIRTUAL, b VARCHAR(10), s VARCHAR(20) AS (CONCAT(b, '-', a)) STORED, z INT) CHARSET utf8mb4",
		"INSERT INTO t (id, a, b, z) VALUES (1, 1, 'x', 7), (2, NULL, 'é', 8)", "UPDATE t SET a = 5", "CREATE INDEX v ON t (v)", "UPDATE t SET b = 'q', z = 0",
		"ALTER TABLE t ADD COLUMN w INT AS (a * 2) VIRTUAL AFTER id", "UPDATE t SET a = a + 1", "ALTER TABLE t DROP COLUMN w, DROP COLUMN v", "DELETE FROM t WHERE id = 1", "UPDATE t SET z = 1",
	}},
	{name: "load data", statements: []string{
		"CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(20), n INT) CHARSET utf8mb4", "CREATE TABLE src (id INT PRIMARY KEY, v VARCHAR(20), n INT) CHARSET utf8mb4",
		"INSERT INTO src VALUES (1, 'één', 1), (2, NULL, 2), (3, 'x', NULL)",
		"SELECT * FROM src INTO OUTFILE '{file}' CHARACTER SET utf8mb4",
		"LOAD DATA INFILE '{file}' INTO TABLE t CHARACTER SET utf8mb4",
		"LOAD DATA INFILE '{file}' REPLACE INTO TABLE t CHARACTER SET utf8mb4 (id, @v, n) SET v = CONCAT(@v, '!')",
		"LOAD DATA INFILE '{file}' IGNORE INTO TABLE t CHARACTER SET utf8mb4 (@id, v) SET id = @id + 2, n = 9",
	}},
	{name: "json", on: mysql(50700), movesKeys: true, statements: []string{
		"CREATE TABLE t (id INT PRIMARY KEY, j JSON, k JSON, n INT)",
		`INSERT INTO t VALUES (1, '{"a": 1, "b": [1, 2, {"c": "é"}], "d": {"e": 1.5, "f": null}}', '[]', 0), (2, NULL, '"s"', 0), (3, '{"long": "` + long + `"}', '{}', 0)`,
		"UPDATE t SET j = JSON_SET(j, '$.a', 2, '$.b[2].c', 'x'), n = n + 1",
		"UPDATE t SET j = JSON_REMOVE(j, '$.b[0]', '$.d'), k = JSON_SET(k, '$.q', 1)",
		"UPDATE t SET j = JSON_REPLACE(j, '$.long', 'short') WHERE id = 3", "UPDATE t SET k = JSON_ARRAY_APPEND(k, '$', j)", "UPDATE t SET id = id + 10, j = JSON_SET(j, '$.a', 'key too')",
	}},
}

// long makes a document so long that the server logs an update in parts.
var long = strings.Repeat("long ", 500)
