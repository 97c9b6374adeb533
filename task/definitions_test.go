package task

import (
	"fmt"
	"testing"
	"time"

	"daybook/binlog"
)

// TestSinceWhenATableDiffers follows checks: a table that differs keeps the
// last moment when it was the same, until it is adopted or the same again.
func TestSinceWhenATableDiffers(t *testing.T) {
	at := func(n int) time.Time { return time.Unix(int64(n), 0).UTC() }
	f := &found{SameAt: at(1), SamePlace: "binlog.000001:4"}
	for _, c := range []struct {
		name   string
		tables []string
		adopt  bool
		failed error
		differ []string
		want   string // table@since of those that differ; the time of the last whole check
	}{
		{"all are the same", nil, false, nil, nil, "[] 1"},
		{"one differs", nil, false, nil, []string{"d.a"}, "[d.a@1] 2"},
		{"another one too", nil, false, nil, []string{"d.a", "d.b"}, "[d.a@1 d.b@2] 3"},
		{"a failure says nothing", nil, false, fmt.Errorf("no"), nil, "[d.a@1 d.b@2] 3"},
		{"looked at alone", []string{"d.b"}, false, nil, []string{"d.b"}, "[d.a@1 d.b@2] 3"},
		{"another alone", []string{"d.c"}, false, nil, []string{"d.c"}, "[d.a@1 d.b@2 d.c@3] 3"},
		{"mended alone", []string{"d.b"}, false, nil, nil, "[d.a@1 d.c@3] 3"},
		{"adopted alone", []string{"d.a"}, true, nil, []string{"d.a"}, "[d.c@3] 3"},
		{"all adopted", nil, true, nil, []string{"d.c", "d.e"}, "[] 9"},
	} {
		n := int(f.Last.Asked.Unix()) + 1
		if f.Last.Asked.IsZero() {
			n = 1
		}
		check := &binlog.Check{CheckOptions: binlog.CheckOptions{Tables: c.tables, Adopt: c.adopt}, Asked: at(n), From: binlog.Place{File: "binlog.000001", Pos: uint64(n)}, Err: c.failed}
		for _, table := range c.differ {
			check.Differ = append(check.Differ, binlog.TableDifference{Table: table, What: []string{"x"}})
		}
		f = f.after(check)
		list := []string{}
		for _, d := range f.Differ {
			list = append(list, fmt.Sprintf("%s@%d", d.Table, d.Since.Unix()))
		}
		if got := fmt.Sprintf("%v %d", list, f.SameAt.Unix()); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
		if len(f.Last.Differ) != len(c.differ) || (f.Last.Error != "") != (c.failed != nil) {
			t.Errorf("%s: the last check is %+v", c.name, f.Last)
		}
	}
}
