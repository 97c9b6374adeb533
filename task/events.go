package task

import (
	"fmt"

	"daybook/binlog"
	"daybook/journal"
)

// notice keeps what the reader tells, which has logged it.
func (t *Task) notice(n binlog.Notice) {
	t.noticed(journal.Event{Kind: string(n.Kind), Text: n.Text, Table: n.Table, Place: eventPlace(n.File, n.Pos)})
}

// noticed keeps something that a person should know of and that stopped nothing, and counts it.
func (t *Task) noticed(e journal.Event) {
	t.mu.Lock()
	if t.notices == nil {
		t.notices = map[string]uint64{}
	}
	t.notices[e.Kind]++
	t.mu.Unlock()
	e.Notice = true
	t.record(e)
}

func eventPlace(file string, pos uint64) string { return fmt.Sprintf("%s:%d", file, pos) }
