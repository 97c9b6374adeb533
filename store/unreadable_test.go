package store_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"daybook/store"
	"daybook/store/storetest"
)

// refused is the file that the operating system does not let be read, and why.
type refused struct {
	name string
	op   errorfs.OpKind
	err  error
}

func (r *refused) String() string { return r.name }

func (r *refused) MaybeError(op errorfs.Op) error {
	reads := op.Kind == errorfs.OpOpen || op.Kind == errorfs.OpFileRead || op.Kind == errorfs.OpFileReadAt
	if op.Path != "data/"+r.name || !reads || r.op == errorfs.OpFileRead && op.Kind == errorfs.OpOpen {
		return nil
	}
	return &os.PathError{Op: "open", Path: op.Path, Err: r.err}
}

// TestUnreadableFile does not let a file of each kind be opened, or be read, and repairs the
// directory: the file is told by its name with the system's word, and the rest is kept.
func TestUnreadableFile(t *testing.T) {
	t.Parallel()
	whole := makeLog(t, 4, 20)
	for _, name := range newestFiles(t, whole.fs) {
		if strings.HasPrefix(name, "marker.") { // its name is all that is read
			continue
		}
		for _, r := range []*refused{{name, errorfs.OpOpen, syscall.EACCES}, {name, errorfs.OpFileRead, syscall.EISDIR}, {name, errorfs.OpFileRead, syscall.EIO}} {
			t.Run(name+" "+r.err.Error(), func(t *testing.T) { testUnreadable(t, whole, r) })
		}
	}
}

func testUnreadable(t *testing.T, whole *log, r *refused) {
	mem := vfs.NewMem()
	if _, err := vfs.Clone(whole.fs, mem, "data", "data"); err != nil {
		t.Fatal(err)
	}
	o := store.Options{Dir: "data", FS: errorfs.Wrap(mem, r), RecentBytes: 1}
	var told []store.Damage
	tell := func(d store.Damage) { told = append(told, d) }
	if err := store.Inspect(t.Context(), o, tell); err != nil {
		t.Fatalf("inspect: %v", err)
	}
	if strings.HasPrefix(r.name, "OPTIONS-") {
		if len(told) > 0 {
			t.Errorf("told: %v", told)
		}
		return
	}
	named := false
	for _, d := range told {
		number, _, _ := strings.Cut(r.name, ".")
		named = named || strings.Contains(d.Detail, number) && strings.Contains(d.Detail, r.err.Error())
		if strings.Contains(d.Detail, "\n") || strings.Contains(d.Detail, store.ErrCorrupt.Error()) || strings.Contains(d.Detail, "( (") {
			t.Errorf("told: %s", d.Detail)
		}
	}
	if !named {
		t.Errorf("neither the file nor why is told: %v", told)
	}
	s := store.New(o)
	if err := s.Open(t.Context()); err == nil {
		for _, topic := range damagedTopics {
			if p, _ := s.Partition(topic); p.Damaged() == nil {
				(&log{ends: whole.ends}).read(t, p)
			}
		}
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	} else if !errors.Is(err, store.ErrCorrupt) && r.name != "acknowledged" || !strings.Contains(err.Error(), r.name) {
		t.Errorf("open: %v", err)
	}
	told = nil
	_, err := store.Repair(t.Context(), o, tell)
	if strings.HasPrefix(r.name, "MANIFEST-") {
		if !errors.Is(err, store.ErrBeyondRepair) || !strings.Contains(err.Error(), r.err.Error()) {
			t.Errorf("repair: %v", err)
		}
		return
	}
	if err != nil {
		t.Fatalf("repair: %v", err)
	}
	(&log{fs: mem, ends: whole.ends}).wantRepaired(t, store.Options{Dir: "data", FS: mem, RecentBytes: 1}, told)
}

