//go:build servers

package replay

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/change"
	"daybook/e2e/servers"
	"daybook/task"
)

// TestSettings sets global variables of a server, some at a time, to unusual
// values, and has a task start, read rows and statements of sessions that inherit
// them, connect anew, and compare its definitions: all is right, or an error names
// the variable. TestSoakSettings sets each alone.
func TestSettings(t *testing.T) {
	for _, version := range []string{"mysql-5.7", "mysql-8.0", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel() // they mostly wait
			seed := *seedFlag
			if seed == 0 {
				seed = 7 // another may meet what is for a developer to see, and not for every run
			}
			s := newSettings(t, version, seed)
			for _, name := range slices.Sorted(maps.Keys(stopsAll)) {
				s.alone(t, name, 1)
			}
			s.together(t, 8, 8)
		})
	}
}

// settings is a server whose global variables are set.
type settings struct {
	*rand.Rand
	server   *servers.Server
	control  *link // older than every setting
	all      []*variable
	lists    *valueLists
	database int
	set      int // settings that the server took
	told     int // of which an error told
	values   int // rows that were compared
	refused  map[string]int
}

// assignment is a variable and a value that it has not.
type assignment struct {
	*variable
	to string // a literal
}

func newSettings(t *testing.T, version string, seed uint64) *settings {
	t.Helper()
	t.Logf("go test -tags servers,soak -run '%s' ./e2e/replay -seed %d", t.Name(), seed)
	s := &settings{Rand: rand.New(rand.NewPCG(seed, 11)), server: servers.Start(t, version), refused: map[string]int{}}
	s.connect(t)
	var readOnly int
	s.all, readOnly = variables(t, s.control, s.server.MariaDB())
	s.lists = listsOf(t, s.control)
	inherited := 0
	for _, v := range s.all {
		if v.session {
			inherited++
		}
	}
	t.Logf("%d variables can be set, sessions inherit %d of them; %d cannot be", len(s.all), inherited, readOnly)
	if inherited < 90 {
		t.Errorf("the server lists %d variables that sessions inherit", inherited)
	}
	t.Cleanup(func() {
		t.Logf("%d settings, of %d of which an error told; %d rows compared; statements that failed under them: %v", s.set, s.told, s.values, s.refused)
	})
	return s
}

// connect opens the control connection, on a server whose variables are its own.
func (s *settings) connect(t *testing.T) {
	t.Helper()
	l, err := dial(s.server, "")
	if err != nil {
		t.Fatal(err)
	}
	s.control = l
	for _, sql := range []string{"SET NAMES utf8mb4", "SET sql_mode = ''", "SET lock_wait_timeout = 5", "SET wait_timeout = 28800"} {
		if err := l.exec(sql); err != nil {
			t.Fatal(err)
		}
	}
}

// alone sets one variable to each of its values in turn, of which it draws so many
// if there are more.
func (s *settings) alone(t *testing.T, name string, most int) {
	for _, v := range s.all {
		if v.name != name || leftOutReason(name) != "" {
			continue
		}
		values := v.candidates(s.lists)
		s.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
		was, tried := "", 0
		for _, to := range values {
			now := s.trySet(v, to)
			s.restore(t, v)
			if now == "" || now == was {
				continue
			}
			was = now
			t.Run(v.name+now, func(t *testing.T) { s.run(t, []assignment{{v, to}}, false) })
			if tried++; tried == most {
				break
			}
		}
		if tried == 0 {
			s.refused["SET GLOBAL "+name]++
		}
	}
}

// together sets n variables at a time, so often.
func (s *settings) together(t *testing.T, n, times int) {
	for i := range times {
		var set []assignment
		for len(set) < n {
			v := s.all[s.IntN(len(s.all))]
			values := v.candidates(s.lists)
			if stopsAll[v.name] != "" || leftOutReason(v.name) != "" || slices.ContainsFunc(set, func(a assignment) bool { return a.variable == v }) {
				continue
			}
			to := values[s.IntN(len(values))]
			taken := s.trySet(v, to) != ""
			s.restore(t, v)
			if !taken {
				continue
			}
			set = append(set, assignment{v, to})
		}
		t.Run(fmt.Sprintf("together-%d", i), func(t *testing.T) { s.run(t, set, i%2 == 0) })
	}
}

// trySet sets a variable and returns what it is then, after a sign of equality; ""
// if that is refused or what it was.
func (s *settings) trySet(v *variable, to string) string {
	if s.control.exec("SET GLOBAL "+v.name+" = "+to) != nil {
		return ""
	}
	now, err := s.control.text("SELECT @@global." + v.name)
	if err != nil || v.literal == now || v.literal == literal(now) {
		return ""
	}
	return "=" + now
}

func (s *settings) restore(t *testing.T, v *variable) {
	t.Helper()
	err := s.control.exec("SET GLOBAL " + v.name + " = " + v.literal)
	if err != nil {
		err = s.control.exec("SET GLOBAL " + v.name + " = DEFAULT")
	}
	if err != nil {
		t.Logf("%v: restarting the server", err)
		s.server.Restart(t)
		s.control.close()
		s.connect(t)
	}
}

