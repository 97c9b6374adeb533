package journal_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"daybook/journal"
	"daybook/store"
	"daybook/store/storetest"
)

// texts lists events from the newest on.
func texts(t *testing.T, l *journal.Log, task, before string, limit int) (list []string, last string) {
	t.Helper()
	events, err := l.List(journal.Query{Task: task, Before: before, Limit: limit})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		list, last = append(list, e.Text), e.ID
	}
	return list, last
}

// TestEvents are listed by task, page by page, over restarts, and kept for seven days.
func TestEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := vfs.NewMem()
		s := storetest.OpenWith(t, store.Options{Dir: "data", FS: fs})
		l := journal.New(s)
		add := func(task, text string) {
			if err := l.Add(journal.Event{Task: task, Kind: "state", Text: text, By: journal.Actor(journal.WithActor(context.Background(), "me"))}); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 5 { // in one instant
			add([]string{"a", "b"}[i%2], fmt.Sprint(i))
		}
		want := func(got []string, want string) {
			t.Helper()
			if fmt.Sprint(got) != want {
				t.Errorf("the events are %v, want %s", got, want)
			}
		}
		first, last := texts(t, l, "", "", 3)
		want(first, "[4 3 2]")
		second, _ := texts(t, l, "", last, 3)
		want(second, "[1 0]")
		ofA, _ := texts(t, l, "a", "", 10)
		want(ofA, "[4 2 0]")

		time.Sleep(6 * 24 * time.Hour)
		storetest.Close(t, s)
		s = storetest.OpenWith(t, store.Options{Dir: "data", FS: fs})
		l = journal.New(s)
		add("a", "5")
		all, _ := texts(t, l, "", "", 10)
		want(all, "[5 4 3 2 1 0]")
		time.Sleep(2 * 24 * time.Hour)
		add("a", "6")
		all, _ = texts(t, l, "", "", 10)
		want(all, "[6 5]")
		if e, _ := l.List(journal.Query{Limit: 1}); e[0].By != "me" || e[0].Time.IsZero() || e[0].Kind != "state" {
			t.Errorf("the newest is %+v", e[0])
		}
		storetest.Close(t, s)
	})
}
