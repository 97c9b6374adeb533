package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math"
	"strings"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// pebbleFormat is Pebble's own file format, fixed so that a new Pebble does
// not silently make a directory unreadable for the Daybook before it.
const pebbleFormat = pebble.FormatValueSeparation

const (
	memTableSize = 8 << 20
	// separateAbove keeps batches of a few records, positions and checkpoints
	// in the tables.
	separateAbove = 1 << 10
)

// takeDir makes the directory and locks it.
func takeDir(fsys vfs.FS, dir string) (*pebble.Lock, error) {
	if err := makeDir(fsys, dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := pebble.LockDirectory(dir, fsys)
	if err == nil {
		return lock, nil
	}
	// The system answers EAGAIN for a lock of another process; Pebble has no
	// sentinel for one of this process.
	if errors.Is(err, syscall.EAGAIN) || err.Error() == "lock held by current process" {
		return nil, fmt.Errorf("%w (%w)", ErrLocked, err)
	}
	return nil, err
}

func (s *Store) pebbleOptions(lock *pebble.Lock) *pebble.Options {
	compactions := newScheduler()
	o := &pebble.Options{
		FS:                 &failStopFS{s.opts.FS, s},
		Lock:               lock,
		FormatMajorVersion: pebbleFormat,
		CacheSize:          s.opts.CacheBytes,
		Logger:             &pebbleLogger{s},
		EventListener: &pebble.EventListener{
			BackgroundError: func(err error) {
				compactions.failed()
				s.backgroundError(err)
			},
			CompactionEnd: func(i pebble.CompactionInfo) {
				if i.Err == nil {
					compactions.ended()
				}
			},
			WriteStallBegin: s.writeStall,
			DataCorruption: func(i pebble.DataCorruptionInfo) {
				if s.log.Enabled(context.Background(), slog.LevelError) { // it takes its time to format
					s.log.Error("data on disk is damaged", "detail", i.String())
				}
			},
		},

		MemTableSize:                memTableSize,
		MemTableStopWritesThreshold: 3,
		L0CompactionThreshold:       4,
		L0StopWritesThreshold:       500, // what a damaged table may hold up
		LBaseMaxBytes:               64 << 20,
		MaxOpenFiles:                500,

		// A file that is gone or cut is told to who reads there; the rest of the
		// log is good.
		DisableConsistencyCheck: true,

		// Space comes back only once the deletion has left the memtable.
		FlushDelayDeleteRange: time.Second,
	}
	o.Experimental.CompactionScheduler = compactions
	// Batches go to files of their own when they leave the memtable. Compaction
	// moves only their keys, so that each is written twice in all, once of it to
	// the write-ahead log, however large the log becomes. Values are dropped
	// with the tables that name them, so rewriting for their sake is off. Nor
	// does compaction read values for any other reason: where a value file is
	// damaged Pebble panics, which only a reader can survive.
	o.Experimental.ValueSeparationPolicy = func() pebble.ValueSeparationPolicy {
		return pebble.ValueSeparationPolicy{
			Enabled:               true,
			MinimumSize:           separateAbove,
			MaxBlobReferenceDepth: math.MaxInt32,
			RewriteMinimumAge:     time.Hour,
			TargetGarbageRatio:    1,
		}
	}
	// Batches are compressed before Pebble sees them, so that its log shrinks too.
	for i := range o.Levels {
		o.Levels[i].Compression = func() *sstable.CompressionProfile { return sstable.NoCompression }
	}
	return o
}

// makeDir makes a directory with a mode and those above it, and syncs each new
// name: a crash must not take the directory with all that was synced in it.
func makeDir(fsys vfs.FS, dir string, mode fs.FileMode) error {
	if _, err := fsys.Stat(dir); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := fsys.PathDir(dir)
	if parent != dir {
		if err := makeDir(fsys, parent, 0o755); err != nil {
			return err
		}
	}
	if err := fsys.MkdirAll(dir, mode); err != nil {
		return err
	}
	return syncDir(fsys, parent)
}

// commit applies a batch, and returns when it is synced.
func (s *Store) commit(b *pebble.Batch) error {
	return s.commitNumbered(b, nil, 0, nil)
}

// commitNumbered is commit of a write that c numbers. end is of a log: the high
// watermark behind it. meanwhile, if not nil, runs while the disk is busy.
func (s *Store) commitNumbered(b *pebble.Batch, c *counter, end int64, meanwhile func()) error {
	if err := s.failure.get(); err != nil {
		return err
	}
	wait := s.start(func() error {
		// Not Apply: it does not return an error of the sync, it is fatal there.
		number, err := c.apply(s.db, b)
		if err != nil {
			return fmt.Errorf("write to the log: %w", err)
		}
		if err := b.SyncWait(); err != nil {
			return fmt.Errorf("sync the log: %w", err)
		}
		if c != nil {
			if err := s.marks.put(c.place, mark{number, end}); err != nil {
				return fmt.Errorf("write %s: %w", acknowledgedName, err)
			}
		}
		return b.Close()
	})
	if meanwhile != nil {
		meanwhile()
	}
	if err := wait(); err != nil {
		s.failure.set(err)
		return s.failure.get()
	}
	return nil
}

// start runs a call into Pebble that writes, on a goroutine of its own, because
// the call never ends if a write fails: see failStopFS. The function that it
// returns waits for the call, or for that.
func (s *Store) start(call func() error) (wait func() error) {
	done := make(chan error, 1)
	go func() {
		var err error
		defer func() { done <- err }()
		defer recoverDamage(&err)
		err = call()
	}()
	return func() error {
		select {
		case err := <-done:
			return err
		case <-s.failure.fatal:
			return s.failure.get()
		}
	}
}

// backgroundError is told of flushes and compactions that failed and will be
// tried again, with Pebble's lock held. A damaged table is no failure of the store:
// new ones are laid over it.
func (s *Store) backgroundError(err error) {
	if isUnreadable(err) { // what it writes does not fail: see failStopFS
		err = describeRead(err)
	}
	if err = describe(err); errors.Is(err, ErrCorrupt) {
		s.log.Error("a table cannot be compacted, trying again", "error", err)
		s.uncompacted.Store(true)
		return // the scheduler pauses; here nobody else could go on
	}
	s.log.Warn("flush or compaction failed, trying again", "error", err)
	time.Sleep(firstPause) // of a flush Pebble tries the next at once
}

// writeStall is told when writes begin to wait for flushes or compactions.
// Those of a damaged table never end, so the store fails rather than hang.
func (s *Store) writeStall(i pebble.WriteStallBeginInfo) {
	if s.uncompacted.Load() && !strings.Contains(i.Reason, "memtable") {
		s.failure.setFatal(fmt.Errorf("%w: too much has been appended that cannot be compacted", ErrCorrupt))
	}
}

// pebbleLogger passes Pebble's messages on.
type pebbleLogger struct{ s *Store }

func (l *pebbleLogger) Infof(format string, args ...any) {
	if l.s.log.Enabled(context.Background(), slog.LevelDebug) {
		l.s.log.Debug("pebble", "detail", fmt.Sprintf(format, args...))
	}
}

func (l *pebbleLogger) Errorf(format string, args ...any) {
	l.s.log.Warn("pebble", "detail", fmt.Sprintf(format, args...))
}

// Fatalf must not return: Pebble would go on with a state that is not on disk.
// It does not end the process either, so that its owner can say why and stop
// the other parts in order; it stops the calling goroutine for good.
func (l *pebbleLogger) Fatalf(format string, args ...any) {
	l.s.failure.setFatal(fmt.Errorf(format, args...))
	select {}
}
