package binlog

import (
	"daybook/binlog/dump"
)

// fate is how an event group ends, found out before its first row is handed
// out. Servers log a transaction that was rolled back, wholly or to a
// savepoint, when something in it cannot be undone: a table without
// transactions, a temporary table that was created or dropped. What the rest
// of it did is in the binlog and yet undone.
type fate struct {
	bounds
	n          int // events of the group seen; those that are no group's, such as heartbeats, do not count
	savepoints []savepoint
	undone     []span
	known      bool // the group's end was seen
}

// savepoint is one that is set, and the index of the group's event that set it.
type savepoint struct {
	name string
	at   int
}

// span is the group's events from an index up to, not including, another.
type span struct{ from, to int }

// mayBeUndone tells whether a group that begins with e can hold what was rolled
// back. A server that writes MySQL's GTIDs refuses the statements that lead to
// it (enforce_gtid_consistency), so its groups need not be waited for.
func mayBeUndone(e *dump.Event) bool { return e.Type != dump.EvGTID && e.Type != dump.EvGTIDTagged }

// add takes the group's next event. before: the group ended before it, with
// the file: the source crashed while it wrote the group, and never committed it.
func (f *fate) add(e *dump.Event) (before bool, err error) {
	if !e.InGroup() {
		if endsFile(e) {
			f.undo(0)
			f.known = true
			return true, nil
		}
		return false, nil
	}
	var q query
	st := stOther
	switch e.Type {
	case dump.EvQuery, dump.EvQueryCompressed:
		if q, err = readStatement(*e); err != nil {
			return false, err
		}
		st = q.st
		f.follow(&q, st)
	}
	f.known = f.bounds.add(e, &q, st)
	f.n++
	return false, nil
}

func (f *fate) follow(q *query, st statement) {
	switch st {
	case stSavepoint:
		name := savepointOf(q.sql)
		f.release(name)
		f.savepoints = append(f.savepoints, savepoint{name, f.n})
	case stReleaseSavepoint:
		f.release(savepointOf(q.sql))
	case stRollbackTo:
		name := savepointOf(q.sql)
		for i := len(f.savepoints) - 1; i >= 0; i-- {
			if f.savepoints[i].name == name {
				f.undo(f.savepoints[i].at)
				f.savepoints = f.savepoints[:i+1] // it stays, those after it go
				return
			}
		}
		f.undo(0) // its SAVEPOINT is not there: it was the transaction's first statement
	case stRollback, stXARollback:
		f.undo(0)
	}
}

func (f *fate) release(name string) {
	for i, s := range f.savepoints {
		if s.name == name {
			f.savepoints = append(f.savepoints[:i], f.savepoints[i+1:]...)
			return
		}
	}
}

// undo notes that everything since an index was undone.
func (f *fate) undo(from int) {
	kept := f.undone[:0]
	for _, s := range f.undone {
		if s.from < from {
			kept = append(kept, s)
		}
	}
	f.undone = append(kept, span{from, f.n})
}

// isUndone tells whether the change in the group's event of that index was undone.
func (f *fate) isUndone(i int) bool {
	for _, s := range f.undone {
		if s.from <= i && i < s.to {
			return true
		}
	}
	return false
}
