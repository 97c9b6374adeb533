//go:build servers

package replay

// serverScripts are about what only some servers have.
var serverScripts = []script{
	{name: "functional keys", on: mysql(80013), statements: []string{
		"CREATE TABLE f (id INT PRIMARY KEY, v VARCHAR(20), n INT, UNIQUE KEY low ((LOWER(v))), KEY two ((n + 1), (n * 2), v)) CHARSET utf8mb4",
		"INSERT INTO f VALUES (1, 'A', 1), (2, 'b', 2)", "UPDATE f SET v = 'C', n = 3 WHERE id = 1",
		"CREATE INDEX later ON f ((ABS(n)))", "INSERT INTO f VALUES (3, 'd', -3)",
		"ALTER TABLE f ADD COLUMN x INT DEFAULT 5", "UPDATE f SET n = 9, x = 6", "DROP INDEX low ON f", "DELETE FROM f WHERE id = 2",
		"CREATE TABLE m (id INT PRIMARY KEY, n INT, v VARCHAR(10), KEY mv ((CAST(v AS CHAR(5))), (n + 0.5)))", "INSERT INTO m VALUES (1, 1, 'a')", "UPDATE m SET v = 'z'",
		"CREATE TABLE l LIKE f", "INSERT INTO l SELECT * FROM f", "ALTER TABLE l RENAME COLUMN n TO nn, DROP INDEX two, DROP INDEX later", "UPDATE l SET nn = 0",
		"CREATE TABLE d (id INT PRIMARY KEY, u BINARY(16) DEFAULT (UNHEX('00112233445566778899aabbccddeeff')), e INT DEFAULT (1 + 2))", "INSERT INTO d (id) VALUES (1)", "UPDATE d SET e = 7",
	}},
	{name: "instant and invisible columns", on: mysql(80030), statements: []string{
		"CREATE TABLE t (id INT PRIMARY KEY, a INT, b VARCHAR(10)) CHARSET utf8mb4", "INSERT INTO t VALUES (1, 1, 'a')",
		"ALTER TABLE t ADD COLUMN c INT DEFAULT 3 AFTER id, ALGORITHM=INSTANT", "INSERT INTO t VALUES (2, 2, 2, 'b')",
		"ALTER TABLE t DROP COLUMN a, ALGORITHM=INSTANT", "INSERT INTO t VALUES (3, 3, 'c')",
		"ALTER TABLE t ADD COLUMN a DECIMAL(5,2) FIRST, ALGORITHM=INSTANT", "UPDATE t SET a = 1.5, c = c + 1",
		"ALTER TABLE t RENAME COLUMN a TO z, ALGORITHM=INSTANT", "UPDATE t SET z = 2.5",
		"CREATE TABLE i (id INT PRIMARY KEY, hid INT DEFAULT 7 INVISIBLE, n INT)", "INSERT INTO i VALUES (1, 1)", "INSERT INTO i (id, hid, n) VALUES (2, 2, 2)",
		"ALTER TABLE i ALTER COLUMN hid SET VISIBLE", "UPDATE i SET hid = hid + 1", "ALTER TABLE i ALTER n SET INVISIBLE", "UPDATE i SET n = 9",
	}},
	{name: "generated invisible primary keys", on: mysql(80030), statements: []string{
		"SET SESSION sql_generate_invisible_primary_key = ON", "CREATE TABLE g (v VARCHAR(10), n INT)", "INSERT INTO g VALUES ('a', 1), ('a', 1), ('b', 2)",
		"UPDATE g SET n = 5 LIMIT 1", "DELETE FROM g WHERE v = 'b'",
		"CREATE TABLE gl LIKE g", "INSERT INTO gl SELECT * FROM g", "CREATE TABLE gs SELECT * FROM g", "UPDATE gs SET n = 8",
		"ALTER TABLE g ALTER COLUMN my_row_id SET VISIBLE", "ALTER TABLE g ADD COLUMN id INT", "UPDATE g SET id = my_row_id * 10",
		"SET SESSION sql_generate_invisible_primary_key = OFF",
		"ALTER TABLE g DROP COLUMN my_row_id, ADD PRIMARY KEY (id)", "UPDATE g SET n = 0",
	}},
	{name: "tagged GTIDs", on: mysql(80300), statements: []string{
		"CREATE TABLE t (id INT PRIMARY KEY)", "SET SESSION gtid_next = 'AUTOMATIC:tag_1'", "INSERT INTO t VALUES (1), (2)", "BEGIN", "INSERT INTO t VALUES (3)", "DELETE FROM t WHERE id = 1", "COMMIT",
		"ALTER TABLE t ADD COLUMN n INT", "SET SESSION gtid_next = 'AUTOMATIC:other'", "UPDATE t SET n = 5", "other: INSERT INTO t VALUES (7, 7)", "UPDATE t SET n = 6",
		"SET SESSION gtid_next = 'AUTOMATIC'", "UPDATE t SET n = 7 WHERE id = 2",
	}},
	{name: "mariadb columns", on: mariadb(101100), movesKeys: true, statements: []string{
		"CREATE TABLE i (id INT PRIMARY KEY, hid INT INVISIBLE DEFAULT 7, n INT)", "INSERT INTO i VALUES (1, 1)", "INSERT INTO i (id, hid, n) VALUES (2, 2, 2)",
		"ALTER TABLE i MODIFY hid INT", "UPDATE i SET hid = 5", "INSERT INTO i VALUES (3, 3, 3), (4, 4, 4) RETURNING id, n", "DELETE FROM i WHERE id = 3 RETURNING *", "REPLACE INTO i VALUES (4, 5, 5) RETURNING n",
		"BEGIN NOT ATOMIC INSERT INTO i VALUES (9, 9, 9); UPDATE i SET n = 0 WHERE id = 9; END", "EXECUTE IMMEDIATE 'INSERT INTO i VALUES (10, 10, 10)'", "UPDATE i SET id = 11, n = id WHERE id = 10",
		"CREATE TABLE c (id INT PRIMARY KEY, a VARCHAR(1000) COMPRESSED, b TEXT COMPRESSED, d BLOB COMPRESSED DEFAULT NULL) CHARSET utf8mb4",
		"INSERT INTO c VALUES (1, REPEAT('é', 500), REPEAT('b', 60000), REPEAT('c', 1000)), (2, 'short', '', NULL)", "UPDATE c SET a = CONCAT(a, 'x'), d = 'd'",
		"ALTER TABLE c MODIFY a VARCHAR(2000)", "UPDATE c SET b = 'n'",
		"CREATE OR REPLACE TABLE c (id INT PRIMARY KEY, u UUID, ip INET6, j JSON CHECK (JSON_VALID(j)))", `INSERT INTO c VALUES (1, '123e4567-e89b-12d3-a456-426655440000', '::1', '{"a":1}')`,
		"ALTER TABLE c ADD COLUMN IF NOT EXISTS u UUID, ADD COLUMN IF NOT EXISTS w INT, DROP COLUMN IF EXISTS nope", "UPDATE c SET w = 1",
		"CREATE TABLE IF NOT EXISTS c (x INT)", "DROP TABLE IF EXISTS nope", "UPDATE c SET w = 2",
	}},
	{name: "system versioning", on: mariadb(101100), statements: []string{
		"CREATE TABLE v (id INT PRIMARY KEY, n INT) WITH SYSTEM VERSIONING", "INSERT INTO v VALUES (1, 1), (2, 2)", "UPDATE v SET n = n + 1", "DELETE FROM v WHERE id = 2",
		"SET @@system_versioning_alter_history = 'KEEP'", "ALTER TABLE v ADD COLUMN x INT", "UPDATE v SET x = 5", "ALTER TABLE v DROP SYSTEM VERSIONING", "UPDATE v SET n = 7",
		"CREATE TABLE e (id INT PRIMARY KEY, n INT, s TIMESTAMP(6) GENERATED ALWAYS AS ROW START, e TIMESTAMP(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING", "INSERT INTO e (id, n) VALUES (1, 1)", "UPDATE e SET n = 2", "DELETE HISTORY FROM e", "DELETE FROM e",
	}},
	{name: "sequences", on: mariadb(101100), statements: []string{
		"CREATE SEQUENCE s START WITH 5 INCREMENT BY 3 CACHE 2", "CREATE TABLE t (id INT PRIMARY KEY DEFAULT NEXTVAL(s), n INT)", "INSERT INTO t (n) VALUES (1), (2), (3), (4)",
		"SELECT NEXTVAL(s)", "DO SETVAL(s, 100)", "INSERT INTO t (n) VALUES (5)", "ALTER SEQUENCE s RESTART 500", "INSERT INTO t (n) VALUES (6)",
		"RENAME TABLE s TO s2", "ALTER TABLE t ALTER id SET DEFAULT NEXTVAL(s2)", "INSERT INTO t (n) VALUES (7)", "SELECT NEXT VALUE FOR s2", "DROP TABLE t", "DROP SEQUENCE s2",
		"CREATE TABLE t (id INT PRIMARY KEY, n INT)", "INSERT INTO t VALUES (1000, 8)",
	}},
	{name: "mixed sessions", on: func(_ bool, version int) bool { return version >= 50700 }, statements: []string{
		"CREATE TABLE t (id INT PRIMARY KEY, n INT)", "SET SESSION binlog_format = MIXED",
		"CREATE TEMPORARY TABLE tmp (id INT PRIMARY KEY, n INT)", "CREATE TEMPORARY TABLE t2 (id INT, x VARCHAR(10))", "ALTER TABLE tmp ADD COLUMN z INT", "DROP TEMPORARY TABLE t2", "DROP TEMPORARY TABLE tmp",
		"CREATE TABLE t2 (id INT PRIMARY KEY, y INT)", "SET SESSION binlog_format = ROW", "INSERT INTO t2 VALUES (1, 1)", "INSERT INTO t VALUES (2, 2)",
	}},
}
