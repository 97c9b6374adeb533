//go:build servers

package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"daybook/e2e/harness"
	"daybook/e2e/servers"
)

// TestMeasure runs everything once, small: the figures mean nothing, but every
// step checks that it saw all the rows.
func TestMeasure(t *testing.T) {
	t.Chdir("..") // for scripts/
	const rows = 4 * block
	o := options{rows: rows, transactions: 1600, source: servers.Start(t, "mysql-8.0").Address, binary: harness.Binary(t), latency: time.Second, rate: 200, idle: 50, pollers: 5, rest: time.Second, tasks: 5}
	var r report
	if err := measure(t.Context(), o, t.TempDir(), &r); err != nil {
		t.Fatal(err)
	}
	for name, rate := range map[string]rate{"raw": r.RawLoop, "decoding": r.DecodingLoop, "catch-up": r.CatchUp, "franz-go": r.FranzGo, "kcat": r.Kcat} {
		if rate.Rows != rows || rate.Seconds <= 0 {
			t.Errorf("%s: %+v", name, rate)
		}
	}
	if l := r.Latency; l.Commits != 200 || l.P99 < l.P50 || l.Max < l.P99 {
		t.Errorf("latency: %+v", l)
	}
	if a := r.AtRest; a.Idle != 50 || a.Pollers != 5 {
		t.Errorf("at rest: %+v", a)
	}
	if len(r.Tasks) != 2 || r.Tasks[1].Tasks != 5 || r.Tasks[1].RSS == 0 || r.Tasks[1].StartSeconds <= 0 {
		t.Errorf("tasks: %+v", r.Tasks)
	}
	for i, c := range r.Committing {
		if c.Name != commitModes[i].name || c.Micros <= 0 {
			t.Errorf("transactions: %+v", c)
		}
	}
	if len(r.Committing) != len(commitModes) || len(r.Costs) != len(costGoals) {
		t.Errorf("%d ways to commit and %d costs are measured", len(r.Committing), len(r.Costs))
	}
	if perRow := r.BinlogBytes / rows; perRow < 300 || perRow > 400 {
		t.Errorf("%d bytes of binlog per row, not about 345", perRow)
	}
	var table bytes.Buffer
	r.print(&table)
	for _, line := range []string{"Daybook, durable and fetchable", "XA, committed right after", "GTID set of 10,000 intervals"} {
		if !strings.Contains(table.String(), line) {
			t.Errorf("no line %q in\n%s", line, table.String())
		}
	}
}
