//go:build servers

package tasks

import (
	"fmt"
	"strings"
	"testing"

	"daybook/admin"
	"daybook/e2e/harness"
	"daybook/e2e/servers"
)

// TestPartialImagesAreTold has sessions leave columns out of rows of two tables: an event, and the
// metric that alerts are made of, tell of each table once.
func TestPartialImagesAreTold(t *testing.T) {
	for _, version := range []string{"mysql-8.0", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			s := servers.Get(t, version)
			db, conn := s.Database(t)
			for _, table := range []string{"t", "a", "b"} {
				conn.Exec("CREATE TABLE "+table+" (id INT PRIMARY KEY, v INT)", "INSERT INTO "+table+" VALUES (1, 0)")
			}
			d := harness.Start(t, harness.Config{Source: s.Address, Include: []string{db + ".*"}, Start: "now", SchemaChanges: "none"})
			d.WaitLog("state=Normal", patience)
			const metric = `daybook_task_events_total{kind="partial_images",task="` + harness.Topic + `"} `
			if got := d.Metrics(); strings.Contains(got, metric) {
				t.Errorf("before anything was left out: %s", got)
			}
			conn.Exec("UPDATE a SET v = 1") // with all columns
			minimal := s.Connect(t, db)
			minimal.Exec("SET SESSION binlog_row_image = MINIMAL")
			for told, table := range []string{"a", "b"} {
				minimal.Exec("UPDATE "+table+" SET v = 2", "UPDATE "+table+" SET v = 3")
				task := waitTask(t, d, "an event of "+table, func(task *admin.Task) bool { return len(task.Events) > told })
				if e := task.Events[told]; e.Kind != "partial_images" || e.Table != db+"."+table || e.File == "" {
					t.Errorf("the event is %+v", e)
				}
				if got := d.Metrics(); !strings.Contains(got, fmt.Sprint(metric, told+1, "\n")) {
					t.Errorf("no %s%d in %s", metric, told+1, got)
				}
			}
		})
	}
}
