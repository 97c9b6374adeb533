//go:build servers

package binlog_test

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"daybook/binlog"
	"daybook/binlog/charset"
	"daybook/change"
	"daybook/e2e/servers"
)

// labelSets are labels, by the character set of their column.
var labelSets = []struct{ set, labels string }{
	{"utf8mb4", "'語','ä','b'"}, {"utf8mb4", "'😀','x','é'"}, {"utf8mb4", "'語文','語','Ж','zß'"}, {"latin1", "'ä','€','b'"}, {"sjis", "'〜','ｱ','語','b'"}, {"gbk", "'語','x'"},
	{"cp1251", "'Ж','b'"}, {"ucs2", "'語','ä','b'"}, {"utf16", "'😀','ä'"}, {"utf32", "'語','x'"}, {"ascii", "'a','b'"}, {"binary", "'ä','b'"}, {"koi8r", "'Ж','x y'"}, {"swe7", "'Å','x'"},
}

// TestLabelsAfterConversion converts tables into character sets that may lack
// characters of their labels, which servers garble then. Rows must be what the
// server says they are. (MySQL before 8.0 does not even keep the bytes of labels in
// ucs2, utf16 and utf32.)
func TestLabelsAfterConversion(t *testing.T) {
	t.Parallel()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for _, version := range []string{"mysql-5.5", "mysql-5.7", "mysql-8.0", "mysql-8.0 FULL", "mysql-9", "mysql-9 FULL", "mariadb-10.5", "mariadb-10.11", "mariadb-10.11 FULL", "mariadb-11.8", "mariadb-11.8 FULL"} {
		t.Run(version, func(t *testing.T) {
			s := get(t, version)
			name, db := s.Database(t)
			o := options(s, name)
			o.SchemaChanges = binlog.SchemaChangesNone
			r := open(t, o)
			done := 0
			for n := range 120 {
				from := labelSets[random.IntN(len(labelSets))]
				to := []string{"latin1", "utf8mb4", "utf8", "ascii", "sjis", "gbk", "binary", "cp1251", "swe7", "ucs2", "utf32"}[random.IntN(11)]
				if wide := "ucs2 utf16 utf32"; strings.HasPrefix(version, "mysql-5") && (strings.Contains(wide, to) || strings.Contains(wide, from.set)) {
					continue
				}
				convert := []string{"CONVERT TO CHARACTER SET " + to, "MODIFY e ENUM(" + from.labels + ") CHARACTER SET " + to + ", MODIFY s SET(" + from.labels + ") CHARACTER SET " + to}[random.IntN(2)]
				db.Exec("SET sql_mode = '" + []string{"", "STRICT_ALL_TABLES"}[random.IntN(2)] + "'")
				if convertLabels(t, r, db, fmt.Sprintf("t%d", n), from.set, from.labels, convert) {
					done++
				}
			}
			for i, c := range [][4]string{{"utf8mb4", "'ä','b'", "latin1", "utf8mb4"}, {"latin1", "'ä','b'", "utf8mb4", "latin1"}, {"cp1251", "'Ж','b'", "latin1", "koi8r"}} {
				convertLabels(t, r, db, fmt.Sprintf("u%d", i), c[0], c[1], "CONVERT TO CHARACTER SET "+c[2], "CONVERT TO CHARACTER SET "+c[3])
			}
			if done < 60 {
				t.Errorf("the server took only %d conversions", done)
			}
		})
	}
}

// row waits for the next change, or the reader's error.
func (r *reading) row() (*change.Change, error) {
	r.t.Helper()
	late := time.After(30 * time.Second)
	for {
		if c, err := r.Poll(); c != nil || err != nil {
			return c, err
		}
		select {
		case <-r.Ready():
		case <-late:
			r.t.Fatal("no change within 30 s")
		}
	}
}

// anew has the reader begin anew, now.
func (r *reading) anew() {
	r.t.Helper()
	r.schema = map[string][]byte{}
	r.reopen(nil)
}

// convertLabels converts a table with labels and compares its rows with what the
// server says of them; false: the server refuses.
func convertLabels(t *testing.T, r *reading, db *servers.Conn, table, set, labels string, converts ...string) bool {
	t.Helper()
	count, first := strings.Count(labels, ",")+1, ""
	if db.Try(fmt.Sprintf("CREATE TABLE %s (id INT PRIMARY KEY, e ENUM(%s), s SET(%s), v VARCHAR(9)) CHARACTER SET %s", table, labels, labels, set)) != nil {
		return false
	}
	for _, convert := range converts {
		if db.Try("ALTER TABLE "+table+" "+convert) != nil {
			return false
		}
	}
	for i := range count {
		db.Exec(fmt.Sprintf("INSERT INTO %s VALUES (%d, %d, %d, NULL)", table, i, i+1, 1<<i|1))
	}
	db.Exec("FLUSH TABLES")
	what := set + " " + labels + " " + strings.Join(converts, ", ")
	for i := range count {
		server := db.Query(fmt.Sprintf("SELECT HEX(CONVERT(e USING utf8mb4)), HEX(e), HEX(s), CHARSET(e) FROM %s WHERE id = %d", table, i))[0]
		c, err := r.row()
		if err != nil {
			t.Errorf("%s: %v", what, err)
			r.anew()
			return true
		}
		got, set := string(c.After[1].Bytes), string(c.After[2].Bytes)
		if i == 0 {
			first = got
		}
		decoded, _ := hex.DecodeString(server[0])
		raw, _ := hex.DecodeString(server[1])
		want := string(decoded)
		switch cs, ok := charset.ByName(server[3]); {
		case !ok: // binary
			want = strings.ToValidUTF8(string(raw), "\ufffd")
		case want == "" || strings.Contains(want, "?") || strings.Contains(got, "\ufffd") || !utf8.ValidString(want): // what is no character there, of which servers say this or that
			want = cs.String(string(raw))
		}
		if wantSet := first + "," + got; got != want || set != got && set != wantSet {
			t.Errorf("%s: row %d: got %q and %q, want %q; the server has %s", what, i, got, set, want, server)
		}
	}
	db.Exec("DROP TABLE " + table)
	return true
}
