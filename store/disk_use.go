package store

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// DiskUse is what the data directory takes of its disk.
type DiskUse struct {
	Used uint64 // bytes of the files in it
	Free uint64 // bytes that may be written yet; 0 where the file system does not say
}

// DiskUse looks at the files that there are now.
func (s *Store) DiskUse() (DiskUse, error) {
	var u DiskUse
	var err error
	if u.Used, err = usedBelow(s.opts.FS, s.opts.Dir); err != nil {
		return u, fmt.Errorf("look at the data directory: %w", err)
	}
	u.Free, _, err = s.free()
	return u, err
}

// usedBelow adds up the files of a directory. One that is gone meanwhile has nothing.
func usedBelow(fsys vfs.FS, dir string) (uint64, error) {
	names, err := fsys.List(dir)
	if err != nil {
		return 0, err
	}
	var used uint64
	for _, name := range names {
		path := fsys.PathJoin(dir, name)
		info, err := fsys.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return 0, err
		case !info.IsDir():
			used += uint64(info.Size())
			continue
		}
		below, err := usedBelow(fsys, path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, err
		}
		used += below
	}
	return used, nil
}
