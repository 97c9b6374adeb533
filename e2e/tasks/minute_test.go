//go:build servers

package tasks

import (
	"strings"
	"testing"
	"time"

	"daybook/e2e/harness"
	"daybook/e2e/oracle"
	"daybook/e2e/servers"
)

// TestSourceAwayForAMinute has a server crash, and be away for a minute by every clock, in which Daybook is killed: the
// task is in Error after what source.away says, over the restart, and goes on by itself without a change lost or doubled.
func TestSourceAwayForAMinute(t *testing.T) {
	source := servers.Start(t, "mysql-8.0")
	conn := source.Connect(t, "")
	conn.Exec("CREATE DATABASE away", "CREATE TABLE away.t (id INT PRIMARY KEY)")
	from := oracle.End(conn)
	d := harness.Start(t, harness.Config{Source: source.Address, Include: []string{"away.*"}, Start: "now", SchemaChanges: "objects", SourceKeys: "away: 5s"})
	waitState(t, d, "Normal")
	conn.Exec("INSERT INTO away.t VALUES (1), (2)")

	source.Kill(t)
	gone := time.Now()
	first := waitState(t, d, "Error")
	if !strings.Contains(first.Reason, "cannot be reached") || time.Since(gone) > 30*time.Second {
		t.Errorf("after %v: %+v", time.Since(gone), first)
	}
	d.Kill()
	d.Start()
	if task := waitState(t, d, "Error"); task.Since != first.Since {
		t.Errorf("it is in Error since %s, and was since %s", task.Since, first.Since)
	}
	time.Sleep(time.Minute - time.Since(gone)) // which is what is tested
	source.Restart(t)
	source.Connect(t, "").Exec("INSERT INTO away.t VALUES (3)", "DELETE FROM away.t WHERE id < 3")
	waitState(t, d, "Normal")
	to := oracle.End(source.Connect(t, ""))
	for deadline := time.Now().Add(patience); show(t, d).HighWatermark < 5; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the task is %+v", show(t, d))
		}
	}
	if n := oracle.Compare(t, oracle.Binlog(t, source, from, to, "away"), oracle.Log(t, oracle.Records(t, d, -1))); n != 5 {
		t.Errorf("%d changes, want 5", n)
	}
}
