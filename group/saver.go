package group

import (
	"log/slog"
	"sync"

	"daybook/store"
)

// saver writes to the store on its own goroutine, so that no group is locked
// across a sync and commits that come together share one. Writes are applied
// in the order of save.
type saver struct {
	table *store.Table
	log   *slog.Logger

	mu     sync.Mutex
	queue  []*write
	wake   chan struct{} // holds one token when the queue may have grown or closed was set
	closed bool
}

// write is something to save. err may be read once done is closed.
type write struct {
	entries []store.Write
	// saved is called on the saver's goroutine after the entries are synced,
	// and before done is closed.
	saved func()
	done  chan struct{}
	err   error
}

func newSaver(t *store.Table, log *slog.Logger) *saver {
	return &saver{table: t, log: log, wake: make(chan struct{}, 1)}
}

// save queues the entries and returns at once. saved may be nil.
func (s *saver) save(entries []store.Write, saved func()) *write {
	w := &write{entries: entries, saved: saved, done: make(chan struct{})}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		w.finish(ErrClosed)
		return w
	}
	s.queue = append(s.queue, w)
	s.signal()
	return w
}

func (s *saver) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *saver) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.signal()
}

// run applies what is queued, everything at once, until the saver is closed
// and empty.
func (s *saver) run() {
	for range s.wake {
		s.mu.Lock()
		queue, closed := s.queue, s.closed
		s.queue = nil
		s.mu.Unlock()
		if len(queue) > 0 {
			s.apply(queue)
		}
		if closed {
			return
		}
	}
}

func (s *saver) apply(queue []*write) {
	var entries []store.Write
	for _, w := range queue {
		entries = append(entries, w.entries...)
	}
	err := s.table.Apply(entries)
	if err != nil {
		s.log.Error("saving groups failed, their commits are refused", "writes", len(queue), "error", err)
	}
	for _, w := range queue {
		w.finish(err)
	}
}

func (w *write) finish(err error) {
	w.err = err
	if err == nil && w.saved != nil {
		w.saved()
	}
	close(w.done)
}

// wait blocks until the write is on disk or has failed. A nil write is done.
func (w *write) wait() error {
	if w == nil {
		return nil
	}
	<-w.done
	return w.err
}

// settled says if wait would return at once.
func (w *write) settled() bool {
	if w == nil {
		return true
	}
	select {
	case <-w.done:
		return true
	default:
		return false
	}
}
