//go:build servers

package binlog_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/binlog"
	"daybook/change"
	"daybook/e2e/servers"
)

// check compares the definitions, and returns what was found and the schema
// changes that came meanwhile.
func (r *reading) check(o binlog.CheckOptions) (*binlog.Check, []change.TableChange) {
	r.t.Helper()
	asked, err := r.Check(o)
	if err != nil {
		r.t.Fatal(err)
	}
	var told []change.TableChange
	r.checked = nil
	for late := time.After(60 * time.Second); r.checked == nil; {
		c, err := r.Poll()
		switch {
		case err != nil:
			r.t.Fatal(err)
		case c != nil && c.Op == change.Schema:
			told = append(told, c.DDL.Tables...)
			continue
		case c != nil:
			continue
		}
		if r.save(); r.checked != nil {
			break
		}
		select {
		case <-r.Ready():
		case <-late:
			r.t.Fatal("the check did not end within 60 s")
		}
	}
	if r.checked.Err != nil || !r.checked.Asked.Equal(asked) {
		r.t.Fatalf("check asked for at %s: %+v", asked, r.checked)
	}
	return r.checked, told
}

func differing(c *binlog.Check) []string {
	var names []string
	for _, d := range c.Differ {
		_, name, _ := strings.Cut(d.Table, ".")
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// TestCheckFindsWhatIsBehindTheBinlog changes tables in each way, of which no row
// tells: the check finds each and no other, and by command adopts it. Then rows are right.
func TestCheckFindsWhatIsBehindTheBinlog(t *testing.T) {
	t.Parallel()
	eachBehind(t, func(t *testing.T, s *servers.Server, _, _ bool) {
		name, db := s.Database(t)
		r := open(t, options(s, name))
		db.Exec("CREATE TABLE same"+behindTable, "CREATE TABLE gone (id INT)", "CREATE TABLE moved (id INT, a INT)")
		want := []string{"gone", "made"}
		for _, w := range behindWays {
			table := "t_" + w.name
			db.Exec("CREATE TABLE " + table + behindTable)
			want = append(want, table)
		}
		slices.Sort(want)
		r.take(3 + len(behindWays))
		if c, told := r.check(binlog.CheckOptions{}); len(c.Differ) > 0 || c.Same != 3+len(behindWays) || c.Undecided > 0 || len(told) > 0 {
			t.Fatalf("before anything was changed: %+v", c)
		}
		for _, w := range behindWays {
			unlogged(db, "t_"+w.name, w.ddl)
		}
		unlogged(db, "", "DROP TABLE gone; CREATE TABLE made (id INT PRIMARY KEY)")
		c, told := r.check(binlog.CheckOptions{})
		if equal(t, differing(c), want); len(told) > 0 || c.Same != 2 {
			t.Errorf("it found %+v and told of %d changes", c, len(told))
		}
		c, told = r.check(binlog.CheckOptions{Tables: []string{name + ".t_sign", name + ".same"}, Adopt: true})
		if got := fmt.Sprint(differing(c), len(told), c.Differ[0].What, c.Same); got != "[t_sign] 1 [column a is INT, at the source INT UNSIGNED] 1" {
			t.Errorf("of two tables: %s", got)
		}
		c, told = r.check(binlog.CheckOptions{Adopt: true})
		want = slices.DeleteFunc(want, func(s string) bool { return s == "t_sign" })
		if equal(t, differing(c), want); len(told) != len(want) {
			t.Errorf("it told of %v", told)
		}
		for _, d := range told {
			if as := map[string]change.TableChangeType{"gone": change.Dropped, "made": change.Created}[d.Name]; as != 0 && d.Type != as {
				t.Errorf("%s is told as %d", d.Name, d.Type)
			}
		}
		r.reopen(r.last)
		for _, w := range behindWays {
			db.Exec("INSERT INTO t_" + w.name + " " + w.insert)
			if got := r.next(); got != "insert t_"+w.name+" "+w.want {
				t.Errorf("%s: got %s, want %s", w.name, got, w.want)
			}
		}
		if c, _ := r.check(binlog.CheckOptions{}); len(c.Differ) > 0 {
			t.Errorf("after all was adopted: %+v", c)
		}
	})
}

// TestCheckOfLabelsThatAreNotShown: servers show a question mark for a character of a label that is outside the BMP,
// and other letters for one that is not of its character set. That is no difference.
func TestCheckOfLabelsThatAreNotShown(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"mysql-5.7", "mysql-8.0", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			s := servers.Get(t, version)
			name, db := s.Database(t)
			r := open(t, options(s, name))
			tables := 0
			for _, charset := range []string{"utf8mb4", "utf16", "utf16le", "utf32"} {
				tables++
				db.Exec(fmt.Sprintf("CREATE TABLE t%d (id INT PRIMARY KEY, e ENUM('🙂','x') CHARACTER SET %s, s SET('a','b🙂c🙂') CHARACTER SET %[2]s)", tables, charset))
			}
			for set, code := range map[string]string{"big5": "F9FE", "gbk": "FE9F", "gb2312": "A8C0", "sjis": "FC4B", "ujis": "ADFC"} { // which the servers' tables lack
				tables++
				db.Exec(fmt.Sprintf("CREATE TABLE t%d (id INT PRIMARY KEY, e ENUM(0x%s, 'x') CHARACTER SET %s)", tables, code, set))
			}
			db.Exec("CREATE TABLE l (id INT PRIMARY KEY, e ENUM('é') CHARACTER SET latin1)", "ALTER TABLE l CONVERT TO CHARACTER SET utf8mb4")
			r.take(tables + 2)
			if c, _ := r.check(binlog.CheckOptions{}); len(c.Differ) > 0 || c.Same != tables+1 {
				t.Errorf("%+v", c)
			}
			unlogged(db, "t1", "ALTER TABLE t1 MODIFY e ENUM('🙂','y') CHARACTER SET utf8mb4")
			if c, _ := r.check(binlog.CheckOptions{}); len(c.Differ) != 1 || !strings.HasSuffix(c.Differ[0].Table, ".t1") {
				t.Errorf("a label was changed: %+v", c)
			}
		})
	}
}

