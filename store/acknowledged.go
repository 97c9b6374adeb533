package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Where the write-ahead log cannot be read any more, nothing in it tells whether a
// crash has torn it there, as it may, or what was synced is damaged. So each write to a
// log or to the small tables has a number, which is in its batch; once that is
// synced, and before anyone is told, the number goes to a small file.
// A database whose numbers are below those of the file has lost what was acknowledged.

const acknowledgedName = "acknowledged"

// syncMarksAfter bounds what a power loss, unlike a kill, can take from the file.
const syncMarksAfter = time.Second

// mark is what was acknowledged last of the writes of one kind.
type mark struct {
	writes uint64 // the number of the last one
	end    int64  // of a log: the high watermark behind it; deletedEnd if it was deleted
}

// The file has a place for the mark of the tables and of each partition.
const (
	markSize   = 32
	tablesMark = 0
)

func partitionMark(id uint32) uint32 { return id + 1 }

func (m mark) encode(place uint32) []byte {
	b := make([]byte, markSize)
	binary.BigEndian.PutUint64(b, m.writes)
	binary.BigEndian.PutUint64(b[8:], uint64(m.end))
	binary.BigEndian.PutUint32(b[16:], place)
	binary.BigEndian.PutUint32(b[20:], crc32.Checksum(b[:20], crc32.MakeTable(crc32.Castagnoli)))
	return b
}

// readMarks returns the marks by their places. One that is torn or damaged is no mark:
// what it would tell is not known.
func readMarks(fsys vfs.FS, dir string) (map[uint32]mark, error) {
	b, err := readFile(fsys, fsys.PathJoin(dir, acknowledgedName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", acknowledgedName, describeRead(err))
	}
	marks := map[uint32]mark{}
	for place := uint32(0); len(b) >= markSize; place, b = place+1, b[markSize:] {
		m := mark{binary.BigEndian.Uint64(b), int64(binary.BigEndian.Uint64(b[8:]))}
		if string(m.encode(place)) == string(b[:markSize]) {
			marks[place] = m
		}
	}
	return marks, nil
}

// counter numbers writes of one kind in the order in which they get into the
// write-ahead log.
type counter struct {
	place uint32 // in the file
	key   []byte

	mu     sync.Mutex // held while a batch is applied, not while it is synced
	writes uint64
}

func newCounter(place uint32) *counter {
	return &counter{place: place, key: writesKey(place)}
}

// load reads how many writes there were. Where that is damaged the file knows; where
// it is not known from there either, numbers may begin anew.
func (c *counter) load(s *Store, marks map[uint32]mark) error {
	writes, err := s.writes(c.place)
	if err != nil && !errors.Is(err, ErrCorrupt) {
		return err
	}
	c.writes = max(writes, marks[c.place].writes)
	return nil
}

// writes returns the number of the last write of a kind.
func (s *Store) writes(place uint32) (uint64, error) {
	v, ok, err := s.lookUp(writesKey(place))
	if err != nil || !ok {
		return 0, err
	}
	if len(v) != 8 {
		return 0, fmt.Errorf("%w: number of writes of %d bytes", ErrCorrupt, len(v))
	}
	return numberOf(v), nil
}

func numberOf(v []byte) uint64 { return binary.BigEndian.Uint64(v) }

// apply gives a batch its number, unless c is nil, and applies it without waiting
// for the sync.
func (c *counter) apply(db *pebble.DB, b *pebble.Batch) (number uint64, err error) {
	if c == nil {
		return 0, db.ApplyNoSyncWait(b, pebble.Sync)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	setOrDelete(b, c.key, binary.BigEndian.AppendUint64(nil, c.writes+1))
	if err := db.ApplyNoSyncWait(b, pebble.Sync); err != nil {
		return 0, err
	}
	c.writes++
	return c.writes, nil
}

// acknowledged is the open file.
type acknowledged struct {
	written chan struct{} // something is to be synced

	mu    sync.Mutex // guards the fields below
	file  vfs.File
	marks map[uint32]mark
}

// openMarks opens the file, or makes it.
func (s *Store) openMarks(marks map[uint32]mark) error {
	if marks == nil {
		marks = map[uint32]mark{}
	}
	fsys := &failStopFS{s.opts.FS, s}
	file, err := s.opts.FS.OpenReadWrite(fsys.PathJoin(s.opts.Dir, acknowledgedName), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	s.marks.file, s.marks.marks = &failStopFile{file, fsys}, marks
	return syncDir(s.opts.FS, s.opts.Dir)
}

// put writes the mark of a write that is synced.
func (a *acknowledged) put(place uint32, m mark) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if m.writes <= a.marks[place].writes { // a later one was told of first
		return nil
	}
	if _, err := a.file.WriteAt(m.encode(place), int64(place)*markSize); err != nil {
		return err
	}
	a.marks[place] = m
	select {
	case a.written <- struct{}{}:
	default:
	}
	return nil
}

// syncMarks syncs the file soon after it was written, until ctx is done.
func (s *Store) syncMarks(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.marks.written:
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(syncMarksAfter):
		}
		if err := s.start(s.marks.file.SyncData)(); err != nil {
			return // the store has failed
		}
	}
}

// closeMarks syncs and closes the file.
func (s *Store) closeMarks() error {
	if s.marks.file == nil {
		return nil
	}
	return errors.Join(s.marks.file.Sync(), s.marks.file.Close())
}
