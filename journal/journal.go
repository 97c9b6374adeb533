// Package journal keeps what happened, for people to look at: states that
// changed, what somebody asked for and who it was, and what a task noticed.
//
// The main types are [Log] and [Event]. Events are kept for seven days, over
// restarts, and no more than [most] of them.
//
// Guarantee: an event that Add has returned for is synced. It is written after
// what it tells of, so a crash right between loses it and nothing else.
//
// A Log may be used by any goroutine.
package journal

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
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
}

// Log is the events of a store.
type Log struct {
	table *store.Table

	mu     sync.Mutex // guards the fields below, and is held while an event is written
	last   uint64     // of the keys
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
	if l.last == 0 {
		if err := l.findLast(); err != nil {
			return err
		}
	}
	l.last = max(l.last+1, uint64(now.UnixMicro()))
	if err := l.table.Put(key(l.last), value); err != nil {
		return fmt.Errorf("save event: %w", err)
	}
	if now.Sub(l.pruned) > pruneEach {
		l.pruned = now
		return l.prune(now)
	}
	return nil
}

func key(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// findLast continues the numbers, also if the clock was set back.
func (l *Log) findLast() error {
	for kv, err := range l.table.Scan(nil) {
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		if len(kv.Key) == 8 {
			l.last = binary.BigEndian.Uint64(kv.Key)
		}
	}
	return nil
}

// prune deletes what is too old, or too much.
func (l *Log) prune(now time.Time) error {
	var keys [][]byte
	for kv, err := range l.table.Scan(nil) {
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		keys = append(keys, kv.Key)
	}
	oldest := key(uint64(now.Add(-kept).UnixMicro()))
	n, _ := slices.BinarySearchFunc(keys, oldest, slices.Compare[[]byte])
	n = max(n, len(keys)-most)
	var writes []store.Write
	for _, k := range keys[:n] {
		writes = append(writes, store.Write{Key: k})
	}
	if len(writes) == 0 {
		return nil
	}
	if err := l.table.Apply(writes); err != nil {
		return fmt.Errorf("delete old events: %w", err)
	}
	return nil
}

// List returns the events of a task ("": all) from the newest on, those below the ID before ("": all), at most
// so many.
func (l *Log) List(task, before string, limit int) ([]Event, error) {
	var all []Event
	for kv, err := range l.table.Scan(nil) {
		if err != nil {
			return nil, fmt.Errorf("read events: %w", err)
		}
		id := hex.EncodeToString(kv.Key)
		if before != "" && id >= before {
			break
		}
		var e Event
		if err := json.Unmarshal(kv.Value, &e); err != nil {
			return nil, fmt.Errorf("%w: event %s: %w", store.ErrCorrupt, id, err)
		}
		if e.ID = id; task != "" && e.Task != task {
			continue
		}
		if all = append(all, e); len(all) >= 2*limit { // no more are kept than are asked for
			all = append(all[:0], all[len(all)-limit:]...)
		}
	}
	slices.Reverse(all)
	return all[:min(limit, len(all))], nil
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
