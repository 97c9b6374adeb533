// Package journal keeps what happened, for people to look at: states that
// changed, what somebody asked for and who it was, and what a task noticed.
//
// The main types are [Log] and [Event]. Events are kept for seven days, over
// restarts, and no more than [most] of them. [Refusals] makes few events of what
// strangers try often.
//
// Finding events takes time in proportion to what is found, however many there are: each stands
// under what it can be asked for by, see entries.
//
// Guarantee: an event that Add has returned for is synced. It is written after
// what it tells of, so a crash right between loses it and nothing else.
//
// A Log may be used by any goroutine.
package journal

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"daybook/store"
)

const (
	tableName = "events"
	kept      = 7 * 24 * time.Hour
	most      = 100_000
	pruneEach = time.Hour
)

// Event is something that happened.
type Event struct {
	ID   string    `json:"-"` // later ones are greater
	Time time.Time `json:"time"`
	Task string    `json:"task,omitempty"`
	Kind string    `json:"kind"` // such as state, created, partial_images
	Text string    `json:"text"`
	// By is who asked for it; "": nobody did.
	By string `json:"by,omitempty"`
	// Table and Place are what of the source it is about, if of anything: database.table, FILE:OFFSET.
	Table string `json:"table,omitempty"`
	Place string `json:"place,omitempty"`
	// Notice tells that a task noticed it by itself, and that it stopped nothing.
	Notice bool `json:"notice,omitempty"`
}

// Log is the events of a store.
type Log struct {
	table *store.Table

	mu     sync.Mutex // guards the fields below, and is held while an event is written
	ready  bool       // the fields below are known
	last   uint64     // of the keys
	events int        // how many there are
	pruned time.Time
}

// New returns the log of a store.
func New(s *store.Store) *Log { return &Log{table: s.Table(tableName)} }

// Add writes an event; its Time is now. The key is a number that grows: microseconds since
// the epoch, or one more than the last.
func (l *Log) Add(e Event) error {
	now := time.Now()
	e.Time = now.UTC()
	value, err := json.Marshal(&e)
	if err != nil {
		return fmt.Errorf("encode event: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.open(); err != nil {
		return err
	}
	l.last = max(l.last+1, uint64(now.UnixMicro()))
	if err := l.table.Apply(append(e.entries(l.last, []byte{}), store.Write{Key: key(l.last), Value: value})); err != nil {
		return fmt.Errorf("save event: %w", err)
	}
	l.events++
	if now.Sub(l.pruned) > pruneEach {
		l.pruned = now
		return l.prune(now)
	}
	return nil
}

// open finds out what there is, once; l.mu is held. The numbers go on also if the clock was set back.
func (l *Log) open() error {
	if l.ready {
		return nil
	}
	if err := l.index(); err != nil {
		return err
	}
	l.events = 0
	for kv, err := range l.table.Back(nil, key(afterEvents)) {
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		if l.events++; l.events == 1 {
			l.last = binary.BigEndian.Uint64(kv.Key)
		}
	}
	l.ready = true
	return nil
}

// prune deletes what is too old, or too much, the oldest first.
func (l *Log) prune(now time.Time) error {
	oldest := uint64(now.Add(-kept).UnixMicro())
	var writes []store.Write
	left := l.events
	for kv, err := range l.table.Scan(firstByte) {
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		n := binary.BigEndian.Uint64(kv.Key)
		if n >= oldest && left <= most {
			break
		}
		var e Event
		_ = json.Unmarshal(kv.Value, &e) // of one that is damaged the index stays, and leads to nothing
		writes = append(append(writes, e.entries(n, nil)...), store.Write{Key: kv.Key})
		left--
	}
	if len(writes) == 0 {
		return nil
	}
	if err := l.table.Apply(writes); err != nil {
		return fmt.Errorf("delete old events: %w", err)
	}
	l.events = left
	return nil
}

type actor struct{}

// WithActor returns a context of what somebody asks for.
func WithActor(ctx context.Context, who string) context.Context {
	return context.WithValue(ctx, actor{}, who)
}

// Actor returns who that is; "": nobody.
func Actor(ctx context.Context) string {
	who, _ := ctx.Value(actor{}).(string)
	return who
}
