package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/wal"
)

// writesFound is which numbered writes a database has: those in its tables, and those
// in the write-ahead logs that are to be read on top of them.
type writesFound struct {
	s      *Store            // open without its logs
	newest map[uint32]uint64 // by place of its mark, the newest write that is in a log
	middle map[uint32]bool   // of what writes are missing that have others behind them

	batch   []byte   // the one that is read
	bad     []string // the logs that cannot be read to their ends
	refused bool     // Pebble would not open the database for their sake
}

func newWritesFound(s *Store) *writesFound {
	return &writesFound{s: s, newest: map[uint32]uint64{}, middle: map[uint32]bool{}}
}

// newestOf returns the number of the newest write that is there. It is not known where
// tables are damaged, which is told to who needs what is in them.
func (f *writesFound) newestOf(place uint32) (number uint64, known bool, err error) {
	if number, ok := f.newest[place]; ok {
		return number, true, nil
	}
	number, err = f.s.writes(place)
	if errors.Is(err, ErrCorrupt) {
		return 0, false, nil
	}
	return number, err == nil, err
}

// add notes a write that is in a log.
func (f *writesFound) add(place uint32, number uint64) error {
	before, known, err := f.newestOf(place)
	if known && number > before+1 {
		f.middle[place] = true
	}
	f.newest[place] = max(before, number)
	return err
}

// lostWrites is what a database lacks of what was acknowledged, because a
// write-ahead log is damaged or gone.
type lostWrites struct {
	logs   []string        // what is wrong with which
	newest map[uint32]bool // by place of its mark, of what the newest writes are lost
	middle map[uint32]bool // of what writes are lost that have others behind them
	// unnamed is the newest table that the manifest does not name, "" if it names that, and
	// named whether it names any: one without its end is of an older state.
	unnamed string
	named   bool
}

// lost compares what there is with what was acknowledged; nil if nothing is missing.
func (f *writesFound) lost(marks map[uint32]mark) (*lostWrites, error) {
	l := &lostWrites{logs: f.bad, newest: map[uint32]bool{}, middle: f.middle}
	for place, mark := range marks {
		number, known, err := f.newestOf(place)
		if err != nil {
			return nil, err
		}
		if known && number < mark.writes {
			l.newest[place] = true
		}
	}
	if len(l.newest) == 0 && len(l.middle) == 0 && !f.refused {
		return nil, nil
	}
	return l, nil
}

func (l *lostWrites) detail() string {
	if len(l.logs) == 0 && l.unnamed != "" {
		return "the manifest (MANIFEST-*) is damaged or of an older state: it does not name " + l.unnamed + ", and what was acknowledged last is missing"
	}
	if len(l.logs) == 0 {
		return "a write-ahead log (*.log) is gone or of an older state: what was acknowledged last is missing"
	}
	return "write-ahead log " + strings.Join(l.logs, ", ") + ", and what was acknowledged is behind that"
}

// of tells whether writes to a log, or the small tables, are lost.
func (l *lostWrites) of(place uint32) bool {
	return l != nil && (l.newest[place] || l.middle[place])
}

// openTables opens the database read-only, as if its write-ahead logs were empty. It
// returns those that Pebble would read.
func (s *Store) openTables() (wal.Logs, error) {
	var names []string
	empty := vfs.NewMem()
	err := s.openReadOnly(func(name string) (vfs.File, error) {
		names = append(names, name)
		f, err := empty.Create(name, vfs.WriteCategoryUnspecified)
		if err != nil {
			return nil, err
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
		return empty.Open(name)
	})
	if err != nil {
		return nil, err
	}
	logs, err := wal.Scan(wal.Dir{FS: s.opts.FS, Dirname: s.opts.Dir})
	if err != nil {
		return nil, errors.Join(err, s.closeReadOnly())
	}
	return slices.DeleteFunc(logs, func(log wal.LogicalLog) bool { return !slices.Contains(names, logName(log)) }), nil
}

// lostNow returns what would be lost if Pebble opened the database.
func (s *Store) lostNow(logs wal.Logs, marks map[uint32]mark) (*lostWrites, error) {
	found, err := s.readLogs(logs)
	if err != nil {
		return nil, err
	}
	lost, err := found.lost(marks)
	if err == nil && lost != nil {
		lost.unnamed, lost.named, err = s.newestUnnamed()
	}
	return lost, err
}

// newestUnnamed looks for a table that is newer than all that the manifest names.
func (s *Store) newestUnnamed() (unnamed string, named bool, err error) {
	levels, err := s.db.SSTables()
	if err != nil {
		return "", false, err
	}
	newest := ""
	for _, level := range levels {
		for _, table := range level {
			newest = max(newest, table.BackingSSTNum.String()+".sst")
		}
	}
	names, err := s.opts.FS.List(s.opts.Dir)
	for _, name := range names {
		if strings.HasSuffix(name, ".sst") && name > max(newest, unnamed) {
			unnamed = name
		}
	}
	return unnamed, newest != "", err
}

// checkAcknowledged returns an error if what was acknowledged cannot be read.
func (s *Store) checkAcknowledged(marks map[uint32]mark) error {
	if len(marks) == 0 {
		return nil
	}
	logs, err := s.openTables()
	if err != nil {
		return err
	}
	lost, err := s.lostNow(logs, marks)
	switch {
	case lost == nil:
	case lost.unnamed != "" && !lost.named:
		err = &beyondRepair{errors.New(lost.detail())}
	default:
		err = fmt.Errorf("%w: %s", ErrCorrupt, lost.detail())
	}
	return errors.Join(err, s.closeReadOnly())
}

// openWhole opens the database read-only. If its write-ahead logs lack what was
// acknowledged, it has all of them that can be read, and what it lacks still is told.
func (s *Store) openWhole(marks map[uint32]mark) (*lostWrites, error) {
	logs, err := s.openTables()
	if err != nil {
		return nil, err
	}
	lost, err := s.lostNow(logs, marks)
	var mended openLog
	if err == nil && lost != nil {
		mended, err = s.mend(lost, logs, marks)
	}
	if err = errors.Join(err, s.closeReadOnly()); err != nil {
		return nil, err
	}
	return lost, s.openReadOnly(mended)
}

// mend reads the logs behind what is damaged in them, and corrects what is lost.
func (s *Store) mend(lost *lostWrites, logs wal.Logs, marks map[uint32]mark) (openLog, error) {
	mended, found, err := s.mendLogs(logs)
	if err != nil {
		return nil, err
	}
	still, err := found.lost(marks)
	if still == nil { // all is behind the damage
		still = &lostWrites{}
	}
	lost.newest, lost.middle = still.newest, still.middle
	return func(name string) (vfs.File, error) { return mended.Open(name) }, err
}
