//go:build servers

package tasks

import (
	"encoding/json"
	"strings"
	"testing"

	"daybook/admin"
	"daybook/e2e/harness"
	"daybook/e2e/servers"
)

// TestStatus looks at a Daybook that is well, and at one whose source is away.
func TestStatus(t *testing.T) {
	s := servers.Get(t, "mysql-8.0")
	db, conn := s.Database(t)
	conn.Exec("CREATE TABLE t (id INT PRIMARY KEY)")
	way := harness.NewProxy(t, s.Address)
	d := harness.Start(t, harness.Config{Source: way.Address(), Include: []string{db + ".t"}, Start: "now", SchemaChanges: "none", SourceKeys: "away: 1s"})
	waitState(t, d, "Normal")
	insert(conn, 1, 2, 3)
	wantIDs(t, d, 1, 2, 3)
	status := func(exit int, args ...string) string {
		t.Helper()
		out, text, code := d.Run(append([]string{"status"}, args...)...)
		if code != exit {
			t.Fatalf("exit code %d, want %d\n%s%s", code, exit, out, text)
		}
		return out
	}
	if out := status(0); !strings.Contains(out, "TASKS") || !strings.Contains(out, "1 Normal\n") || strings.Contains(out, "NEWEST WARNINGS") {
		t.Errorf("the status is\n%s", out)
	}
	var o struct{ Daybook admin.Status }
	if err := json.Unmarshal([]byte(status(0, "-o", "json")), &o); err != nil || o.Daybook.Data.LogBytes == 0 || o.Daybook.Data.FreeBytes == 0 || o.Daybook.Groups != 1 {
		t.Errorf("the status is %+v, %v", o, err)
	}
	way.Close()
	waitState(t, d, "Error")
	if out := status(1); !strings.Contains(out, "1 Error\n") || !strings.Contains(out, "shop, Error: ") || !strings.Contains(out, "NEWEST WARNINGS") {
		t.Errorf("the status is\n%s", out)
	}
}
