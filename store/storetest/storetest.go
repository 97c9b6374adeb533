// Package storetest opens stores for tests and checks them when the test ends.
package storetest

import (
	"context"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"daybook/recordbatch"
	"daybook/store"
)

// Open opens a store in memory that is checked and closed when the test ends.
func Open(t testing.TB) *store.Store {
	t.Helper()
	return OpenWith(t, store.Options{Dir: "data", FS: vfs.NewMem()})
}

// OpenWith is Open with other options.
func OpenWith(t testing.TB, o store.Options) *store.Store {
	t.Helper()
	s := store.New(o)
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { Close(t, s) })
	return s
}

// Close checks and closes a store. Closing one twice is no mistake.
func Close(t testing.TB, s *store.Store) {
	t.Helper()
	if err := s.Check(context.Background()); err != nil && err != store.ErrClosed {
		t.Errorf("store is not consistent: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("close store: %v", err)
	}
}

// Batch returns a batch of records without keys.
func Batch(timestampMillis int64, values ...string) []byte {
	var b recordbatch.Builder
	for _, v := range values {
		b.Append(timestampMillis, nil, []byte(v))
	}
	return b.Finish()
}
