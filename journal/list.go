package journal

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"daybook/store"
)

// Keys of the table: an event has eight bytes, of which the first is zero until the year 4253; an entry of
// the index a letter, what it is listed by, a zero byte, and the event's key. The index is whole where
// indexed is.
const afterEvents = 1 << 56

var (
	firstByte = []byte{0}
	indexed   = []byte("i")
)

func key(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// under is the key of a number in the list of a label.
func under(label []byte, n uint64) []byte { return append(slices.Clip(label), key(n)...) }

// The letters of the index.
const (
	byKind        = 'k'
	byTask        = 't'
	byTaskAndKind = 'b'
	byNotice      = 'n' // those that a task noticed, by task
)

func label(letter byte, texts ...string) []byte {
	b := []byte{letter}
	for _, t := range texts {
		b = append(append(b, t...), 0)
	}
	return b
}

// entries are the writes of an event's entries; without a value they delete them.
func (e *Event) entries(n uint64, value []byte) []store.Write {
	labels := [][]byte{label(byKind, e.Kind)}
	if e.Task != "" {
		labels = append(labels, label(byTask, e.Task), label(byTaskAndKind, e.Task, e.Kind))
	}
	if e.Notice {
		labels = append(labels, label(byNotice, e.Task))
	}
	writes := make([]store.Write, len(labels))
	for i, l := range labels {
		writes[i] = store.Write{Key: under(l, n), Value: value}
	}
	return writes
}

// index makes the index of events that a Daybook without one has written.
func (l *Log) index() error {
	_, done, err := l.table.Get(indexed)
	if err != nil || done {
		return err
	}
	var writes []store.Write
	for kv, err := range l.table.Scan(firstByte) {
		if err != nil {
			return fmt.Errorf("read events: %w", err)
		}
		var e Event
		if len(kv.Key) == 8 && json.Unmarshal(kv.Value, &e) == nil {
			writes = append(writes, e.entries(binary.BigEndian.Uint64(kv.Key), []byte{})...)
		}
		if len(writes) > 1000 {
			if err := l.table.Apply(writes); err != nil {
				return fmt.Errorf("index events: %w", err)
			}
			writes = writes[:0]
		}
	}
	return l.table.Apply(append(writes, store.Write{Key: indexed, Value: []byte{1}}))
}

// ErrCursor is returned for an ID that is none.
var ErrCursor = errors.New("it is no event's ID")

// Query says which events are wanted. What is zero does not matter.
type Query struct {
	Task, Kind string
	Notices    bool      // of the task: what it noticed, of any kind
	Since      time.Time // not before
	Before     string    // not from the event of this ID on
	After      string    // only from behind the event of this ID on
	Limit      int       // at most so many; needed
}

// label is what the events are listed by; empty: all.
func (q *Query) label() []byte {
	switch {
	case q.Notices:
		return label(byNotice, q.Task)
	case q.Task != "" && q.Kind != "":
		return label(byTaskAndKind, q.Task, q.Kind)
	case q.Task != "":
		return label(byTask, q.Task)
	case q.Kind != "":
		return label(byKind, q.Kind)
	}
	return nil
}

// numbers returns from which key on, and below which.
func (q *Query) numbers() (from, below uint64, err error) {
	below = afterEvents
	if q.Before != "" {
		if below, err = number(q.Before); err != nil {
			return 0, 0, err
		}
	}
	if q.After != "" {
		if from, err = number(q.After); err != nil {
			return 0, 0, err
		}
		from = min(from, afterEvents) + 1
	}
	if !q.Since.IsZero() { // a key is never before its event
		from = max(from, uint64(max(q.Since.UnixMicro(), 0)))
	}
	return min(from, afterEvents), min(below, afterEvents), nil // the index is behind
}

func number(id string) (uint64, error) {
	b, err := hex.DecodeString(id)
	if err != nil || len(b) != 8 {
		return 0, ErrCursor
	}
	return binary.BigEndian.Uint64(b), nil
}

// List returns events from the newest on.
func (l *Log) List(q Query) ([]Event, error) {
	from, below, err := q.numbers()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	err = l.open()
	l.mu.Unlock()
	if err != nil {
		return nil, err
	}
	var found []Event
	label := q.label()
	for kv, err := range l.table.Back(under(label, from), under(label, below)) {
		if err != nil {
			return nil, fmt.Errorf("read events: %w", err)
		}
		if len(label) > 0 {
			there := false
			kv.Key = kv.Key[len(label):]
			if kv.Value, there, err = l.table.Get(kv.Key); err != nil {
				return nil, fmt.Errorf("read events: %w", err)
			} else if !there { // it was deleted meanwhile
				continue
			}
		}
		var e Event
		if err := json.Unmarshal(kv.Value, &e); err != nil {
			return nil, fmt.Errorf("%w: event %x: %w", store.ErrCorrupt, kv.Key, err)
		}
		if e.ID = hex.EncodeToString(kv.Key); e.Time.Before(q.Since) {
			continue
		}
		if found = append(found, e); len(found) == q.Limit {
			break
		}
	}
	return found, nil
}
