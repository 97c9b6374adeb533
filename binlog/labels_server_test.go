//go:build servers

package binlog_test

import (
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"daybook/e2e/servers"
)

// TestLabelsInTheirCharset has labels that their column's character set lacks, or that
// came to be in another one: each must be what the source itself says it is.
func TestLabelsInTheirCharset(t *testing.T) {
	fn := func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		db.Exec("SET SESSION sql_mode = ''", "CREATE TABLE anchor (id INT PRIMARY KEY)")
		r := open(t, options(s, name))
		sets := []string{"latin1", "utf8", "utf8mb4", "sjis", "cp932", "ujis", "gbk", "big5", "euckr", "ucs2", "utf16", "cp1251", "koi8r", "greek", "latin2", "ascii", "tis620", "armscii8", "filename"}
		n := 0
		check := func() {
			t.Helper()
			db.Exec(fmt.Sprintf("INSERT INTO t%d VALUES (1, 1, 1), (2, 2, 2), (3, 3, 4)", n))
			want := db.Query(fmt.Sprintf("SELECT CONCAT('insert t%d ', id, ' ', CONVERT(e USING utf8mb4), ' ', CONVERT(s USING utf8mb4)) FROM t%d WHERE id <= 3", n, n))
			for _, w := range want {
				c := r.nextChange()
				for c.DDL != nil {
					c = r.nextChange()
				}
				if got := describe(c); got != w[0] {
					t.Errorf("%s: got %q, want %q", db.Query(fmt.Sprintf("SHOW CREATE TABLE t%d", n))[0][1], got, w[0])
				}
			}
		}
		for _, set := range sets {
			if wide := set == "ucs2" || set == "utf16"; wide && !s.MariaDB() && strings.HasPrefix(s.Name, "mysql-5") {
				continue // the server cuts labels at a byte of zero, or worse
			}
			if set == "filename" && !s.MariaDB() && !strings.HasPrefix(s.Name, "mysql-5.6") {
				continue // a server that knows no such columns
			}
			n++
			labels := "('é漢', 'Жα', 'ß한𝄞') CHARACTER SET " + set
			db.Exec(fmt.Sprintf("CREATE TABLE t%d (id INT, e ENUM %s, s SET %s)", n, labels, labels))
			check()
		}
		for _, connection := range []string{"latin1_swedish_ci", "cp1251_bin", "utf16_bin", "koi8r_bin", "sjis_bin"} {
			n++ // literals are converted to it first
			c := s.Connect(t, name)
			c.Exec("SET SESSION sql_mode = ''", "SET collation_connection = "+connection)
			labels := "('é', 'жα', 'x') CHARACTER SET utf8mb4"
			c.Exec(fmt.Sprintf("CREATE TABLE t%d (id INT, e ENUM %s, s SET %s)", n, labels, labels))
			check()
		}
		for _, connection := range []string{"latin1_swedish_ci", "cp1251_bin", "utf8mb4_bin", "sjis_bin", "ucs2_bin"} {
			if connection == "ucs2_bin" && strings.HasPrefix(s.Name, "mysql-5") {
				continue // the server cuts labels at a byte of zero
			}
			n++ // with the character set binary they are its bytes
			c := s.Connect(t, name)
			c.Exec("SET SESSION sql_mode = ''", "SET collation_connection = "+connection)
			labels := "('é', 'жα', 'x') CHARACTER SET binary"
			if c.Try(fmt.Sprintf("CREATE TABLE t%d (id INT, e ENUM %s DEFAULT 'x', s SET %s)", n, labels, labels)) != nil {
				continue
			}
			db.Exec(fmt.Sprintf("INSERT INTO t%d VALUES (1, 1, 1), (2, 2, 2), (3, 3, 4)", n))
			for _, row := range db.Query(fmt.Sprintf("SELECT id, HEX(e), HEX(s) FROM t%d", n)) {
				c := r.nextChange()
				for c.DDL != nil {
					c = r.nextChange()
				}
				e, _ := hex.DecodeString(row[1])
				set, _ := hex.DecodeString(row[2])
				want := fmt.Sprintf("insert t%d %s %s %s", n, row[0], strings.ToValidUTF8(string(e), "\ufffd"), strings.ToValidUTF8(string(set), "\ufffd"))
				if got := describe(c); got != want {
					t.Errorf("%s: got %q, want %q", connection, got, want)
				}
			}
		}
		for _, from := range []string{"utf8mb4", "sjis"} {
			for _, to := range []string{"latin1", "utf8", "gbk", "cp1251", "armscii8"} {
				labels := "('Яя', 'ж', 'x') CHARACTER SET " + from
				n++
				db.Exec(fmt.Sprintf("CREATE TABLE t%d (id INT, e ENUM %s, s SET %s)", n, labels, labels))
				if db.Try(fmt.Sprintf("ALTER TABLE t%d CONVERT TO CHARACTER SET %s", n, to)) != nil {
					continue // the data dictionary of MySQL 8 does not take bytes that are no text
				}
				if db.Query(fmt.Sprintf("SELECT CONVERT(MAX(COLUMN_TYPE) USING utf8mb4) LIKE '%%?%%' OR MAX(COLUMN_TYPE) LIKE '%%e__''%%' FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 't%d'", n))[0][0] != "1" {
					check() // else some bytes are no text there
				}
			}
		}
	}
	servers.Each(t, fn)
	for _, version := range []string{"mysql-9", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) { fn(t, servers.Get(t, version)) })
	}
}

// TestQuestionMarksInLabels converts a table in whose labels clients wrote question marks, or letters that servers
// keep as such, with another DDL behind it: nothing is to be looked up.
func TestQuestionMarksInLabels(t *testing.T) {
	fn := func(t *testing.T, s *servers.Server) {
		name, db := s.Database(t)
		r := open(t, options(s, name))
		db.Exec("SET SESSION sql_mode = ''", "CREATE TABLE t (id INT, e ENUM('?', 'bé') CHARACTER SET koi8r)", "ALTER TABLE t CONVERT TO CHARACTER SET cp1251", "INSERT INTO t VALUES (1, 1), (2, 2)", "ALTER TABLE t COMMENT 'x'")
		var got []string
		for len(got) < 2 {
			if c := r.nextChange(); c.DDL == nil {
				got = append(got, describe(c))
			}
		}
		equal(t, got, []string{"insert t 1 ?", "insert t 2 b?"})
		equal(t, []string{fmt.Sprint(db.Query("SELECT HEX(e) FROM t ORDER BY id"))}, []string{"[[3F] [623F]]"})
	}
	servers.Each(t, fn)
	for _, version := range []string{"mysql-5.5", "mysql-9", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) { fn(t, servers.Get(t, version)) })
	}
}
