package store

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
)

// What a caller may have to decide on. Each message says what to do.
var (
	ErrLocked      = errors.New("another process is using this data directory: stop it, or choose another data_dir")
	ErrNewerFormat = errors.New("the data directory was written by a newer Daybook: use that version, or another data_dir")
	ErrReadOnly    = errors.New("the data directory cannot be written: check its owner, its permissions and that its file system is not mounted read-only")
	ErrDiskFull    = errors.New("the disk is full: free some space, or lower the retention, which needs some to begin with")
	ErrCorrupt     = errors.New("data on disk is damaged: `daybook store check` tells what, `daybook store repair` mends what can be mended while Daybook is stopped")
	// ErrBeyondRepair is of damage that `daybook store repair` does not mend. It comes with ErrCorrupt.
	ErrBeyondRepair = errors.New("data on disk is damaged, and no repair can mend it: restore the directory from a copy, or move it away and start again from the source")
	// ErrStateLost is of a task whose position or schema a repair could not save.
	ErrStateLost        = errors.New("a part of what the task had saved was lost")
	ErrRepairing        = errors.New("a repair of the data directory was interrupted: run `daybook store repair --yes` again")
	ErrNoLog            = errors.New("no log is there")
	ErrOffsetOutOfRange = errors.New("offset out of range")
	ErrClosed           = errors.New("the store is closed")
	ErrDeleted          = errors.New("the topic was deleted")
	// ErrFailed is wrapped, next to its cause, by every write after one that
	// failed: it may or may not be on disk, and only opening the store again tells.
	ErrFailed = errors.New("a write to the data directory failed: fix the disk, then start Daybook again; nothing acknowledged is lost")
)

// describe adds the sentinel that fits what Pebble or the system reported.
func describe(err error) error {
	switch {
	case err == nil || described(err):
		return err
	case isDiskFull(err):
		return fmt.Errorf("%w (%w)", ErrDiskFull, inOneLine{err})
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w (%w)", ErrReadOnly, inOneLine{err})
	case pebble.IsCorruptionError(err):
		return fmt.Errorf("%w (%w)", ErrCorrupt, inOneLine{err})
	case strings.Contains(err.Error(), "format major version"):
		return fmt.Errorf("%w (%w)", ErrNewerFormat, err)
	}
	return err
}

// described tells whether an error wraps a sentinel already.
func described(err error) bool {
	return slices.ContainsFunc([]error{ErrLocked, ErrNewerFormat, ErrReadOnly, ErrDiskFull, ErrCorrupt, ErrClosed, ErrRepairing, ErrNoLog},
		func(known error) bool { return errors.Is(err, known) })
}

func isDiskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// failure is the first error after which no write is possible.
type failure struct {
	log   *slog.Logger
	ch    chan struct{} // closed by the first error
	fatal chan struct{} // closed when Pebble itself gave up: it may hang from now on

	mu      sync.Mutex
	err     error
	isFatal bool
}

func (f *failure) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.setLocked(err)
}

func (f *failure) setFatal(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.setLocked(err)
	if !f.isFatal {
		f.isFatal = true
		close(f.fatal)
	}
}

func (f *failure) setLocked(err error) {
	if f.err != nil {
		return
	}
	f.err = fmt.Errorf("%w: %w", ErrFailed, describe(err))
	f.log.Error("store failed", "error", f.err)
	close(f.ch)
}

func (f *failure) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

func (f *failure) hangs() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.isFatal
}
