package task

import (
	"fmt"
	"time"

	"daybook/binlog"
	"daybook/journal"
)

// Event is something in a task's life that a person should know of and that
// stopped nothing.
type Event struct {
	Time  time.Time
	Kind  string // such as partial_images
	Table string // database.table; "": none
	Text  string
	File  string // where in the binlog
	Pos   uint64
}

// maxEvents bounds the events that are kept; the log has all.
const maxEvents = 50

// events are what was told of a task since Daybook started.
type events struct {
	newest []Event
	counts map[string]uint64
}

func (l *events) add(e Event) {
	if len(l.newest) == maxEvents {
		l.newest = append(l.newest[:0], l.newest[1:]...)
	}
	l.newest = append(l.newest, e)
	if l.counts == nil {
		l.counts = map[string]uint64{}
	}
	l.counts[e.Kind]++
}

// notice keeps what the reader tells, which has logged it.
func (t *Task) notice(n binlog.Notice) {
	t.record(journal.Event{Kind: string(n.Kind), Text: n.Text, Table: n.Table, Place: fmt.Sprintf("%s:%d", n.File, n.Pos)})
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events.add(Event{Time: time.Now(), Kind: string(n.Kind), Table: n.Table, Text: n.Text, File: n.File, Pos: n.Pos})
}
