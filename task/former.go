package task

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"time"

	"daybook/binlog"
	"daybook/change"
	"daybook/store"
)

// What a record means depends on the definition of its table: a number may be a date.
// So the definition that a table had is kept for as long as the log has records of
// it: under the table's name, and the offset of the first record that it does not hold for.
// What holds for later records are the reader's own entries.

const formerPrefix = "\x00former\x00"

// trimEvery is how often former definitions are looked through for such as nobody
// can ask for any more.
const trimEvery = 10 * time.Minute

func formerKey(table []byte, end int64) []byte {
	key := append([]byte(formerPrefix), table...)
	return binary.BigEndian.AppendUint64(append(key, 0), uint64(end))
}

// redefined tells of the entries that changed within a batch before which of its records
// that was.
type redefined struct {
	seen  int
	first map[string]int
}

// note is called when another number of entries has changed, before the next change is
// added to so many records.
func (r *redefined) note(n int, keys iter.Seq[string], records int) {
	r.seen = n
	if r.first == nil {
		r.first = make(map[string]int)
	}
	for key := range keys {
		if _, known := r.first[key]; !known {
			r.first[key] = records
		}
	}
}

// former returns what keeps the definitions that these writes, saved together with so
// many records, replace. Of several in one batch it is the first; schema changes in the log
// tell of those between.
func (s *saved) former(writes []store.Write, records int, since redefined) ([]store.Write, error) {
	var kept []store.Write
	base := s.partition.HighWatermark()
	for _, w := range writes {
		key, ours := s.readerKey(w.Key)
		if !ours || !bytes.HasPrefix(key, []byte(binlog.SavedTableKeys)) {
			continue
		}
		old, err := s.value(key)
		if err != nil || old == nil || bytes.Equal(old, w.Value) {
			if err != nil {
				return nil, fmt.Errorf("read former definition: %w", err)
			}
			continue
		}
		end, known := since.first[string(key)]
		if !known {
			end = records
		}
		if kept, err = s.keep(kept, key, old, base+int64(end)); err != nil {
			return nil, err
		}
	}
	if len(kept) == 0 || time.Since(s.trimmed) < trimEvery {
		return kept, nil
	}
	s.trimmed = time.Now()
	return s.trim(kept)
}

// keep adds a definition, unless there is one up to that place: then no record has
// this one.
func (s *saved) keep(kept []store.Write, key, value []byte, end int64) ([]store.Write, error) {
	at := formerKey(key, end)
	_, there, err := s.partition.SchemaValue(at)
	if err != nil || there {
		return kept, err
	}
	return append(kept, store.Write{Key: at, Value: value}), nil
}

// formerOfAll is former for entries of the next generation in place of all.
func (s *saved) formerOfAll(entries []binlog.SchemaEntry) ([]store.Write, error) {
	end := s.partition.HighWatermark()
	if end == s.partition.LogStartOffset() {
		return nil, nil
	}
	next := make(map[string][]byte, len(entries))
	for _, e := range entries {
		next[string(e.Key)] = e.Value
	}
	var kept []store.Write
	for kv, err := range s.partition.SchemaUnder(append(prefix(s.generation), binlog.SavedTableKeys...), nil) {
		if err != nil {
			return nil, fmt.Errorf("read former definition: %w", err)
		}
		key, ours := s.readerKey(kv.Key)
		if !ours || bytes.Equal(next[string(key)], kv.Value) {
			continue
		}
		if kept, err = s.keep(kept, key, kv.Value, end); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

// trim adds the deletion of definitions that no record in the log has.
func (s *saved) trim(writes []store.Write) ([]store.Write, error) {
	start := s.partition.LogStartOffset()
	for kv, err := range s.partition.SchemaUnder([]byte(formerPrefix), nil) {
		if err != nil {
			return nil, fmt.Errorf("read former definition: %w", err)
		}
		if end, ok := formerEnd(kv.Key); ok && end <= start {
			writes = append(writes, store.Write{Key: kv.Key})
		}
	}
	return writes, nil
}

func formerEnd(key []byte) (int64, bool) {
	if len(key) < 8 {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(key[len(key)-8:])), true
}

// TableAt returns the definition that a table had for the record of that offset, or nil if
// it is not known, and the first offset that it does not hold for.
func TableAt(p *store.Partition, database, table string, offset int64) (t *change.Table, until int64, err error) {
	for _, key := range binlog.SavedTableKeysOf(database, table) {
		value, until, err := valueAt(p, []byte(key), offset)
		if err != nil {
			return nil, 0, fmt.Errorf("read the definition of %s.%s: %w", database, table, err)
		}
		if value != nil {
			t, err := binlog.SavedTable(value)
			return t, until, err
		}
	}
	return nil, offset + 1, nil
}

// valueAt reads the present definition before the former ones: if it has changed since,
// one of those holds.
func valueAt(p *store.Partition, key []byte, offset int64) (value []byte, until int64, err error) {
	for {
		s, err := openSaved(p)
		if err != nil {
			return nil, 0, err
		}
		until := p.HighWatermark() // what is appended later may be of another definition
		present, err := s.value(key)
		if err != nil {
			return nil, 0, err
		}
		under := formerKey(key, 0)
		for kv, err := range p.SchemaUnder(under[:len(under)-8], binary.BigEndian.AppendUint64(nil, uint64(offset)+1)) {
			end, _ := formerEnd(kv.Key)
			return kv.Value, end, err
		}
		again, err := openSaved(p)
		if err != nil || again.generation == s.generation {
			return present, max(until, offset+1), err
		}
	}
}