// TestAdoptedDefinitionKeepsLabels adopts definitions of which labels cannot be shown, with another difference
// beside: by command, and since rows do not fit. The labels in rows are what the source has.
func TestAdoptedDefinitionKeepsLabels(t *testing.T) {
	t.Parallel()
	ways := []struct{ ddl, labels string }{
		{"ADD a INT", "'🙂','x','👍'"},
		{"MODIFY e ENUM('🙂','x','👍','y') COLLATE utf8mb4_bin", "'🙂','x','👍','y'"},
		{"CHANGE e f ENUM('🙂','x','👍') COLLATE utf8mb4_bin, MODIFY id BIGINT", "'🙂','x','👍'"},
		{"MODIFY e ENUM('x','🙂','👍') COLLATE utf16_bin", "'x','🙂','👍'"},
		{"MODIFY e ENUM('?','x','y') CHARACTER SET utf8", "'?','x','y'"},
	}
	for _, version := range []string{"mysql-5.7", "mysql-8.0", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			s := servers.Get(t, version)
			name, db := s.Database(t)
			r := open(t, options(s, name))
			for i, w := range ways {
				for as, more := range map[string]string{"by_command": "", "by_rows": ", ADD z INT"} {
					db.Exec(fmt.Sprintf("CREATE TABLE %s_%d (id INT PRIMARY KEY, e ENUM('🙂','x','👍') COLLATE utf8mb4_bin)", as, i))
					r.take(1)
					unlogged(db, fmt.Sprintf("%s_%d", as, i), "ALTER TABLE T "+w.ddl+more)
				}
			}
			read := func(as string) {
				t.Helper()
				for i, w := range ways {
					for n, label := range strings.Split(w.labels, ",") {
						db.Exec(fmt.Sprintf("INSERT INTO %s_%d SET id = %d, %s = %d", as, i, n, map[bool]string{true: "f", false: "e"}[strings.HasPrefix(w.ddl, "CHANGE")], n+1))
						c := r.nextChange()
						for c.DDL != nil {
							c = r.nextChange()
						}
						if !strings.Contains(describe(c)+" ", " "+strings.Trim(label, "'")+" ") {
							t.Errorf("%s: %s: label %s is told as %s", w.ddl, as, label, describe(c))
						}
					}
				}
			}
			read("by_rows")
			if c, _ := r.check(binlog.CheckOptions{Adopt: true}); len(c.Differ) != len(ways) {
				t.Errorf("%+v", c)
			}
			read("by_command")
			if c, _ := r.check(binlog.CheckOptions{}); len(c.Differ) > 0 {
				t.Errorf("after all was adopted: %+v", c)
			}
		})
	}
}

// TestCheckWhileTablesChange compares while DDL is logged, and the binlog goes
// from file to file: nothing differs.
func TestCheckWhileTablesChange(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"mysql-5.7", "mysql-8.0", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			s := servers.Get(t, version)
			name, db := s.Database(t)
			for i := range 20 {
				db.Exec(fmt.Sprintf("CREATE TABLE t%d (id INT PRIMARY KEY)", i))
			}
			r := open(t, options(s, name))
			stop, stopped := make(chan struct{}), make(chan struct{})
			other, flush := s.Connect(t, name), []string{"DO 0", "FLUSH LOGS"}
			go func() {
				defer close(stopped)
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
					}
					table := fmt.Sprintf("t%d", i%20)
					for _, sql := range []string{"ALTER TABLE " + table + fmt.Sprintf(" ADD COLUMN c%d INT", i), "INSERT INTO " + table + fmt.Sprintf(" (id) VALUES (%d)", i), flush[i%20/19]} {
						if err := other.Try(sql); err != nil {
							t.Errorf("%s: %v", sql, err)
							return
						}
					}
				}
			}()
			for range 2 {
				if c, _ := r.check(binlog.CheckOptions{}); len(c.Differ) > 0 {
					t.Errorf("it found %+v", c.Differ)
				}
			}
			close(stop)
			<-stopped
			if c, _ := r.check(binlog.CheckOptions{}); len(c.Differ) > 0 || c.Same != 20 {
				t.Errorf("it found %+v", c)
			}
		})
	}
}

// TestCheckWaits is asked for twice and more: one may wait.
func TestCheckWaits(t *testing.T) {
	s := servers.Get(t, "mysql-8.0")
	name, _ := s.Database(t)
	r := open(t, options(s, name))
	if _, err := r.Check(binlog.CheckOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Check(binlog.CheckOptions{}); !errors.Is(err, binlog.ErrChecking) {
		t.Errorf("error %v", err)
	}
}
