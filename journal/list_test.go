package journal_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"daybook/journal"
	"daybook/store"
	"daybook/store/storetest"
)

// TestQueriesAsAFilter compares queries of every kind with a filter over all events, page by page.
func TestQueriesAsAFilter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.OpenWith(t, store.Options{Dir: "data", FS: vfs.NewMem()})
		defer storetest.Close(t, s)
		l := journal.New(s)
		r := rand.New(rand.NewPCG(1, 2))
		tasks, kinds := []string{"", "a", "ab", "b"}, []string{"state", "stat", "pause"}
		began := time.Now()
		for i := range 500 {
			e := journal.Event{Task: tasks[r.IntN(4)], Kind: kinds[r.IntN(3)], Text: fmt.Sprint(i), Notice: r.IntN(3) == 0}
			if err := l.Add(e); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(r.IntN(3)) * time.Second)
		}
		all, err := l.List(journal.Query{Limit: 1000})
		if err != nil || len(all) != 500 {
			t.Fatalf("%d events, %v", len(all), err)
		}
		for range 500 {
			q := journal.Query{Limit: 1 + r.IntN(40)}
			if r.IntN(2) == 0 {
				q.Task = tasks[r.IntN(4)]
			}
			if r.IntN(2) == 0 {
				q.Kind = kinds[r.IntN(3)]
			}
			if q.Task != "" && r.IntN(4) == 0 {
				q.Notices, q.Kind = true, ""
			}
			if r.IntN(3) == 0 {
				q.Since = began.Add(time.Duration(r.IntN(600)) * time.Second)
			}
			if r.IntN(3) == 0 {
				q.After = all[r.IntN(500)].ID
			}
			var want, got []string
			for _, e := range all {
				if (q.Task == "" || e.Task == q.Task) && (q.Kind == "" || e.Kind == q.Kind) && (!q.Notices || e.Notice) && !e.Time.Before(q.Since) && e.ID > q.After {
					want = append(want, e.ID)
				}
			}
			asked := q
			for {
				page, err := l.List(q)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range page {
					got = append(got, e.ID)
				}
				if len(page) < q.Limit {
					break
				}
				q.Before = page[len(page)-1].ID
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%+v: %d events, want %d", asked, len(got), len(want))
			}
		}
		for _, far := range []journal.Query{{Before: "c39b1a4090410aca"}, {Before: "ffffffffffffffff", Task: "a"}} { // the index is behind all events
			far.Limit = 1000
			if list, err := l.List(far); err != nil || len(list) == 0 {
				t.Errorf("%+v: %d events, %v", far, len(list), err)
			}
		}
		for _, far := range []journal.Query{{After: "c39b1a4090410aca"}, {After: "ffffffffffffffff", Task: "a"}, {Since: time.Unix(1<<50, 0)}} {
			far.Limit = 1000
			if list, err := l.List(far); err != nil || len(list) != 0 {
				t.Errorf("%+v: %d events, %v", far, len(list), err)
			}
		}
		for _, id := range []string{"x", "00", "zz"} {
			if _, err := l.List(journal.Query{Before: id, Limit: 1}); !errors.Is(err, journal.ErrCursor) {
				t.Errorf("before %q: %v", id, err)
			}
		}
	})
}

// TestEventsWithoutIndex finds those that an earlier Daybook has written, by task, and goes on behind them.
func TestEventsWithoutIndex(t *testing.T) {
	s := storetest.OpenWith(t, store.Options{Dir: "data", FS: vfs.NewMem()})
	defer storetest.Close(t, s)
	table := s.Table("events")
	for i := range 3000 {
		key := binary.BigEndian.AppendUint64(nil, uint64(time.Now().UnixMicro())+uint64(i))
		value := fmt.Sprintf(`{"time":%q,"task":"t%d","kind":"state","text":"%d"}`, time.Now().UTC().Format(time.RFC3339Nano), i%2, i)
		if err := table.Put(key, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	l := journal.New(s)
	if got, _ := texts(t, l, "t1", "", 3); fmt.Sprint(got) != "[2999 2997 2995]" {
		t.Errorf("the events are %v", got)
	}
	if err := l.Add(journal.Event{Task: "t1", Kind: "state", Text: "new"}); err != nil {
		t.Fatal(err)
	}
	if got, _ := texts(t, journal.New(s), "t1", "", 2); fmt.Sprint(got) != "[new 2999]" {
		t.Errorf("the events are %v", got)
	}
}

// TestOldEventsGo with all that lists them.
func TestOldEventsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.OpenWith(t, store.Options{Dir: "data", FS: vfs.NewMem()})
		defer storetest.Close(t, s)
		l := journal.New(s)
		add := func(text string) {
			if err := l.Add(journal.Event{Task: "a", Kind: "state", Text: text, Notice: true}); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 20 {
			add(fmt.Sprint(i))
		}
		time.Sleep(8 * 24 * time.Hour)
		add("new")
		keys := 0
		for range s.Table("events").Scan(nil) {
			keys++
		}
		if keys != 1+4+1 { // the event, four entries, and that there is an index
			t.Errorf("%d keys are left", keys)
		}
	})
}

// BenchmarkList finds a few among 100,000 events.
func BenchmarkList(b *testing.B) {
	s := store.New(store.Options{Dir: b.TempDir()})
	if err := s.Open(b.Context()); err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	fill(b, s, 100_000)
	l := journal.New(s)
	newest, err := l.List(journal.Query{Limit: 3})
	if err != nil {
		b.Fatal(err)
	}
	for name, q := range map[string]journal.Query{
		"newest": {Limit: 100}, "task": {Task: "quiet", Limit: 100}, "kind": {Kind: "rare", Limit: 100}, "none": {Task: "none", Limit: 100},
		"follow": {After: newest[2].ID, Limit: 1000}, "since": {Since: time.Now().Add(time.Hour), Limit: 100}, "old": {Before: "0000000000001000", Limit: 100},
	} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				if _, err := l.List(q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// fill writes events as an earlier Daybook did, which is faster; of one in 10,000 the task is quiet and the kind rare.
func fill(tb testing.TB, s *store.Store, n int) {
	tb.Helper()
	var writes []store.Write
	began := time.Now()
	for i := range n {
		task, kind := "busy", "state"
		if i%10_000 == 0 {
			task, kind = "quiet", "rare"
		}
		value := fmt.Sprintf(`{"time":%q,"task":%q,"kind":%q,"text":"Normal, as it has been for a while and may be again"}`, began.UTC().Format(time.RFC3339Nano), task, kind)
		writes = append(writes, store.Write{Key: binary.BigEndian.AppendUint64(nil, uint64(began.UnixMicro())+uint64(i)), Value: []byte(value)})
	}
	for chunk := range slices.Chunk(writes, 1000) {
		if err := s.Table("events").Apply(chunk); err != nil {
			tb.Fatal(err)
		}
	}
}

// BenchmarkPages asks for a few of many events, in each way.
func BenchmarkPages(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprint("events=", n), func(b *testing.B) {
			s := storetest.OpenWith(b, store.Options{Dir: "data", FS: vfs.NewMem()})
			fill(b, s, n)
			l := journal.New(s)
			if _, err := l.List(journal.Query{Limit: 1}); err != nil { // which makes the index
				b.Fatal(err)
			}
			for b.Loop() {
				for _, q := range []journal.Query{{Task: "none", Limit: 50}, {Kind: "none", Limit: 50}, {Task: "quiet", Kind: "state", Limit: 50}, {Task: "quiet", Notices: true, Limit: 50}, {Task: "busy", Limit: 5}, {Limit: 5}} {
					if _, err := l.List(q); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