// run has a task start and read under the settings, before which it is there
// already if early. All must be right, or an error name one of them.
func (s *settings) run(t *testing.T, set []assignment, early bool) {
	s.database++
	database := fmt.Sprintf("st%d", s.database)
	s.must(t, "CREATE DATABASE "+database+" CHARACTER SET utf8mb4", "USE "+database)
	s.must(t, before...)
	defer func() { s.must(t, "DROP DATABASE "+database) }()
	f := &modelFollower{follower: newFollower(t, s.server, database+".*"), model: newModel(database, false), defs: map[string]*change.Table{}}
	defer func() { _ = f.Close() }()
	if early {
		f.open()
	}
	err := s.under(t, set, func() error { return s.read(t, f, early) })
	if err != nil && !names(err, set) {
		t.Fatalf("an error that names no variable that was set: %v", err)
	}
	if err != nil {
		s.told++
		t.Logf("told: %v", err)
		return
	}
	s.values += f.rows
	if f.rows == 0 {
		s.silent(t, set)
		return
	}
	db := s.server.Connect(t, database)
	defer db.Close()
	compare(t, db, f.model, f.defs, nil)
	f.compareTexts(t, db)
}

// silent is called when nothing could be written.
func (s *settings) silent(t *testing.T, set []assignment) {
	t.Helper()
	if !slices.ContainsFunc(set, func(a assignment) bool { return stopsAll[a.name] != "" }) {
		t.Errorf("nobody could write: %v", s.refused)
	}
}

// under sets variables while fn runs.
func (s *settings) under(t *testing.T, set []assignment, fn func() error) error {
	t.Helper()
	for _, a := range set {
		t.Logf("SET GLOBAL %s = %s (was %s)", a.name, a.to, a.literal)
		s.must(t, "SET GLOBAL "+a.name+" = "+a.to)
		defer s.restore(t, a.variable)
		s.set++
	}
	return fn()
}

// names tells whether an error names one of the variables, as the configuration or
// as people write it.
func names(err error, set []assignment) bool {
	plain := strings.NewReplacer("-", "_", " ", "_")
	text := plain.Replace(strings.ToLower(err.Error()))
	return slices.ContainsFunc(set, func(a assignment) bool { return strings.Contains(text, a.name) })
}

func (s *settings) must(t *testing.T, statements ...string) {
	t.Helper()
	for _, sql := range statements {
		if err := s.control.exec(sql); err != nil {
			t.Fatal(err)
		}
	}
}

// read returns the first error that the task would tell.
func (s *settings) read(t *testing.T, f *modelFollower, early bool) error {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	o := task.Options{Name: "shop", Include: f.options.Include, ServerID: 1<<30 + 7, Source: f.options.Source}
	if err := task.Failed(task.Precheck(ctx, o)); err != nil {
		return err
	}
	if !early {
		if err := f.tryOpen(); err != nil {
			return err
		}
	}
	for round := range 3 {
		if err := f.until(s.write(round)); err != nil {
			return err
		}
		switch round {
		case 0:
			s.killDumps(t)
		case 1:
			if err := f.tryReopen(); err != nil {
				return err
			}
		}
	}
	return f.check()
}

// killDumps ends the connections by which the binlog is read.
func (s *settings) killDumps(t *testing.T) {
	t.Helper()
	rows, err := s.control.query("SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%'")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		_ = s.control.exec("KILL " + servers.Text(r[0])) // it may have ended
	}
}

// write has a session that inherits the settings change tables, and one that does
// not, and returns the number of the row that comes last; "" if nobody can write.
func (s *settings) write(round int) string {
	for _, sql := range rowStatements(round) {
		s.note(s.control.exec(sql))
	}
	s.inheriting(slices.Concat(rowStatements(round+10), tableStatements, []string{"COMMIT"}))
	err := s.control.exec(fmt.Sprintf("INSERT INTO the_end VALUES (%d)", round))
	s.note(err)
	if err != nil {
		return ""
	}
	return fmt.Sprint(round)
}

// inheriting runs statements in a new session, and in others as those end.
func (s *settings) inheriting(statements []string) {
	begin := []string{"SET NAMES utf8mb4", fmt.Sprintf("USE st%d", s.database), "SET SESSION lock_wait_timeout = 5"}
	for len(statements) > 0 {
		l, err := dial(s.server, "")
		s.note(err)
		if err != nil {
			return
		}
		for _, sql := range begin {
			s.note(l.exec(sql))
		}
		for over := false; len(statements) > 0 && !over; statements = statements[1:] {
			err := l.exec(statements[0])
			s.note(err)
			over = ended(err) // as after a COMMIT with completion_type RELEASE
		}
		l.close()
	}
}

// note counts what the server refuses, by the error and the statement's beginning.
func (s *settings) note(err error) {
	if err == nil {
		return
	}
	sql, why, _ := strings.Cut(err.Error(), ": ERROR ")
	code, _, _ := strings.Cut(why, " ")
	s.refused[fmt.Sprintf("%s: %.30s", code, sql)]++
}
