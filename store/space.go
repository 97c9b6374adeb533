package store

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// checkSpace refuses while little disk space is left, so that Pebble, which
// does not survive a full disk, never meets one: what is left is for its
// compactions, for retention and for the small tables.
// A batch of size bytes goes to the write-ahead log and to a value file.
func (s *Store) checkSpace(size int) error {
	return s.checkFree(uint64(s.opts.ReserveBytes) + 2*uint64(size))
}

// leastFree is what small writes need: Pebble waits for space where a file cannot grow.
const leastFree = 1 << 20

// Writable returns ErrDiskFull while not even small things can be written: the reserve is gone too. What
// is asked for then would wait until there is space.
func (s *Store) Writable() error { return s.checkFree(leastFree) }

func (s *Store) checkFree(least uint64) error {
	free, known, err := s.free()
	if err == nil && known && free < least {
		err = fmt.Errorf("%w (%d MiB are free in %s, %d MiB are kept in reserve)", ErrDiskFull, free>>20, s.opts.Dir, s.opts.ReserveBytes>>20)
	}
	return err
}

// free returns the bytes that may be written yet, if the file system says.
func (s *Store) free() (bytes uint64, known bool, err error) {
	usage, err := s.opts.FS.GetDiskUsage(s.opts.Dir)
	if errors.Is(err, vfs.ErrUnsupported) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("get free disk space: %w", err)
	}
	return usage.AvailBytes, true, nil
}
