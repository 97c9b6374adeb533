package binlog

import "iter"

// Checkpoint is a resume point and the entries that changed since the one
// before; they belong into one atomic write.
type Checkpoint struct {
	Position []byte
	Schema   []SchemaEntry
	// Check is one that has ended since the checkpoint before; what it adopted is
	// in Schema. Nil: none has.
	Check *Check
}

// Checkpoint returns the resume point right after the change that Poll
// returned last.
func (r *Reader) Checkpoint() Checkpoint {
	r.flushSpool()
	p := r.position()
	saved, base := p.encode()
	if base != nil {
		r.entries.put(baseKey, base)
	}
	p.GTIDs = nil // not shared
	r.saved = &p
	cp := Checkpoint{Position: saved, Schema: r.takeEntries()}
	if len(r.adopted) == 0 { // else the changes that tell what it adopted have not been handed out
		cp.Check, r.checked = r.checked, nil
	}
	return cp
}

func (r *Reader) position() position {
	p := &r.progress
	return position{Position: r.stream.pos, taken: p.taken, group: p.group, spooled: p.spool.events, chunks: p.spool.chunks, statement: p.spool.statement}
}

// Moved tells whether the resume point differs from the last checkpoint's.
func (r *Reader) Moved() bool {
	if r.saved == nil {
		return true
	}
	p := r.position()
	return r.saved.File != p.File || r.saved.Pos != p.Pos || r.saved.taken != p.taken || r.saved.spooled != p.spooled || r.Pending() > 0 || r.checked != nil
}

// Redefined returns how many entries of the catalog have changed since the last
// checkpoint, before the change that Poll returned last.
func (r *Reader) Redefined() int { return r.catalog.Changed() }

// RedefinedKeys returns the keys of these entries.
func (r *Reader) RedefinedKeys() iter.Seq[string] { return r.catalog.ChangedKeys() }

// Pending returns the bytes of the entries that the next checkpoint will hold,
// apart from tables' definitions. They stay in memory until then.
func (r *Reader) Pending() int { return r.entries.size }

func (r *Reader) takeEntries() []SchemaEntry {
	all := r.entries.take()
	for _, e := range all {
		if holdsRows(e) {
			r.xa.cache.put(e.Key, e.Value)
		}
	}
	for _, e := range r.catalog.Dirty() {
		all = append(all, SchemaEntry{Key: e.Key, Value: e.Value})
	}
	return all
}
