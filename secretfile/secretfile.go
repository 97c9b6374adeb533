// Package secretfile reads and writes files that hold secrets: the token of the
// admin API, and the key of stored passwords.
//
// Guarantees: a file that is written is there whole or not at all, synced, and
// for its owner alone; one of the process's own user that others may read or
// write is refused, as ssh does with private keys. Errors leave out the path, which
// the caller names.
//
// Its functions may be called from any goroutine.
package secretfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// ErrDirectory is returned for what is no file.
var ErrDirectory = errors.New("it is a directory")

// readLimit bounds the wait for who writes into a pipe.
const readLimit = 2 * time.Second

// Read returns the file's content, of a longer one the first most+1 bytes. If others may
// read or write it, the error wraps exposed.
func Read(path string, most int64, exposed error) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // or a pipe that nobody writes into would hold up who asks
	if err != nil {
		return nil, cause(err)
	}
	defer f.Close()
	_ = f.SetReadDeadline(time.Now().Add(readLimit)) // which a file does not need, nor have
	info, err := f.Stat()
	if err != nil {
		return nil, cause(err)
	}
	if info.IsDir() {
		return nil, ErrDirectory
	}
	if st, ok := info.Sys().(*syscall.Stat_t); ok && int(st.Uid) == os.Geteuid() && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("mode %04o: %w", info.Mode().Perm(), exposed)
	}
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	return b, cause(err)
}

// Create writes a file, unless one is there: then that stays, which is no error.
func Create(path, content string) error {
	return write(path, content, func(next string) error {
		if err := os.Link(next, path); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
		return nil
	})
}

// Replace writes a file in the place of one that may be there.
func Replace(path, content string) error {
	return write(path, content, func(next string) error { return os.Rename(next, path) })
}

// write writes the content under another name, and has place give it the right one.
func write(path, content string, place func(next string) error) error {
	next := path + ".new"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return cause(err)
	}
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return cause(err)
	}
	defer os.Remove(next) // which is another name of the file by then, or none
	_, err = f.WriteString(content)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := place(next); err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return cause(err)
	}
	return errors.Join(d.Sync(), d.Close())
}

// cause leaves out the path.
func cause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
