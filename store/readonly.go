package store

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// readOnlyFS shows Pebble a database that is not to be changed in any way.
type readOnlyFS struct {
	vfs.FS
	hidden []string // files that are as if not there
	log    openLog  // nil: write-ahead logs are what they are
}

// openLog opens what is to be in the place of a write-ahead log.
type openLog func(name string) (vfs.File, error)

var errReadOnlyFS = errors.New("the data directory is only read")

func (f *readOnlyFS) List(dir string) ([]string, error) {
	names, err := f.FS.List(dir)
	return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(f.hidden, name) }), err
}

func (f *readOnlyFS) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	if f.log == nil || !strings.HasSuffix(name, ".log") {
		return f.FS.Open(name, opts...)
	}
	return f.log(f.FS.PathBase(name))
}

func (f *readOnlyFS) Create(string, vfs.DiskWriteCategory) (vfs.File, error) {
	return nil, errReadOnlyFS
}

func (f *readOnlyFS) OpenReadWrite(string, vfs.DiskWriteCategory, ...vfs.OpenOption) (vfs.File, error) {
	return nil, errReadOnlyFS
}

func (f *readOnlyFS) ReuseForWrite(string, string, vfs.DiskWriteCategory) (vfs.File, error) {
	return nil, errReadOnlyFS
}

func (f *readOnlyFS) Link(string, string) error   { return errReadOnlyFS }
func (f *readOnlyFS) Rename(string, string) error { return errReadOnlyFS }
func (f *readOnlyFS) Remove(string) error         { return errReadOnlyFS }
func (f *readOnlyFS) RemoveAll(string) error      { return errReadOnlyFS }

// Unwrap lets Pebble find the file system that it knows.
func (f *readOnlyFS) Unwrap() vfs.FS { return f.FS }

// openReadOnly opens the database without a change to it, with its write-ahead
// logs as log opens them.
func (s *Store) openReadOnly(log openLog) error {
	hidden, err := s.damagedOptions()
	if err != nil {
		return err
	}
	o := s.pebbleOptions(s.lock)
	o.ReadOnly, o.FS = true, &readOnlyFS{s.opts.FS, hidden, log}
	db, err := pebble.Open(s.opts.Dir, o)
	if err != nil {
		return describeRead(err)
	}
	s.db = db
	return nil
}

// closeReadOnly closes it again.
func (s *Store) closeReadOnly() error {
	db := s.db
	s.db = nil
	return db.Close()
}

// takeDirToRead locks the directory as takeDir does. On a file system that is mounted
// read-only, such as a snapshot of a disk, there may be no file to lock.
func takeDirToRead(fsys vfs.FS, dir string) (*pebble.Lock, error) {
	lock, err := takeDir(fsys, dir)
	if errors.Is(err, syscall.EROFS) {
		return takeDir(&readOnlyMount{fsys}, dir)
	}
	return lock, err
}

// readOnlyMount locks a file without writing to it.
type readOnlyMount struct{ vfs.FS }

// Lock takes a read lock, which a process that has the directory open through another
// mount refuses with EAGAIN. Who could take the lock afterwards cannot write either, or finds it taken.
func (f *readOnlyMount) Lock(name string) (io.Closer, error) {
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return io.NopCloser(nil), nil
	}
	if err != nil {
		return nil, err
	}
	read := syscall.Flock_t{Type: syscall.F_RDLCK, Whence: io.SeekStart}
	if err := syscall.FcntlFlock(file.Fd(), syscall.F_SETLK, &read); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}
