package broker_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"daybook/broker"
)

// However much is refused, in ten seconds a few lines are written for some
// addresses, with the count of all others.
func TestRefusalLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &syncBuffer{}
		r := broker.NewRefusals(slog.New(slog.NewTextHandler(out, nil)), 5)
		refuse := func(address string, n int) (passed int) {
			for range n {
				if r.Pass(address) {
					passed++
				}
			}
			return passed
		}
		want := func(lines ...string) {
			t.Helper()
			synctest.Wait()
			var got []string
			for line := range strings.Lines(out.take()) {
				_, line, _ = strings.Cut(strings.TrimSpace(line), "address=")
				got = append(got, line)
			}
			if fmt.Sprint(got) != fmt.Sprint(lines) {
				t.Errorf("the log has %q, want %q", got, lines)
			}
		}

		if n := refuse("10.0.0.7", 417); n != 5 {
			t.Errorf("%d lines of 417 pass", n)
		}
		if n := refuse("10.0.0.8", 5); n != 5 {
			t.Errorf("%d lines of 5 pass", n)
		}
		time.Sleep(broker.RefusalWindow - time.Second)
		want()
		time.Sleep(time.Second)
		want("10.0.0.7 count=412 within=10s")
		time.Sleep(time.Hour)
		want()

		total := 0
		for i := range 100_000 {
			total += refuse(fmt.Sprint("2001:db8::", i), 1)
		}
		if total > 5*broker.RefusalAddresses || r.Addresses() > broker.RefusalAddresses {
			t.Errorf("%d lines pass, %d addresses are kept", total, r.Addresses())
		}
		r.Close()
		want(fmt.Sprintf("others count=%d within=10s", 100_000-broker.RefusalAddresses))
		r.Close()
		want()
	})
}
