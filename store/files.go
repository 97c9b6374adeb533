package store

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/atomicfs"
)

// The marker files, whose names say which manifest is in use, and the format.
const (
	markerManifest = "manifest"
	markerFormat   = "format-version"
)

// checkFiles finds the damage that Pebble would take for something else: for a
// new directory, so that it deletes what it does not know, or for an older state.
func (s *Store) checkFiles(second *catalog) error {
	fsys, dir := s.opts.FS, s.opts.Dir
	names, err := fsys.List(dir)
	if err != nil {
		return err
	}
	used := second.used()
	for _, name := range names {
		used = used || strings.HasSuffix(name, ".sst") || strings.HasSuffix(name, ".blob")
	}
	if !used {
		return nil
	}
	for _, marker := range []string{markerManifest, markerFormat} {
		value, err := atomicfs.ReadMarker(fsys, dir, marker)
		if err != nil || value == "" {
			return &beyondRepair{fmt.Errorf("the file marker.%s.* is missing or misnamed", marker)}
		}
	}
	manifest, err := atomicfs.ReadMarker(fsys, dir, markerManifest)
	if err != nil {
		return err
	}
	whole, err := isWhole(fsys, fsys.PathJoin(dir, manifest))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &beyondRepair{fmt.Errorf("%s is missing", manifest)}
	case isUnreadable(err):
		return &beyondRepair{fmt.Errorf("the manifest cannot be read: %w: mend its permissions or the disk, if you can", err)}
	case err != nil || whole:
		return err
	}
	if err := s.checkOldState(); err != nil {
		return &beyondRepair{fmt.Errorf("%s is damaged, and does not name all files: %w", manifest, err)}
	}
	return nil
}

// damagedOptions returns the files of Pebble's options that cannot be read. Pebble
// reads them only to compare, and writes a new one.
func (s *Store) damagedOptions() (damaged []string, err error) {
	names, err := s.opts.FS.List(s.opts.Dir)
	if err != nil {
		return nil, err
	}
	o := s.pebbleOptions(s.lock)
	o.EnsureDefaults()
	for _, name := range names {
		if !strings.HasPrefix(name, "OPTIONS-") {
			continue
		}
		b, err := readFile(s.opts.FS, s.opts.FS.PathJoin(s.opts.Dir, name))
		if isUnreadable(err) {
			damaged = append(damaged, name)
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := o.CheckCompatibility(s.opts.Dir, string(b)); err != nil && !strings.Contains(err.Error(), "format major version") {
			damaged = append(damaged, name)
		}
	}
	return damaged, nil
}

// removeOptions removes the damaged ones.
func (s *Store) removeOptions() error {
	damaged, err := s.damagedOptions()
	for _, name := range damaged {
		s.log.Warn("a file of options is damaged and written anew", "file", name)
		err = errors.Join(err, s.opts.FS.Remove(s.opts.FS.PathJoin(s.opts.Dir, name)))
	}
	return err
}

// isWhole tells whether a manifest has entries, and ends with a whole one. The last may be
// torn by a crash; damage before it hides all that come after.
func isWhole(fsys vfs.FS, name string) (bool, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return false, err
	}
	defer f.Close()
	some := false
	for r := record.NewReader(f, 0); ; some = true {
		entry, err := r.Next()
		if err == nil {
			_, err = io.Copy(io.Discard, entry)
		}
		switch {
		case err == io.EOF:
			return some, nil
		case record.IsInvalidRecord(err):
			return false, nil
		case err != nil:
			return false, err
		}
	}
}

// checkOldState opens the database without a change to it, and tells whether
// batches are missing in the middle of a log.
func (s *Store) checkOldState() error {
	if err := s.openReadOnly(nil); err != nil {
		return err
	}
	_, used, err := s.lookUp(keyFormat)
	if err == nil && !used {
		err = errEmptied
	}
	var topics []catalogTopic
	if err == nil {
		topics, err = s.readTopics()
	}
	for i := 0; i < len(topics) && err == nil; i++ {
		err = s.checkDense(&topics[i])
	}
	return errors.Join(err, s.closeReadOnly())
}

func (s *Store) checkDense(t *catalogTopic) error {
	p := s.newPartition(t.Topic, t.Partition, [16]byte{})
	if err := p.load(); err != nil {
		return err
	}
	it, err := p.index()
	if err != nil {
		return err
	}
	defer it.Close()
	next := p.start.offset
	for ok := it.First(); ok; ok = it.Next() {
		e, base, err := entryAt(it)
		if err != nil {
			return err
		}
		if base != next {
			return fmt.Errorf("%w: %s lacks offsets %d to %d", ErrCorrupt, t.Topic, next, base-1)
		}
		next = base + int64(e.lastOffsetDelta) + 1
	}
	return it.Err()
}
