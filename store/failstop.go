package store

import (
	"errors"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// failStopFS keeps errors of writing from Pebble, which answers them by
// panicking with its locks in disorder, or by going on as if the write had
// happened. While the disk is full it waits; any other error fails the store,
// and the goroutine that met it never goes on, so that nothing is built on a
// write that is not there. What was synced is safe, and the process is to end.
type failStopFS struct {
	vfs.FS
	s *Store
}

// spaceRetry is how often a write that found the disk full is tried again.
const spaceRetry = 100 * time.Millisecond

// again reports whether to repeat what gave err: yes after waiting for space,
// no if err is nil. For every other error it does not return. A store that is
// being opened or closed does not wait.
func (f *failStopFS) again(err error) bool {
	if err == nil {
		return false
	}
	full := errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
	if !full || !f.s.calls.taken() {
		f.stop(err)
	}
	f.s.log.Warn("waiting for disk space", "error", describe(err))
	time.Sleep(spaceRetry)
	return true
}

func (f *failStopFS) stop(err error) {
	f.s.failure.setFatal(err)
	select {}
}

func (f *failStopFS) must(err error) {
	if err != nil {
		f.stop(err)
	}
}

func (f *failStopFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(name, category)
	for f.again(err) {
		file, err = f.FS.Create(name, category)
	}
	return &failStopFile{file, f}, nil
}

func (f *failStopFS) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.ReuseForWrite(oldname, newname, category)
	f.must(err)
	return &failStopFile{file, f}, nil
}

func (f *failStopFS) Rename(oldname, newname string) error {
	err := f.FS.Rename(oldname, newname)
	for f.again(err) {
		err = f.FS.Rename(oldname, newname)
	}
	return nil
}

func (f *failStopFS) OpenDir(name string) (vfs.File, error) {
	file, err := f.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &failStopFile{file, f}, nil
}

// Unwrap lets Pebble find the file system that it knows.
func (f *failStopFS) Unwrap() vfs.FS { return f.FS }

type failStopFile struct {
	vfs.File
	fs *failStopFS
}

func (f *failStopFile) Write(p []byte) (int, error) {
	done, err := f.File.Write(p)
	for f.fs.again(err) {
		var n int
		n, err = f.File.Write(p[done:])
		done += n
	}
	return done, nil
}

func (f *failStopFile) WriteAt(p []byte, offset int64) (int, error) {
	n, err := f.File.WriteAt(p, offset)
	for f.fs.again(err) {
		n, err = f.File.WriteAt(p, offset)
	}
	return n, nil
}

// A sync that failed once must not be tried again: the system may have dropped
// the pages that it could not write, and then reports success.

func (f *failStopFile) Sync() error {
	f.fs.must(f.File.Sync())
	return nil
}

func (f *failStopFile) SyncData() error {
	f.fs.must(f.File.SyncData())
	return nil
}

func (f *failStopFile) SyncTo(length int64) (bool, error) {
	full, err := f.File.SyncTo(length)
	f.fs.must(err)
	return full, nil
}
