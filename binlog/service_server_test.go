//go:build servers

package binlog_test

import (
	"testing"

	"daybook/binlog"
)

// TestStatementsOfServices has a service write statements for itself, in whatever form: they stop no task that selects
// everything, and are not in its log.
func TestStatementsOfServices(t *testing.T) {
	for _, version := range []string{"mysql-5.5", "mysql-5.6", "mysql-5.7", "mysql-8.0", "mysql-9", "mariadb-10.5", "mariadb-10.11", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := own(t, version)
			name, db := s.Database(t)
			db.Exec("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(90))", "INSERT INTO t VALUES (1, 'a')", "CREATE DATABASE __recycle_bin__")
			o := options(s, name)
			o.Include, o.SchemaChanges = []string{"*.*"}, binlog.SchemaChangesInstance
			r := open(t, o)
			service := []string{
				"CREATE TABLE IF NOT EXISTS mysql.ha_health_check (id BIGINT NOT NULL DEFAULT 0, type CHAR(1) NOT NULL DEFAULT '', PRIMARY KEY (type)) ENGINE = InnoDB",
				"CREATE TABLE IF NOT EXISTS mysql.rds_sysinfo (name VARCHAR(99) PRIMARY KEY, value VARCHAR(99), t VARCHAR(99)) ENGINE = InnoDB",
				"/* rds internal mark */ insert into mysql.ha_health_check(id, type) values (1615274843, '0') on duplicate key update id = 1615274843",
				"/* rds internal mark */ /* " + name + ".t */ delete from mysql.ha_health_check",
				"DELETE FROM mysql.rds_sysinfo where name = 'innodb_txn_key'",
				"DELETE FROM mysql.rds_sysinfo where name = '" + name + ".t' or t = 't' -- t",
				"INSERT INTO mysql.rds_sysinfo(name, value) values ('innodb_txn_key', 't')",
				"INSERT INTO mysql.rds_sysinfo(name, value) SELECT v, 't' FROM t",
				"UPDATE mysql.rds_sysinfo SET value = (SELECT MAX(v) FROM t)",
				"REPLACE INTO `mysql`.`rds_sysinfo` (name) VALUES ('t')",
				"BEGIN", "SAVEPOINT t", "/*!50000 INSERT INTO mysql.rds_sysinfo(name) values ('x') */", "ROLLBACK TO t", "UPDATE mysql.rds_sysinfo SET t = 't'", "COMMIT",
				"FLUSH TABLES", "ANALYZE TABLE mysql.rds_sysinfo",
				"CREATE TABLE __recycle_bin__.t (id INT)", "INSERT INTO __recycle_bin__.t SELECT id FROM t", "TRUNCATE TABLE __recycle_bin__.t", "DROP TABLE __recycle_bin__.t",
				"TRUNCATE TABLE mysql.rds_sysinfo",
			}
			if s.MariaDB() {
				service = append(service, "SET STATEMENT max_statement_time=60 FOR INSERT INTO mysql.rds_sysinfo(name) values ('"+name+".t')",
					"SET STATEMENT max_statement_time=60 FOR CREATE TABLE mysql.rds_other (t INT)")
			}
			for _, format := range []string{"STATEMENT", "ROW"} {
				db.Exec("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", "SET SESSION binlog_format = "+format)
				db.Exec(service...)
				db.Exec("DROP TABLE mysql.ha_health_check, mysql.rds_sysinfo", "DROP TABLE IF EXISTS mysql.rds_other")
				db.Exec("SET SESSION binlog_format = ROW", "UPDATE t SET v = '"+format+"'")
			}
			equal(t, r.take(2), []string{"update t 1 a 1 STATEMENT", "update t 1 STATEMENT 1 ROW"})
		})
	}
}
