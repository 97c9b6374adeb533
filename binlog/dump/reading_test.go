package dump_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"daybook/binlog/dump"
)

// reading is a Feed that is read by a test.
type reading struct {
	*dump.Feed
	t  *testing.T
	at *dump.Position // where it resumes: always the same place
}

func read(t *testing.T, src dump.Source, at *dump.Position) *reading {
	t.Helper()
	r := &reading{dump.NewFeed(dump.FeedOptions{Source: src, ServerID: dump.RandomServerID(), Logger: slog.New(slog.NewTextHandler(t.Output(), nil))}, nil), t, at}
	r.Start(at)
	t.Cleanup(r.Close)
	return r
}

// await reads until what returns true, or the connection ends.
func (r *reading) await(what func(dump.Event) bool) error {
	r.t.Helper()
	timeout := time.After(time.Minute)
	for {
		e, ok, c, err := r.Next()
		switch {
		case err != nil:
			return err
		case ok && what(e):
			return nil
		case ok || c != nil:
			continue
		}
		select {
		case <-r.Ready():
		case <-timeout:
			return errors.New("nothing came for a minute")
		}
	}
}

// text waits for an event that holds s.
func (r *reading) text(s string) error {
	r.t.Helper()
	return r.await(func(e dump.Event) bool { return strings.Contains(string(e.Body), s) })
}

// lost waits for a transient error.
func (r *reading) lost() {
	r.t.Helper()
	if err := r.await(func(dump.Event) bool { return false }); !dump.IsTransient(err) {
		r.t.Fatalf("error %v, which is not transient", err)
	}
}
