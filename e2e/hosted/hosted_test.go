//go:build servers

// Package hosted shows, on the real binary and real servers, that the log stays exact where the source is what services and
// clusters make of it: an address behind which servers change, boxes in between that lose connections.
//
// Sessions write through the address while a test does its worst. In the end the log, replayed strictly (an insert of a row that is
// there, or a change of one that is not as it was, fails), has every row as the source has it.
//
// Left out: services themselves, none of which is at hand; a primary that dies with transactions that no replica has, which
// Daybook may have told: that is an Error by design (see the identity tests).
package hosted

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-mysql-org/go-mysql/client"

	"daybook/admin"
	"daybook/e2e/harness"
	"daybook/e2e/oracle"
	"daybook/e2e/servers"
)

const (
	patience = 90 * time.Second // an answer that does not come is waited for, for 30 s
	database = "shop"
	app      = "app" // an account that may only write, and its password
)

// prepare makes the table and the account at the first primary.
func prepare(t *testing.T, s *servers.Server) {
	s.Connect(t, "").Exec("CREATE DATABASE "+database, "CREATE TABLE shop.t (id BIGINT AUTO_INCREMENT PRIMARY KEY, s INT, v INT, n INT, KEY (s))",
		"CREATE USER app@'%' IDENTIFIED BY 'app'", "GRANT SELECT, INSERT, UPDATE, DELETE ON shop.* TO app@'%'")
}

// load is sessions that write through an address, and begin anew where they fail.
type load struct {
	running   sync.WaitGroup
	stopped   atomic.Bool
	committed atomic.Int64
}

// start begins sessions, which end with stop. Each has its own rows.
func start(t *testing.T, address string, sessions int) *load {
	l := &load{}
	for n := range sessions {
		l.running.Go(func() {
			for !l.stopped.Load() {
				if c, err := client.Connect(address, app, app, database); err == nil {
					for err == nil && !l.stopped.Load() {
						err = l.transaction(c, n)
					}
					_ = c.Close()
				}
				time.Sleep(20 * time.Millisecond)
			}
		})
	}
	t.Cleanup(l.stop)
	return l
}

func (l *load) stop() {
	l.stopped.Store(true)
	l.running.Wait()
}

// transaction makes one of a few statements.
func (l *load) transaction(c *client.Conn, session int) error {
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	statements := []string{"BEGIN"}
	for range 1 + rand.IntN(4) {
		switch rand.IntN(6) {
		case 0:
			statements = append(statements, fmt.Sprintf("DELETE FROM t WHERE s = %d ORDER BY id LIMIT 2", session))
		case 1, 2:
			statements = append(statements, fmt.Sprintf("UPDATE t SET v = %d, n = n + 1 WHERE s = %d ORDER BY id DESC LIMIT 3", rand.IntN(1000), session))
		default:
			statements = append(statements, fmt.Sprintf("INSERT INTO t (s, v, n) VALUES (%d, %d, 0), (%[1]d, 7, 0)", session, rand.IntN(1000)))
		}
	}
	for _, sql := range append(statements, "COMMIT") {
		if _, err := c.Execute(sql); err != nil {
			return err
		}
	}
	l.committed.Add(1)
	time.Sleep(time.Duration(5+rand.IntN(15)) * time.Millisecond)
	return nil
}

// more waits until the sessions have committed so many transactions more.
func (l *load) more(t *testing.T, n int64) {
	t.Helper()
	want := l.committed.Load() + n
	for late := time.Now().Add(patience); l.committed.Load() < want; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(late) {
			t.Fatal("the sessions cannot commit")
		}
	}
}

// daybook tracks the table at an address.
func daybook(t *testing.T, address, keys string) *harness.Daybook {
	d := harness.Start(t, harness.Config{Source: address, SourceKeys: keys, Include: []string{"shop.t"}, Start: "now", SchemaChanges: "none"})
	d.WaitLog("state=Normal", patience)
	return d
}

// normal waits for the task's state.
func normal(t *testing.T, d *harness.Daybook) {
	t.Helper()
	var task admin.Task
	for late := time.Now().Add(patience); time.Now().Before(late); time.Sleep(100 * time.Millisecond) {
		out, _, _ := d.Run("task", "show", harness.Topic, "-o", "json")
		if json.Unmarshal([]byte(out), &task) == nil && task.State == "Normal" {
			return
		}
	}
	t.Fatalf("the task is in %s: %s", task.State, task.Reason)
}

// equals replays the log up to a last row, which it inserts at the source, and compares with the table.
func equals(t *testing.T, d *harness.Daybook, s *servers.Server) {
	t.Helper()
	db := s.Connect(t, database)
	db.Exec("INSERT INTO t (s, v, n) VALUES (-1, -1, -1)")
	last := db.Query("SELECT MAX(id) FROM t WHERE s = -1")[0][0]
	normal(t, d)
	var rows map[string]string
	var records int
	for late := time.Now().Add(patience); ; time.Sleep(200 * time.Millisecond) {
		rows, records = replay(t, d)
		if rows[last] != "" {
			break
		}
		if time.Now().After(late) {
			t.Fatalf("row %s, committed last, is not in the log", last)
		}
	}
	want := map[string]string{}
	for _, r := range db.Query("SELECT id, s, v, n FROM t") {
		want[r[0]] = strings.Join(r, " ")
	}
	if !maps.Equal(rows, want) {
		for id := range want {
			if rows[id] != want[id] {
				t.Errorf("row %s is %q in the log, %q at the source", id, rows[id], want[id])
			}
		}
		for id := range rows {
			if want[id] == "" {
				t.Errorf("row %s is %q in the log, and not at the source", id, rows[id])
			}
		}
	}
	t.Logf("%d records, %d rows", records, len(rows))
}

type image struct{ ID, S, V, N json.Number }

func (i *image) text() string {
	return strings.Join([]string{i.ID.String(), i.S.String(), i.V.String(), i.N.String()}, " ")
}

// replay applies all records to rows by key.
func replay(t *testing.T, d *harness.Daybook) (rows map[string]string, n int) {
	t.Helper()
	rows = map[string]string{}
	for r := range oracle.Records(t, d, -1) {
		n++
		if r.Value == nil {
			continue
		}
		var c struct {
			Op            string
			Before, After *image
			Source        struct {
				File string
				Pos  int64
			}
		}
		if err := json.Unmarshal(r.Value, &c); err != nil {
			t.Fatalf("%s: %v", r.Value, err)
		}
		if c.Before != nil {
			if id := c.Before.ID.String(); rows[id] != c.Before.text() {
				t.Fatalf("record %d, %s of %s:%d: the row is %q, and was %q in the log", r.Offset, c.Op, c.Source.File, c.Source.Pos, c.Before.text(), rows[id])
			}
			delete(rows, c.Before.ID.String())
		}
		if c.After != nil {
			if id := c.After.ID.String(); rows[id] != "" {
				t.Fatalf("record %d, %s of %s:%d: row %s is there already", r.Offset, c.Op, c.Source.File, c.Source.Pos, id)
			}
			rows[c.After.ID.String()] = c.After.text()
		}
	}
	return rows, n
}
