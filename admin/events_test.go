package admin_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"daybook/admin"
	"daybook/journal"
)

// TestEventsAreFiltered by task, kind and time, in pages and from behind an event on; a task shows what it noticed.
func TestEventsAreFiltered(t *testing.T) {
	s := start(t)
	ctx := t.Context()
	for i := range 240 {
		e := journal.Event{Task: []string{topic, "gone"}[i%2], Kind: []string{"state", "pause", "partial_images"}[i%3], Text: fmt.Sprint(i), Place: "binlog.000001:4711", Table: "db.t"}
		e.Notice = i%3 == 2
		must(t, s.o.Journal.Add(e))
	}
	all, err := s.Events(ctx, admin.EventFilter{Limit: 1000})
	must(t, err)
	count := func(want int, f admin.EventFilter) []admin.LogEvent {
		t.Helper()
		list, err := s.Events(ctx, f)
		if err != nil || len(list) != want {
			t.Errorf("%+v: %d events, %v, want %d", f, len(list), err, want)
		}
		return list
	}
	before := all[239]
	count(120, admin.EventFilter{Task: "gone", Gone: true, Limit: 1000})
	count(40, admin.EventFilter{Task: topic, Kind: "partial_images", Limit: 1000})
	count(80, admin.EventFilter{Kind: "pause", Limit: 1000})
	count(0, admin.EventFilter{Since: time.Now().Add(time.Hour), Limit: 1000})
	count(len(all), admin.EventFilter{Since: time.Now().Add(-time.Hour), Limit: 1000})
	count(239, admin.EventFilter{After: before.ID, Limit: 7}) // which takes many pages
	_, err = s.Events(ctx, admin.EventFilter{Task: "gone", Limit: 1})
	wantError(t, err, http.StatusNotFound, admin.CodeUnknownTask, "gone")
	shown, err := s.Task(ctx, topic)
	must(t, err)
	if n := len(shown.Events); n != 40 || shown.Events[0].Text != "2" || shown.Events[0].File != "binlog.000001" || shown.Events[0].Pos != 4711 || shown.Events[0].Table != "db.t" {
		t.Errorf("the task shows %d events: %+v", n, shown.Events)
	}
	for _, query := range []string{"kind=", "since=yesterday", "after=x", "cursor=x", "task="} {
		if status, answer := s.do(http.MethodGet, "/api/v1/events?"+query, ""); status != 400 && status != 422 {
			t.Errorf("%s: %d %s", query, status, answer)
		}
	}
}