// TestDamagedManifest cuts and flips the manifest everywhere. What opening says leads on: if it
// is that a repair mends the directory it does, and if not the manifest is what it names.
func TestDamagedManifest(t *testing.T) {
	t.Parallel()
	whole := makeLog(t, 4, 20)
	name := ""
	for _, file := range newestFiles(t, whole.fs) {
		if strings.HasPrefix(file, "MANIFEST-") {
			name = file
		}
	}
	size := len(content(t, whole.fs, "data/"+name))
	beyond, mended := 0, 0
	for at := 0; at < size; at += 3 {
		for _, flip := range []bool{false, true} {
			l := &log{fs: vfs.NewMem(), ends: whole.ends}
			if _, err := vfs.Clone(whole.fs, l.fs, "data", "data"); err != nil {
				t.Fatal(err)
			}
			b := content(t, l.fs, "data/"+name)
			if flip {
				b[at] ^= 1 << (at % 8)
			} else {
				b = b[:at]
			}
			put(t, l.fs, "data/"+name, b)
			o := store.Options{Dir: "data", FS: l.fs, RecentBytes: 1}
			var told []store.Damage
			if err := store.Inspect(t.Context(), o, func(d store.Damage) { told = append(told, d) }); err != nil {
				t.Fatalf("inspect at %d: %v", at, err)
			}
			s := store.New(o)
			opening := s.Open(t.Context())
			if opening == nil {
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				continue
			}
			if text := opening.Error(); !strings.Contains(strings.ToLower(text), "manifest") || strings.Contains(text, "\n") {
				t.Errorf("open, flipped %v at %d: %v", flip, at, opening)
			}
			_, err := store.Repair(t.Context(), o, func(store.Damage) {})
			if got := errors.Is(opening, store.ErrBeyondRepair); got != errors.Is(err, store.ErrBeyondRepair) || got != (told[0].What == store.LostDirectory) {
				t.Errorf("flipped %v at %d: open: %v; repair: %v; told: %v", flip, at, opening, err, told)
			}
			if err != nil {
				beyond++
			} else {
				mended++
			}
		}
	}
	t.Logf("%d beyond repair, %d mended", beyond, mended)
}

// TestDirectoryInPlaceOfAFile has a start name the file that a directory is in the place of, and a
// repair lead on.
func TestDirectoryInPlaceOfAFile(t *testing.T) {
	for _, name := range []string{"catalog.json", "acknowledged"} {
		o := store.Options{Dir: t.TempDir()}
		s := store.New(o)
		if err := s.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		l := &log{ends: map[string]int64{}}
		l.append(t, s, "shop")
		storetest.Close(t, s)
		file := filepath.Join(o.Dir, name)
		if err := errors.Join(os.Remove(file), os.Mkdir(file, 0o700)); err != nil {
			t.Fatal(err)
		}
		if err := store.New(o).Open(t.Context()); !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), name) {
			t.Errorf("open: %v", err)
		}
		if _, err := store.Repair(t.Context(), o, func(store.Damage) {}); err != nil {
			t.Errorf("repair: %v", err)
		}
		s = store.New(o)
		if err := s.Open(t.Context()); err != nil {
			t.Fatalf("open after the repair: %v", err)
		}
		if got := partition(t, s, "shop").HighWatermark(); got != l.ends["shop"] {
			t.Errorf("high watermark %d, want %d", got, l.ends["shop"])
		}
		storetest.Close(t, s)
	}
}

// TestDamagedRepairState does nothing at all by a note of a repair that no repair has written.
func TestDamagedRepairState(t *testing.T) {
	for _, content := range []string{"", "ouu damaged-20260102T030405", "out ../../evil", "in damaged-2026"} {
		o := store.Options{Dir: t.TempDir()}
		s := store.New(o)
		if err := s.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		storetest.Close(t, s)
		if err := os.WriteFile(filepath.Join(o.Dir, "repair.state"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		repaired := filepath.Join(o.Dir, "repaired")
		if err := os.Mkdir(repaired, 0o700); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Repair(t.Context(), o, func(store.Damage) {}); !errors.Is(err, store.ErrBeyondRepair) || !strings.Contains(err.Error(), "repair.state") {
			t.Errorf("%q: %v", content, err)
		}
		// Without what it is to put in place, the note means nothing.
		if err := os.Remove(repaired); err != nil {
			t.Fatal(err)
		}
		if kept, err := store.Repair(t.Context(), o, func(d store.Damage) { t.Errorf("damaged: %+v", d) }); kept != "" || err != nil {
			t.Errorf("%q: kept %q, %v", content, kept, err)
		}
		s = store.New(o)
		if err := s.Open(t.Context()); err != nil {
			t.Errorf("%q: %v", content, err)
		}
		storetest.Close(t, s)
	}
}
