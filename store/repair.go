package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// A repair copies what can be read to a new database in a folder of the data
// directory, and then changes the two databases' places. While it does that, a file says how far
// it is, and the store does not open.
const (
	repairedDir = "repaired"
	repairFile  = "repair.state"
)

// Inspect reads everything in a data directory that no process has open, and
// tells what is damaged. It changes nothing of it.
func Inspect(ctx context.Context, o Options, tell func(Damage)) error {
	return withDir(o, takeDirToRead, func(o Options, lock *pebble.Lock) error {
		if err := checkRepaired(o); err != nil {
			return err
		}
		err := salvageTo(ctx, o, lock, nil, tell)
		if errors.Is(err, ErrCorrupt) {
			tell(Damage{What: LostDirectory, Detail: detail(err)})
			return nil
		}
		return err
	})
}

// Repair is Inspect, and puts a database in the place of the damaged one that
// has all of it that can be read. It returns the folder in the data directory that has
// the damaged one now; "" if nothing was damaged.
func Repair(ctx context.Context, o Options, tell func(Damage)) (kept string, err error) {
	err = withDir(o, takeDir, func(o Options, lock *pebble.Lock) error {
		kept, err = resumeRepair(o)
		if kept != "" || err != nil {
			return err
		}
		damaged := false
		err := salvageTo(ctx, o, lock, nil, func(Damage) { damaged = true })
		if errors.Is(err, ErrCorrupt) {
			return &beyondRepair{err}
		}
		if err != nil {
			return err
		}
		if err := removeAll(o.FS, o.FS.PathJoin(o.Dir, repairedDir)); err != nil || !damaged {
			return err // what an earlier try has left is gone
		}
		if err := copyTo(ctx, o, lock, tell); err != nil {
			return errors.Join(err, removeAll(o.FS, o.FS.PathJoin(o.Dir, repairedDir)))
		}
		name, err := newName(o)
		if err != nil {
			return err
		}
		if err := writeFile(o.FS, o.Dir, repairFile, []byte("out "+name)); err != nil {
			return err
		}
		kept, err = resumeRepair(o)
		return err
	})
	return kept, err
}

// withDir runs do while no other process can take the directory.
func withDir(o Options, take func(vfs.FS, string) (*pebble.Lock, error), do func(Options, *pebble.Lock) error) error {
	o = o.withDefaults()
	tell := func(err error) error { return fmt.Errorf("data directory %s: %w", o.Dir, describe(err)) }
	if _, err := o.FS.Stat(o.Dir); errors.Is(err, fs.ErrNotExist) {
		return tell(fmt.Errorf("%w: the directory does not exist", ErrNoLog))
	}
	lock, err := take(o.FS, o.Dir)
	if err != nil {
		return tell(err)
	}
	if err := errors.Join(do(o, lock), lock.Close()); err != nil {
		return tell(err)
	}
	return nil
}

