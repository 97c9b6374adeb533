package task

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"iter"
	"time"

	"daybook/binlog"
	"daybook/store"
)

// saved is what a task keeps in its partition beside the records: the reader's
// position and schema entries, and what is its own.
//
// The reader's entries belong to a generation. A task that begins anew writes
// those of the next one in as many appends as they need, while the old ones
// are still what a crash goes back to; the append that saves the position
// tells which generation is good. So beginning is atomic, however many tables
// there are.
type saved struct {
	partition  *store.Partition
	generation uint32
	stale      bool      // entries of another generation were seen
	trimmed    time.Time // when former definitions were last looked through
}

// The keys among the partition's schema entries. The reader's own begin with
// a letter: before there were generations they stood without a prefix.
const (
	ownPrefix        = 0x00 // of the keys below
	generationPrefix = 0x01 // and four bytes: of the reader's entries
)

var (
	keyGeneration = []byte("\x00generation")
	keyCommand    = []byte("\x00command")
	keyCheck      = []byte("\x00definitions") // what the checks of the definitions found
)

// pieceBytes is how much of the schema goes into one append.
const pieceBytes = 1 << 20

func openSaved(p *store.Partition) (*saved, error) {
	v, _, err := p.SchemaValue(keyGeneration)
	if err != nil {
		return nil, fmt.Errorf("read generation of the saved schema: %w", err)
	}
	s := &saved{partition: p}
	switch len(v) {
	case 0:
	case 4:
		s.generation = binary.BigEndian.Uint32(v)
	default:
		return nil, fmt.Errorf("%w: generation of the saved schema is %x", binlog.ErrSaved, v)
	}
	return s, nil
}

// prefix returns what the keys of a generation begin with.
func prefix(generation uint32) []byte {
	if generation == 0 {
		return nil
	}
	return binary.BigEndian.AppendUint32([]byte{generationPrefix}, generation)
}

// readerKey returns the reader's part of a key, if it is of this generation.
func (s *saved) readerKey(key []byte) ([]byte, bool) {
	if s.generation == 0 {
		return key, !isOwn(key) && !bytes.HasPrefix(key, []byte{generationPrefix})
	}
	return bytes.CutPrefix(key, prefix(s.generation))
}

func isOwn(key []byte) bool { return bytes.HasPrefix(key, []byte{ownPrefix}) }

// state returns what saves a checkpoint.
func (s *saved) state(cp binlog.Checkpoint) store.State {
	return store.State{Position: cp.Position, Schema: s.writes(s.generation, cp.Schema)}
}

func (s *saved) writes(generation uint32, entries []binlog.SchemaEntry) []store.Write {
	writes := make([]store.Write, 0, len(entries))
	for _, e := range entries {
		writes = append(writes, store.Write{Key: append(prefix(generation), e.Key...), Value: e.Value})
	}
	return writes
}

// schema returns the reader's entries; an error ends them early and is left
// in err.
func (s *saved) schema(err *error) iter.Seq2[[]byte, []byte] {
	return func(yield func([]byte, []byte) bool) {
		for kv, e := range s.partition.Schema() {
			if e != nil {
				*err = fmt.Errorf("read saved schema: %w", e)
				return
			}
			key, ours := s.readerKey(kv.Key)
			if !ours {
				s.stale = s.stale || !isOwn(kv.Key)
				continue
			}
			if !yield(key, kv.Value) {
				return
			}
		}
	}
}

// value returns one of the reader's entries, nil if there is none.
func (s *saved) value(key []byte) ([]byte, error) {
	v, _, err := s.partition.SchemaValue(append(prefix(s.generation), key...))
	return v, err
}

// begin makes the checkpoint of a reader that began anew the task's position,
// together with a batch of records (nil: none) and further writes. It returns
// the batch's offset. What is left of the old generation is stale then.
func (s *saved) begin(cp binlog.Checkpoint, batch []byte, further ...store.Write) (int64, error) {
	if err := s.sweep(); err != nil { // what an earlier try has left
		return 0, err
	}
	next := s.generation + 1
	rest, err := s.formerOfAll(cp.Schema)
	if err != nil {
		return 0, err
	}
	rest = append(rest, s.writes(next, cp.Schema)...)
	for n := piece(rest); n < len(rest); n = piece(rest) {
		if _, err := s.partition.Append(nil, store.State{Schema: rest[:n]}); err != nil {
			return 0, err
		}
		rest = rest[n:]
	}
	rest = append(rest, store.Write{Key: keyGeneration, Value: binary.BigEndian.AppendUint32(nil, next)})
	offset, err := s.partition.Append(batch, store.State{Position: cp.Position, Schema: append(rest, further...)})
	if err != nil {
		return 0, err
	}
	s.generation, s.stale = next, true
	return offset, nil
}

// piece returns how many of the writes go into one append.
func piece(writes []store.Write) int {
	size := 0
	for i, w := range writes {
		if size += len(w.Key) + len(w.Value); size > pieceBytes && i > 0 {
			return i
		}
	}
	return len(writes)
}

// sweep deletes the entries of other generations.
func (s *saved) sweep() error {
	for {
		var stale []store.Write
		size := 0
		for kv, err := range s.partition.Schema() {
			if err != nil {
				return fmt.Errorf("read saved schema: %w", err)
			}
			if _, ours := s.readerKey(kv.Key); ours || isOwn(kv.Key) {
				continue
			}
			stale = append(stale, store.Write{Key: kv.Key})
			if size += len(kv.Key); size > pieceBytes {
				break
			}
		}
		if len(stale) == 0 {
			s.stale = false
			return nil
		}
		if _, err := s.partition.Append(nil, store.State{Schema: stale}); err != nil {
			return err
		}
	}
}
