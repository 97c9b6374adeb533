//go:build servers

package binlog_test

import (
	"testing"

	"daybook/change"
	"daybook/e2e/servers"
)

// TestUTF8OfOldMode has tables whose utf8 is utf8mb4, by MariaDB's old_mode, and one of a
// session that has another.
func TestUTF8OfOldMode(t *testing.T) {
	for _, version := range []string{"mariadb-10.11", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			s := own(t, version, "--old-mode=")
			name, db := s.Database(t)
			db.Exec("CREATE TABLE anchor (id INT)")
			r := open(t, options(s, name))
			columns := " (a CHAR(3) CHARACTER SET utf8, b VARCHAR(30) COLLATE utf8_bin, c TEXT, e ENUM('𝄞', 'x') CHARACTER SET utf8) CHARACTER SET utf8"
			other := s.Connect(t, name)
			other.Exec("SET SESSION old_mode = 'UTF8_IS_UTF8MB3', sql_mode = ''")
			db.Exec("CREATE TABLE t"+columns, "INSERT INTO t VALUES ('𝄞', '𝄞', '𝄞', 1)")
			if got, want := r.take(2)[1], "insert t 𝄞 𝄞 𝄞 𝄞"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			other.Exec("CREATE TABLE u"+columns, "INSERT INTO u VALUES ('é', 'é', 'é', 2)")
			for { // its definition is told once more, as the source has it
				c := r.nextChange()
				if c.DDL != nil {
					continue
				}
				if got := describe(c); got != "insert u é é é x" {
					t.Errorf("got %q", got)
				}
				break
			}
		})
	}
}

// TestUTF8OfSQLMode has tables, databases and literals whose utf8 is utf8mb4, by MySQL's
// sql_mode, beside those of sessions in which it is not.
func TestUTF8OfSQLMode(t *testing.T) {
	s := own(t, "mysql-9")
	name, db := s.Database(t)
	second, _ := s.Database(t)
	o := options(s, name)
	o.Include = append(o.Include, second+".*")
	r := open(t, o)
	later, former := s.Connect(t, name), s.Connect(t, name)
	later.Exec("SET sql_mode = 'INTERPRET_UTF8_AS_UTF8MB4'")
	former.Exec("SET sql_mode = ''")
	columns := " (a CHAR(3) CHARACTER SET utf8, b VARCHAR(30) COLLATE utf8_bin, c TEXT, e ENUM(X'F09D849E', 'x') CHARACTER SET utf8, f NCHAR(3)) CHARACTER SET utf8"
	later.Exec("CREATE TABLE t"+columns, "ALTER TABLE t ADD g TEXT, ADD h VARCHAR(9) DEFAULT _utf8'𝄞'", "INSERT INTO t VALUES ('𝄞', '𝄞', '𝄞', 1, 'é', '𝄞', DEFAULT)")
	former.Exec("ALTER TABLE t ADD i CHAR(2) CHARACTER SET utf8")
	later.Exec("INSERT INTO t VALUES ('𝄞', '𝄞', '𝄞', 1, 'é', '𝄞', DEFAULT, 'é')", "ALTER TABLE t CONVERT TO CHARACTER SET utf8", "INSERT INTO t VALUES ('𝄞', '𝄞', '𝄞', 1, '𝄞', '𝄞', DEFAULT, '𝄞')")
	for _, c := range []*servers.Conn{later, former} {
		c.Exec("ALTER DATABASE "+second+" CHARACTER SET utf8", "DROP TABLE IF EXISTS "+second+".d", "CREATE TABLE "+second+".d (a TEXT)", "INSERT INTO "+second+".d VALUES ('é')")
	}
	db.Exec("DROP TABLE t")
	var got []string
	for {
		c := r.nextChange()
		if c.DDL == nil {
			got = append(got, describe(c))
			continue
		}
		for _, d := range c.DDL.Tables {
			if d.Name == "d" && d.Table != nil {
				got = append(got, d.Table.Columns[0].Charset)
			}
			if d.Name == "t" && d.Type == change.Altered {
				got = append(got, "default "+*d.Table.Columns[6].Default)
			}
			if d.Name == "t" && d.Type == change.Dropped {
				equal(t, got, []string{"default 𝄞", "insert t 𝄞 𝄞 𝄞 𝄞 é 𝄞 𝄞", "default 𝄞", "insert t 𝄞 𝄞 𝄞 𝄞 é 𝄞 𝄞 é",
					"default 𝄞", "insert t 𝄞 𝄞 𝄞 𝄞 𝄞 𝄞 𝄞 𝄞", "utf8mb4", "insert d é", "utf8mb3", "insert d é"})
				return
			}
		}
	}
}
