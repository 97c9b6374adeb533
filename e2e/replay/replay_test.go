//go:build servers

// Package replay runs statements on real servers, follows them in the binlog,
// replays the changes into a model that knows nothing but rows by key, and
// compares what the model then holds with SELECT.
//
// The statements are in scripts_test.go: add one there for whatever a server
// may do to a table. The settings of settings_test.go are those of the servers' own
// lists of variables.
package replay

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"daybook/change"
	"daybook/e2e/rowtext"
	"daybook/e2e/servers"
	"daybook/format"
)

var seedFlag = flag.Uint64("seed", 0, "seed of where the reader is reopened; 0: a random one")

// TestReplay runs every script on every server, and again with the settings
// of a session that change what the binlog looks like.
func TestReplay(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) { replayAll(t, s, sessions(t, s)) })
}

// TestReplayFullMetadata does so where the table maps tell all there is to
// tell, and where names are kept in lower case.
func TestReplayFullMetadata(t *testing.T) {
	for _, version := range []string{"mysql-8.0", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			s := servers.Start(t, version, "--binlog-row-metadata=FULL", "--lower-case-table-names=1")
			replayAll(t, s, map[string][]string{"": nil})
		})
	}
}

// TestReplayPartialImages runs the scripts with columns left out of the rows, on
// the servers that are not shared.
func TestReplayPartialImages(t *testing.T) {
	for _, version := range []string{"mysql-9", "mariadb-10.5", "mariadb-11.8"} {
		t.Run(version, func(t *testing.T) {
			s := servers.Start(t, version)
			all := sessions(t, s)
			replayAll(t, s, map[string][]string{"minimal": all["minimal"], "noblob": all["noblob"]})
		})
	}
}

// sessions are settings of a session, by name.
func sessions(t *testing.T, s *servers.Server) map[string][]string {
	all := map[string][]string{"": nil}
	if version(t, s) >= 50600 {
		all["minimal"] = []string{"SET SESSION binlog_row_image = MINIMAL"}
		all["noblob"] = []string{"SET SESSION binlog_row_image = NOBLOB"}
	}
	if !s.MariaDB() && version(t, s) >= 80022 {
		all["compressed"] = []string{"SET SESSION binlog_transaction_compression = ON", "SET SESSION binlog_row_value_options = PARTIAL_JSON"}
	}
	return all
}

// version is 80031 for 8.0.31.
func version(t *testing.T, s *servers.Server) int {
	var major, minor, patch int
	v := s.Connect(t, "").Query("SELECT VERSION()")[0][0]
	if n, err := fmt.Sscanf(v, "%d.%d.%d", &major, &minor, &patch); n != 3 {
		t.Fatalf("version %q: %v", v, err)
	}
	return major*10000 + minor*100 + patch
}

func replayAll(t *testing.T, s *servers.Server, sessions map[string][]string) {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d", seed)
	version := version(t, s)
	for _, name := range slices.Sorted(maps.Keys(sessions)) {
		for _, script := range slices.Concat(scripts, serverScripts, nameScripts) {
			if script.on != nil && !script.on(s.MariaDB(), version) || script.movesKeys && (name == "minimal" || name == "noblob") {
				continue
			}
			t.Run(strings.Trim(script.name+"/"+name, "/"), func(t *testing.T) {
				switch {
				case !s.MariaDB() && version >= 90000:
					script.unlogged = nil
				case s.MariaDB() && version >= 110800 && script.name == "generated columns":
					script.unlogged = []string{"t"} // left out of updates
				}
				replay(t, s, script, sessions[name], rand.New(rand.NewPCG(seed, 0)))
			})
		}
	}
}

