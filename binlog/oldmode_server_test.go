//go:build servers

package binlog_test

import (
	"testing"
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
