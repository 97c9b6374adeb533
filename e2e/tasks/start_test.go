//go:build servers

// Package tasks shows, on the real binary and real servers, that a task keeps
// the start that it was given, and what people do with tasks by command.
package tasks

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"daybook/e2e/harness"
	"daybook/e2e/oracle"
	"daybook/e2e/servers"
)

const patience = 30 * time.Second

// logged is the part of a record that these tests look at.
type logged struct {
	Op    string
	After struct{ ID int }
	Gap   *struct{ From, To, Reason string }
}

// records reads the first n records of the log, and fails if there are more.
func records(t *testing.T, d *harness.Daybook, n int64) []logged {
	t.Helper()
	client := d.Client()
	for deadline := time.Now().Add(patience); oracle.HighWatermark(t, client) < n; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the log has %d records, want %d", oracle.HighWatermark(t, client), n)
		}
	}
	var all []logged
	for r := range oracle.Records(t, d, -1) {
		var l logged
		if err := json.Unmarshal(r.Value, &l); err != nil {
			t.Fatalf("record %d, %s: %v", r.Offset, r.Value, err)
		}
		all = append(all, l)
	}
	if int64(len(all)) != n {
		t.Fatalf("the log has %d records, want %d: %+v", len(all), n, all)
	}
	return all
}

// wantIDs wants the log to be inserts of rows of these IDs.
func wantIDs(t *testing.T, d *harness.Daybook, ids ...int) {
	t.Helper()
	var got []int
	for _, r := range records(t, d, int64(len(ids))) {
		got = append(got, r.After.ID)
	}
	if !slices.Equal(got, ids) {
		t.Errorf("the log has the rows %v, want %v", got, ids)
	}
}

func insert(conn *servers.Conn, ids ...int) {
	for _, id := range ids {
		conn.Exec(fmt.Sprintf("INSERT INTO t VALUES (%d)", id))
	}
}

// TestStartIsDurable ends a task as soon as it tells of a state after its start
// at now: what is committed until it runs again is not lost.
func TestStartIsDurable(t *testing.T) {
	ends := map[string]func(*harness.Daybook){
		"kill": func(d *harness.Daybook) { d.Kill() },
		"stop": func(d *harness.Daybook) {
			if code := d.Stop(); code != 0 {
				t.Errorf("exit code %d", code)
			}
		},
	}
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		for name, end := range ends {
			for _, state := range []string{"Performing Initial Change Tracking", "Normal"} {
				t.Run(name+" "+state, func(t *testing.T) {
					db, conn := s.Database(t)
					conn.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
					d := harness.Start(t, harness.Config{Source: s.Address, Include: []string{db + ".t"}, Start: "now", SchemaChanges: "none"})
					d.WaitLog(`state=`+quoted(state), patience)
					end(d)
					insert(conn, 1, 2, 3)
					d.Start()
					insert(conn, 4)
					wantIDs(t, d, 1, 2, 3, 4)
				})
			}
		}
	})
}

// quoted is a value as the text log writes it.
func quoted(s string) string {
	if s == "Normal" {
		return s
	}
	return `"` + s + `"`
}