// checkRepaired returns ErrRepairing of a directory whose repair did not come
// to its end.
func checkRepaired(o Options) error {
	_, err := o.FS.Stat(o.FS.PathJoin(o.Dir, repairFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return ErrRepairing
}

// salvageTo opens a directory without a change to it, and salvages it.
func salvageTo(ctx context.Context, o Options, lock *pebble.Lock, to *Store, tell func(Damage)) error {
	s := New(o)
	s.lock = lock
	second, catalogErr := readCatalog(o.FS, o.Dir)
	marks, marksErr := readMarks(o.FS, o.Dir)
	for _, err := range []error{catalogErr, marksErr} {
		if err != nil && !errors.Is(err, ErrCorrupt) {
			return err
		}
		if isUnreadable(err) {
			tell(Damage{What: LostFile, Detail: detail(err)})
		}
	}
	names, err := o.FS.List(o.Dir)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(names, isDatabase) {
		return ErrNoLog
	}
	var lost *lostWrites
	err = s.start(func() (err error) {
		if err = s.checkFiles(second); err == nil {
			lost, err = s.openWhole(marks)
		}
		return err
	})()
	if err != nil {
		return err
	}
	s.calls.open()
	v := &salvage{from: s, to: to, tell: tell, ctx: ctx, marks: marks, lost: lost, onlyLogs: !slices.ContainsFunc(names, isTable)}
	err = v.run(second)
	if err == nil && to != nil {
		to.openClock(second)
	}
	return errors.Join(err, s.start(s.closeReadOnly)())
}

// copyTo makes the database that is to be in the place of the damaged one.
func copyTo(ctx context.Context, o Options, lock *pebble.Lock, tell func(Damage)) error {
	beside := o
	beside.Dir = o.FS.PathJoin(o.Dir, repairedDir)
	to := New(beside)
	if err := to.open(); err != nil {
		return err
	}
	err := salvageTo(ctx, o, lock, to, tell)
	if err == nil {
		b := to.db.NewBatch()
		setOrDelete(b, keyFormat, binary.BigEndian.AppendUint32(nil, formatVersion)) // syncs all before it
		err = errors.Join(to.commit(b), to.saveCatalog())
	}
	return errors.Join(err, to.closeDB())
}

// keptName is the form of what newName returns.
var keptName = regexp.MustCompile(`^damaged-\d{8}T\d{6}(-\d+)?$`)

// newName returns the name of a folder that is not there yet.
func newName(o Options) (string, error) {
	name := "damaged-" + o.Wall().UTC().Format("20060102T150405")
	for n := 1; ; n++ {
		tried := name
		if n > 1 {
			tried = fmt.Sprintf("%s-%d", name, n)
		}
		if _, err := o.FS.Stat(o.FS.PathJoin(o.Dir, tried)); errors.Is(err, fs.ErrNotExist) {
			return tried, nil
		} else if err != nil {
			return "", err
		}
	}
}

// resumeRepair changes the databases' places, or goes on with that.
func resumeRepair(o Options) (kept string, err error) {
	state, err := readFile(o.FS, o.FS.PathJoin(o.Dir, repairFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if _, err := o.FS.Stat(o.FS.PathJoin(o.Dir, repairedDir)); errors.Is(err, fs.ErrNotExist) {
		// The note goes before the folder does: no repair has left it so.
		return "", errors.Join(o.FS.Remove(o.FS.PathJoin(o.Dir, repairFile)), syncDir(o.FS, o.Dir))
	}
	step, kept, _ := strings.Cut(string(state), " ")
	if step != "out" && step != "in" || !keptName.MatchString(kept) {
		return "", &beyondRepair{fmt.Errorf("%w (%s has not what a repair writes: %.80q)", ErrCorrupt, repairFile, state)}
	}
	aside, repaired := o.FS.PathJoin(o.Dir, kept), o.FS.PathJoin(o.Dir, repairedDir)
	if step == "out" {
		if err := makeDir(o.FS, aside, 0o700); err != nil {
			return "", err
		}
		if err := moveFiles(o.FS, o.Dir, aside); err != nil {
			return "", err
		}
		if err := writeFile(o.FS, o.Dir, repairFile, []byte("in "+kept)); err != nil {
			return "", err
		}
	}
	if err := moveFiles(o.FS, repaired, o.Dir); err != nil {
		return "", err
	}
	if err := o.FS.Remove(o.FS.PathJoin(o.Dir, repairFile)); err != nil {
		return "", err
	}
	return kept, errors.Join(syncDir(o.FS, o.Dir), removeAll(o.FS, repaired))
}

// moveFiles moves a database's files.
func moveFiles(fsys vfs.FS, from, to string) error {
	names, err := fsys.List(from)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !isDatabase(name) {
			continue
		}
		if err := fsys.Rename(fsys.PathJoin(from, name), fsys.PathJoin(to, name)); err != nil {
			return err
		}
	}
	return errors.Join(syncDir(fsys, to), syncDir(fsys, from))
}

// isDatabase tells whether a file is Pebble's, or goes with it.
func isDatabase(name string) bool {
	for _, suffix := range []string{".sst", ".blob", ".log"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	for _, prefix := range []string{"MANIFEST-", "OPTIONS-", "marker."} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return name == catalogName || name == acknowledgedName
}

// isTable tells whether a file holds keys or values that are not in a write-ahead log any more.
func isTable(name string) bool {
	return strings.HasSuffix(name, ".sst") || strings.HasSuffix(name, ".blob")
}

func removeAll(fsys vfs.FS, name string) error {
	err := fsys.RemoveAll(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