// replay runs one script in a database of its own.
func replay(t *testing.T, s *servers.Server, script script, session []string, random *rand.Rand) {
	name, db := s.Database(t)
	fold := db.Query("SELECT @@lower_case_table_names")[0][0] == "1"
	file := filepath.Join(os.TempDir(), name+".txt")
	t.Cleanup(func() { _ = os.Remove(file) }) // few scripts write it
	pattern := name + ".*"
	if fold {
		pattern = strings.ToUpper(pattern)
	}
	follow := &modelFollower{follower: open(t, s, pattern), defs: map[string]*change.Table{}}
	conns := map[string]*servers.Conn{"": db}
	for _, sql := range append(slices.Clone(session), script.statements...) {
		who := ""
		if rest, ok := strings.CutPrefix(sql, "other: "); ok {
			if who, sql = "other", rest; conns[who] == nil {
				conns[who] = s.Connect(t, name)
				conns[who].Exec(session...)
			}
		}
		sql = strings.NewReplacer("{db}", name, "{file}", file).Replace(sql)
		if rest, ok := strings.CutPrefix(sql, "fails: "); ok {
			if conns[who].Try(rest) == nil {
				t.Fatalf("should fail: %s", rest)
			}
			continue
		}
		conns[who].Exec(sql)
	}
	db.Exec("CREATE TABLE the_end (id INT PRIMARY KEY)", "INSERT INTO the_end VALUES (1)")

	follow.model = newModel(name, fold)
	encoder := format.NewDebezium(format.DebeziumOptions{Name: "replay"})
	for done := false; !done; {
		c := follow.next()
		if err := follow.follow(c); err != nil {
			t.Fatal(err)
		}
		if err := encoder.Encode(c, &validator{t: t}); err != nil {
			t.Fatal(err)
		}
		done = c.Op != change.Schema && c.Table.Name == "the_end"
		if random.IntN(40) == 0 {
			follow.reopen()
		}
	}
	compare(t, db, follow.model, follow.defs, script.unlogged)
}

// validator checks that records are JSON. It implements format.Records.
type validator struct {
	t   *testing.T
	key []byte
}

func (v *validator) Begin(key []byte, _ int) []byte {
	v.key = key
	return []byte{}
}

func (v *validator) End(value []byte) {
	if v.key != nil && !json.Valid(v.key) || value != nil && !json.Valid(value) {
		v.t.Errorf("no JSON: %s %s", v.key, value)
	}
}

// compare compares the model with what the tables hold. The tables in unlogged
// are those of which the server does not log all: there must be a difference.
func compare(t *testing.T, db *servers.Conn, m *model, defs map[string]*change.Table, unlogged []string) {
	t.Helper()
	cells := 0
	there := map[string]bool{}
	for _, r := range db.Query("SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()") {
		if r[1] == "VIEW" || r[1] == "SEQUENCE" {
			continue
		}
		name := m.key(r[0])
		there[name] = true
		def := defs[name]
		if def == nil {
			t.Errorf("nothing told of table %s", name)
			continue
		}
		from := "`" + r[0] + "`"
		if r[1] == "SYSTEM VERSIONED" {
			from += " FOR SYSTEM_TIME ALL"
		}
		want := selected(db, from, def)
		got := map[string][]row{}
		if m.tables[name] != nil {
			got = m.tables[name].rows
		}
		n, problems := difference(def, got, want)
		cells += n
		switch {
		case slices.Contains(unlogged, r[0]) && len(problems) == 0:
			t.Errorf("the server logs all changes of %s now", name)
		case !slices.Contains(unlogged, r[0]) && len(problems) > 0:
			t.Errorf("table %s:\n  %s", name, strings.Join(problems, "\n  "))
		}
	}
	for name, table := range m.tables {
		if !there[name] && len(table.rows) > 0 {
			t.Errorf("table %s is not there, but the log left %d rows in it", name, len(table.rows))
		}
	}
	if cells < 1 {
		t.Error("no value was compared")
	}
}

// selected reads a table by the definition that the log told last.
func selected(db *servers.Conn, from string, def *change.Table) []row {
	db.Exec("SET time_zone = '+00:00'")
	list := db.Query(rowtext.Query(def, from))
	rowtext.Selected(def, list)
	rows := make([]row, len(list))
	for i, values := range list {
		rows[i] = row{def, values}
	}
	return rows
}

// difference compares rows; cells is how many values were the same.
func difference(def *change.Table, got map[string][]row, want []row) (cells int, problems []string) {
	left := map[string][]row{}
	for k, v := range got {
		left[k] = slices.Clone(v)
	}
	for _, w := range want {
		key := w.key(def)
		if len(def.Key()) == 0 {
			key = (&table{rows: left}).keyless(w)
		}
		have := left[key]
		if len(have) == 0 {
			problems = append(problems, fmt.Sprintf("row %q is not in the log", w.values))
			continue
		}
		r := have[0]
		if left[key] = have[1:]; len(have) == 1 {
			delete(left, key)
		}
		for i := range def.Columns {
			v, ok := r.comparable(&def.Columns[i])
			if !ok {
				continue
			}
			cells++
			if v != w.values[i] {
				problems = append(problems, fmt.Sprintf("row %q: %s is %q in the log", w.values, def.Columns[i].Name, v))
			}
		}
	}
	for key := range left {
		problems = append(problems, fmt.Sprintf("row %q of the log is not there", key))
	}
	return cells, problems
}
