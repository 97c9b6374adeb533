package journal_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cockroachdb/pebble/v2/vfs"

	"daybook/journal"
	"daybook/store"
	"daybook/store/storetest"
)

// refusing runs f with refusals that go to a log, where time goes by at once.
func refusing(t *testing.T, f func(l *journal.Log, r *journal.Refusals)) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.OpenWith(t, store.Options{Dir: "data", FS: vfs.NewMem()})
		l := journal.New(s)
		r := journal.NewRefusals(l, slog.New(slog.DiscardHandler))
		f(l, r)
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		storetest.Close(t, s)
	})
}

func listed(t *testing.T, l *journal.Log) []journal.Event {
	t.Helper()
	events, err := l.List(journal.Query{Limit: 100_000})
	if err != nil {
		t.Fatal(err)
	}
	return events
}

// TestRefusalsAreSummedUp has one client be refused each second for five minutes: one event at once, and then one a minute.
func TestRefusalsAreSummedUp(t *testing.T) {
	refusing(t, func(l *journal.Log, r *journal.Refusals) {
		for i := range 300 {
			r.Add("login_refused", "192.0.2.1", fmt.Sprint("wrong ", i))
			time.Sleep(time.Second)
		}
		time.Sleep(10 * time.Minute)
		events := listed(t, l)
		count := 1
		for _, e := range events[:len(events)-1] {
			n := 0
			if _, err := fmt.Sscanf(e.Text, "%d times more within a minute, the last time: wrong", &n); err != nil {
				t.Errorf("%+v: %v", e, err)
			}
			count += n
		}
		if first := events[len(events)-1]; first.Text != "wrong 0" || first.By != "192.0.2.1" || first.Kind != "login_refused" || count != 300 || len(events) > 7 {
			t.Errorf("%d events of %d refusals, the first is %+v", len(events), count, first)
		}
		// One that comes back later is told at once.
		r.Add("login_refused", "192.0.2.1", "again")
		if now := listed(t, l); len(now) != len(events)+1 || now[0].Text != "again" {
			t.Errorf("%+v", now[0])
		}
	})
}

// TestKnockingFillsNothing knocks from ever other addresses for a day, and by every kind: what is told is bounded,
// what else happened stays, and nothing is left out of the count.
func TestKnockingFillsNothing(t *testing.T) {
	refusing(t, func(l *journal.Log, r *journal.Refusals) {
		if err := l.Add(journal.Event{Kind: "state", Text: "Normal"}); err != nil {
			t.Fatal(err)
		}
		const hours, each = 24, 200
		for i := range hours * 60 {
			for j := range each {
				r.Add([]string{"login_refused", "token_refused", "role_refused"}[j%3], fmt.Sprintf("2001:db8::%x:%x", i, j), "unknown username or wrong password")
			}
			time.Sleep(time.Minute)
		}
		time.Sleep(10 * time.Minute)
		events := listed(t, l)
		if most := 60 + hours*60 + 20; len(events) > most {
			t.Errorf("%d events, want %d at most", len(events), most)
		}
		if events[len(events)-1].Text != "Normal" {
			t.Error("what else happened is gone")
		}
		count := 0
		for _, e := range events[:len(events)-1] {
			n := 1
			_, _ = fmt.Sscanf(e.Text, "%d times more", &n)
			count += n
		}
		if count != hours*60*each {
			t.Errorf("%d refusals are told, there were %d", count, hours*60*each)
		}
	})
}

// TestRefusalsAreHarmless gives names that command terminals, are no UTF-8, or have no end.
func TestRefusalsAreHarmless(t *testing.T) {
	refusing(t, func(l *journal.Log, r *journal.Refusals) {
		for i, name := range []string{"\x1b[2J\r\nforged", "\xff\xfe", "\u202egnp.exe", strings.Repeat("é", 100_000), strings.Repeat("\x00", 1<<20)} {
			r.Add("login_refused", fmt.Sprint(i, name), "user "+name)
		}
		events := listed(t, l)
		if len(events) != 5 {
			t.Errorf("%d events", len(events))
		}
		for _, e := range events {
			for _, s := range []string{e.By, e.Text} {
				if !utf8.ValidString(s) || utf8.RuneCountInString(s) > 301 || strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) }) {
					t.Errorf("%q", s[:min(len(s), 100)])
				}
			}
		}
	})
}

// TestRefusalsAtTheEnd are told when Daybook ends.
func TestRefusalsAtTheEnd(t *testing.T) {
	refusing(t, func(l *journal.Log, r *journal.Refusals) {
		for range 3 {
			r.Add("token_refused", "192.0.2.1", "a wrong token")
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if events := listed(t, l); len(events) != 2 || !strings.HasPrefix(events[0].Text, "2 times more") {
			t.Errorf("%+v", events)
		}
	})
}
