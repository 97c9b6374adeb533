//go:build servers

package dump_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"daybook/binlog/dump"
	"daybook/e2e/hush"
	"daybook/e2e/servers"
)

// quick are times that a test can wait for.
var quick = dump.Times{Login: time.Second, Answer: time.Second, Long: time.Minute, Silence: 600 * time.Millisecond}

// found is within what a silent connection must be given up with these times:
// three rounds of silence, and two attempts to look after it.
const found = 10 * time.Second

func source(s *servers.Server, mode dump.TLSMode) dump.Source {
	return dump.Source{Address: s.Address, User: servers.Repl, Password: servers.Repl, Times: quick, TLS: dump.TLSOptions{Mode: mode}}
}

// end returns the end of the server's binlog.
func end(t *testing.T, s *servers.Server) *dump.Position {
	t.Helper()
	c, err := dump.Dial(t.Context(), source(s, dump.TLSDisabled))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	status, err := c.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := &dump.Position{Flavor: status.Flavor, ServerUUID: status.ServerUUID, ServerID: status.ServerID, File: status.File, Pos: status.Pos}
	if status.UsesGTID() {
		if p.GTIDs, err = dump.ParseGTIDSet(status.Flavor, status.GTIDSet); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// each runs fn against servers without TLS, and one with.
func each(t *testing.T, fn func(t *testing.T, s *servers.Server, mode dump.TLSMode)) {
	var tests []subtest
	for _, c := range []struct {
		server string
		mode   dump.TLSMode
	}{
		{"mysql-5.7", dump.TLSDisabled}, {"mysql-8.0", dump.TLSDisabled}, {"mysql-8.0", dump.TLSRequired}, {"mariadb-10.11", dump.TLSDisabled},
	} {
		tests = append(tests, subtest{c.server + " tls " + string(c.mode), func(t *testing.T) { fn(t, servers.Get(t, c.server), c.mode) }})
	}
	beside(t, len(tests), tests)
}

// requests counts those that a feed makes until its dump has begun, when it
// connects first, and anew.
func requests(t *testing.T, s *servers.Server, mode dump.TLSMode) (first, anew int) {
	t.Helper()
	p := hush.New(t, s.Address)
	count := func(most *int) {
		p.Arm(func(_ hush.Direction, n int, _ []byte) int {
			*most = max(*most, n)
			return -1
		})
	}
	src := source(s, mode)
	src.Address = p.Address()
	at := end(t, s)
	event := func(dump.Event) bool { return true }
	count(&first)
	r := read(t, src, at)
	if err := r.await(event); err != nil {
		t.Fatal(err)
	}
	count(&anew)
	p.Cut()
	r.lost()
	r.Resume(r.at, nil)
	if err := r.await(event); err != nil {
		t.Fatal(err)
	}
	r.Close()
	p.Restore()
	return first, anew
}

// TestSilenceAtEachStep has the network fall silent in the middle of every
// answer that a source gives from its greeting to the first events of its dump,
// while a feed connects anew.
func TestSilenceAtEachStep(t *testing.T) {
	each(t, func(t *testing.T, s *servers.Server, mode dump.TLSMode) {
		name, db := s.Database(t)
		db.Exec("CREATE TABLE t (s TEXT)")
		_, last := requests(t, s, mode)
		if last < 8 {
			t.Fatalf("a feed makes only %d requests", last)
		}
		var tests []subtest
		for step := range last + 1 {
			tests = append(tests, subtest{fmt.Sprintf("answer %d of %d", step, last), func(t *testing.T) {
				p := hush.New(t, s.Address)
				src := source(s, mode)
				src.Address = p.Address()
				r := read(t, src, end(t, s))
				if err := r.await(func(dump.Event) bool { return true }); err != nil {
					t.Fatal(err)
				}
				fell := p.Arm(hush.InAnswer(step))
				p.Cut()
				r.lost()
				r.Resume(r.at, nil)
				if !r.fellSilent(fell) {
					return // this time it took fewer requests: the server had ended the last dump by itself
				}
				began, dials := time.Now(), p.Dials()
				for p.Dials() == dials { // until the silent connection was given up, or is looked after
					time.Sleep(10 * time.Millisecond)
					if time.Since(began) > found {
						t.Fatal("the silent connection is still waited for")
					}
				}
				p.Restore()
				mark := fmt.Sprintf("mark %s %s %d", s.Name, mode, step)
				s.Connect(t, name).Exec("INSERT INTO t VALUES ('" + mark + "')")
				err := r.text(mark)
				if dump.IsTransient(err) { // it was in the dump that silence fell
					r.Resume(r.at, nil)
					err = r.text(mark)
				}
				if err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took > found {
					t.Errorf("it took %s", took)
				}
			}})
		}
		beside(t, 4, tests)
	})
}

// fellSilent waits for silence, or for the first event.
func (r *reading) fellSilent(fell <-chan struct{}) bool {
	r.t.Helper()
	for {
		_, ok, _, err := r.Next()
		if err != nil {
			r.t.Fatal(err)
		}
		if ok {
			return false
		}
		select {
		case <-fell:
			return true
		case <-r.Ready():
		}
	}
}

// TestCloseInSilence ends a feed, with the times that it has by default, while
// it waits for each of the answers.
func TestCloseInSilence(t *testing.T) {
	each(t, func(t *testing.T, s *servers.Server, mode dump.TLSMode) {
		last, _ := requests(t, s, mode)
		silent := 0
		defer func() {
			if silent < 8 {
				t.Errorf("there was silence in %d answers only", silent)
			}
		}()
		for step := range last + 1 {
			p := hush.New(t, s.Address)
			fell := p.Arm(hush.InAnswer(step))
			src := source(s, mode)
			src.Address, src.Times = p.Address(), dump.Times{}
			r := read(t, src, end(t, s))
			if r.fellSilent(fell) { // else others' work at the server saved it an answer
				silent++
			}
			began := time.Now()
			r.Close()
			if took := time.Since(began); took > time.Second {
				t.Errorf("answer %d: Close took %s", step, took)
			}
		}
	})
}

// TestSilentDump has a dump fall silent: with new connections silent, too, and
// with new ones alive; while nothing happens, and within a large event.
func TestSilentDump(t *testing.T) {
	each(t, func(t *testing.T, s *servers.Server, mode dump.TLSMode) {
		var tests []subtest
		for _, c := range []struct {
			name        string
			alive, busy bool
		}{{"idle", false, false}, {"idle, new connections alive", true, false}, {"in an event", false, true}, {"in an event, new connections alive", true, true}} {
			tests = append(tests, subtest{c.name, func(t *testing.T) {
				name, db := s.Database(t)
				db.Exec("CREATE TABLE t (s LONGTEXT)")
				p := hush.New(t, s.Address)
				src := source(s, mode)
				src.Address = p.Address()
				r := read(t, src, end(t, s))
				db.Exec("INSERT INTO t VALUES ('first')")
				if err := r.text("first"); err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				if c.busy {
					passed := 0
					fell := p.Arm(func(d hush.Direction, _ int, b []byte) int {
						if passed += len(b); d == hush.ToClient && passed > 1<<20 {
							return len(b) / 2
						}
						return -1
					})
					// More than the buffers on the way hold, so that the server has to wait.
					for range 4 {
						db.Exec("INSERT INTO t VALUES (REPEAT('x', 3000000))")
					}
					<-fell
				} else {
					p.Silence()
				}
				if c.alive {
					p.Restore()
				}
				r.lost()
				if took := time.Since(began); took > found {
					t.Errorf("it took %s to find out", took)
				}
				p.Restore()
				r.Resume(r.at, nil)
				s.Connect(t, name).Exec("INSERT INTO t VALUES ('second')")
				if err := r.text("second"); err != nil {
					t.Fatal(err)
				}
			}})
		}
		beside(t, 4, tests)
	})
}

// TestSilentLongQuery has the network fall silent while the source works on a
// query that takes longer than it may be silent.
func TestSilentLongQuery(t *testing.T) {
	each(t, func(t *testing.T, s *servers.Server, mode dump.TLSMode) {
		p := hush.New(t, s.Address)
		src := source(s, mode)
		src.Address = p.Address()
		dial := func() *dump.Conn {
			c, err := dump.Dial(t.Context(), src)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close() })
			return c
		}
		c := dial()
		rows, err := c.LongQuery(t.Context(), "SELECT SLEEP(2.5)")
		if err != nil || len(rows) != 1 {
			t.Fatalf("a query that takes its time: %v %v", rows, err)
		}
		if _, err := c.Query(t.Context(), "SELECT SLEEP(5)"); !dump.IsTransient(err) || !strings.Contains(err.Error(), "SLEEP(5)") || !strings.Contains(err.Error(), "no answer within 1s:") {
			t.Errorf("a small question without an answer: %v", err)
		}
		if _, err := c.Query(t.Context(), "SELECT 1"); !dump.IsTransient(err) || !strings.Contains(err.Error(), "broken") {
			t.Errorf("a broken connection: %v", err)
		}
		for name, alive := range map[string]bool{"the network is out": false, "new connections are alive": true} {
			p.Restore()
			c := dial()
			time.AfterFunc(300*time.Millisecond, func() {
				p.Silence()
				if alive {
					p.Restore()
				}
			})
			began := time.Now()
			if _, err := c.LongQuery(t.Context(), "SELECT SLEEP(1.5)"); !dump.IsTransient(err) {
				t.Errorf("%s: %v", name, err)
			}
			if took := time.Since(began); took > found {
				t.Errorf("%s: it took %s to find out", name, took)
			}
		}
		p.Restore()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		began := time.Now()
		if _, err := dial().LongQuery(ctx, "SELECT SLEEP(5)"); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > time.Second {
			t.Errorf("the caller's deadline: %v after %s", err, time.Since(began))
		}
	})
}
