//go:build servers

package reset

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"daybook/e2e/harness"
	"daybook/e2e/oracle"
	"daybook/e2e/servers"
)

// The log holds rows records: the first half of two hours ago, the rest of one
// hour ago, so that ways by time have no edge near.
const rows = 60

// fixture is a Daybook with that log and the groups of the test.
type fixture struct {
	*harness.Daybook
	began time.Time
}

// fill starts Daybook and fills its log. The server is one that writes into its
// binlog the time that its session was told.
func fill(t *testing.T, groups []string) *fixture {
	t.Helper()
	source := servers.Get(t, "mysql-5.7")
	name, db := source.Database(t)
	db.Exec("CREATE TABLE orders (id INT PRIMARY KEY)")
	d := harness.Start(t, harness.Config{Source: source.Address, Include: []string{name + ".*"}, SchemaChanges: "none", Groups: groups})
	d.WaitLog("state=Normal", time.Minute) // "now" has been fixed
	f := &fixture{d, time.Now()}
	for i := range rows {
		db.Exec(fmt.Sprintf("SET TIMESTAMP = %d", f.time(i).Unix()), fmt.Sprintf("INSERT INTO orders VALUES (%d)", i))
	}
	client := d.Client()
	for deadline := time.Now().Add(time.Minute); oracle.HighWatermark(t, client) < rows; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the records do not come")
		}
	}
	for r := range oracle.Records(t, d, rows) {
		if want := f.time(int(r.Offset)).Unix(); r.Timestamp.Unix() != want {
			t.Fatalf("record %d is of %v, want %d", r.Offset, r.Timestamp, want)
		}
	}
	return f
}

// time is that of a record.
func (f *fixture) time(offset int) time.Time {
	if offset < rows/2 {
		return f.began.Add(-2 * time.Hour)
	}
	return f.began.Add(-time.Hour)
}

// checkpoint returns the offset of the group's, -1 if it has none.
func (f *fixture) checkpoint(t *testing.T, group string) int64 {
	t.Helper()
	client := f.GroupClient(t, group)
	defer client.Close()
	cp, err := harness.Committed(t.Context(), client, group)
	if err != nil {
		t.Fatalf("ask for the checkpoint: %v", err)
	}
	return cp.Offset
}

// oneLine makes a message fit for an error of a test.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
