package store

import (
	"strings"
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

// How often a write that found the disk full is tried again, and told of.
const (
	spaceRetry   = 100 * time.Millisecond
	spaceWarning = 30 * time.Second
)

// retry does a write until there is space for it. It does not return if the
// write fails in another way, or, so that no one waits for ever, if the store
// is being opened or closed.
func (f *failStopFS) retry(write func() error) {
	err := write()
	if err == nil {
		return
	}
	warned := time.Time{}
	for ; err != nil; err = write() {
		if !isDiskFull(err) || !f.s.calls.taken() {
			f.stop(err)
		}
		if time.Since(warned) > spaceWarning {
			warned = time.Now()
			f.s.log.Warn("waiting for disk space", "error", describe(err))
		}
		time.Sleep(spaceRetry)
	}
	f.s.log.Info("there is disk space again")
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

// syncBeforeMarker syncs the directory before a marker in it changes. Pebble makes the
// new marker without knowing that the name of the manifest is on disk to which it leads, and
// removes the old one without knowing that of the new one: a power loss may keep the later
// change and not the earlier.
func (f *failStopFS) syncBeforeMarker(name string) {
	if strings.HasPrefix(f.PathBase(name), "marker.") {
		f.must(syncDir(f.FS, f.PathDir(name)))
	}
}

func (f *failStopFS) Remove(name string) error {
	f.syncBeforeMarker(name)
	return f.FS.Remove(name)
}

func (f *failStopFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f.syncBeforeMarker(name)
	var file vfs.File
	f.retry(func() (err error) {
		file, err = f.FS.Create(name, category)
		return err
	})
	return &failStopFile{file, f}, nil
}

func (f *failStopFS) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.ReuseForWrite(oldname, newname, category)
	f.must(err)
	return &failStopFile{file, f}, nil
}

func (f *failStopFS) Rename(oldname, newname string) error {
	f.retry(func() error { return f.FS.Rename(oldname, newname) })
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
	done := 0
	f.fs.retry(func() error {
		n, err := f.File.Write(p[done:])
		done += n
		return err
	})
	return done, nil
}

func (f *failStopFile) WriteAt(p []byte, offset int64) (int, error) {
	f.fs.retry(func() error {
		_, err := f.File.WriteAt(p, offset)
		return err
	})
	return len(p), nil
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
