package auth_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"daybook/auth"
	"daybook/store"
	"daybook/store/storetest"
)

// A restart keeps the stored accounts, and tells nobody by another salt which
// names exist.
func TestRestart(t *testing.T) {
	disk := vfs.NewMem()
	salts := func(r *auth.Registry) (all []string) {
		for _, m := range []auth.Mechanism{auth.ScramSHA256, auth.ScramSHA512} {
			for _, name := range []string{"app-cache", "ops-search", "ops-nobody"} {
				_, answer, err := begin(t, r, m, "n,,n="+name+",r=abc")
				if err != nil {
					t.Fatal(err)
				}
				_, salt, _ := strings.Cut(answer, ",s=")
				all = append(all, salt)
			}
		}
		return all
	}
	s := storetest.OpenWith(t, store.Options{Dir: "data", FS: disk})
	r := open(t, s)
	if err := r.SetFile([]auth.Account{app}); err != nil {
		t.Fatal(err)
	}
	before := salts(r) // when the account to come is unknown
	create(t, r, stored, auth.Account{Account: "ops", Group: "gone", Topic: "shop", Password: "Stored-1"})
	now := stored
	now.Password = "Stored-2"
	if err := r.SetPassword("search", now.Password, false); err != nil {
		t.Fatal(err)
	}
	if err := r.Delete("gone"); err != nil {
		t.Fatal(err)
	}
	list := r.List()
	storetest.Close(t, s)

	r = open(t, storetest.OpenWith(t, store.Options{Dir: "data", FS: disk}))
	wantLogin(t, r, app, auth.ErrDenied) // the file has not been read
	if err := r.SetFile([]auth.Account{app}); err != nil {
		t.Fatal(err)
	}
	if got := r.List(); !reflect.DeepEqual(got, list) {
		t.Errorf("got %+v\nwant %+v", got, list)
	}
	wantLogin(t, r, app, nil)
	wantLogin(t, r, now, nil)
	wantLogin(t, r, stored, auth.ErrDenied)
	if got := salts(r); !slices.Equal(got, before) || len(slices.Compact(slices.Sorted(slices.Values(got)))) != 6 {
		t.Errorf("salts %q, want those before: %q", got, before)
	}
	if l := loginOf(t, r, now); l.Revoked.Err() != nil {
		t.Error("a new login has ended")
	}
}

// TestCrashLosesNoAcknowledgedChange cuts the power again and again while
// accounts change. Each time every change that had returned must be there; one
// under way may be there.
func TestCrashLosesNoAcknowledgedChange(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			c := &crasher{t: t, fs: vfs.NewCrashableMem(), passwords: map[string]string{}}
			rnd := rand.New(rand.NewPCG(seed, 1))
			for range 8 {
				c.run(rnd)
			}
		})
	}
}

// crasher changes the accounts of a few groups, and knows what they must be.
type crasher struct {
	t  *testing.T
	fs *vfs.MemFS

	mu        sync.Mutex
	passwords map[string]string // acknowledged, by group; none: no account
	next      []string          // group, old and new password of the change under way
	changes   int
}

func (c *crasher) run(rnd *rand.Rand) {
	s := store.New(store.Options{Dir: "data", FS: c.fs, Logger: slog.New(slog.DiscardHandler)})
	if err := s.Open(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
	r := open(c.t, s)
	c.verify(r)

	var stop atomic.Bool
	changed := make(chan struct{}, 1000)
	var writer sync.WaitGroup
	seed := rnd.Uint64()
	writer.Go(func() {
		rnd := rand.New(rand.NewPCG(seed, 2))
		for !stop.Load() {
			c.change(r, rnd)
			changed <- struct{}{}
		}
	})
	for range 1 + rnd.IntN(12) {
		<-changed
	}
	c.mu.Lock()
	acknowledged, next := map[string]string{}, slices.Clone(c.next)
	for g, p := range c.passwords {
		acknowledged[g] = p
	}
	crashed := c.fs.CrashClone(vfs.CrashCloneCfg{
		UnsyncedDataPercent: []int{0, 50, 100}[rnd.IntN(3)],
		RNG:                 rand.New(rand.NewPCG(seed, 3)),
	})
	c.mu.Unlock()
	stop.Store(true)
	writer.Wait()
	storetest.Close(c.t, s)
	c.fs, c.passwords, c.next = crashed, acknowledged, next
}

// change does one of the three, at random.
func (c *crasher) change(r *auth.Registry, rnd *rand.Rand) {
	group := fmt.Sprint("g", rnd.IntN(4))
	c.mu.Lock()
	c.changes++
	old := c.passwords[group]
	password := fmt.Sprint("Password-", c.changes)
	if old != "" && rnd.IntN(3) == 0 {
		password = ""
	}
	c.next = []string{group, old, password}
	c.mu.Unlock()
	var err error
	switch {
	case password == "":
		err = r.Delete(group)
	case old == "":
		_, err = r.Create(auth.Account{Account: "ops", Group: group, Topic: "shop", Password: password})
	default:
		err = r.SetPassword(group, password, rnd.IntN(2) == 0)
	}
	if err != nil {
		c.t.Error(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.acknowledge(group, password)
	c.next = nil
}

func (c *crasher) acknowledge(group, password string) {
	if c.passwords[group] = password; password == "" {
		delete(c.passwords, group)
	}
}

// verify compares the accounts with what must be, and takes up what became of
// the change that was under way.
func (c *crasher) verify(r *auth.Registry) {
	if len(c.next) > 0 {
		group, password := c.next[0], c.next[2]
		_, there := r.Info(group)
		if password == "" && !there || password != "" && c.opens(r, group, password) {
			c.acknowledge(group, password)
		}
		c.next = nil
	}
	var groups []string
	for _, i := range r.List() {
		groups = append(groups, i.Group)
	}
	var want []string
	for g, p := range c.passwords {
		want = append(want, g)
		if !c.opens(r, g, p) {
			c.t.Errorf("group %s does not take its password %q", g, p)
		}
	}
	slices.Sort(want)
	if !slices.Equal(groups, want) {
		c.t.Errorf("accounts of %v, want %v", groups, want)
	}
}

func (c *crasher) opens(r *auth.Registry, group, password string) bool {
	p, err := login(r, auth.ScramSHA512, "ops-"+group, password)
	return err == nil && p == auth.Principal{Account: "ops", Group: group, Topic: "shop"}
}

// While a change waits for the disk it is not told and not in force, and
// logins of others go on.
func TestNothingIsToldBeforeItIsSynced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var gate atomic.Pointer[chan struct{}]
		disk := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
			switch op.Kind {
			case errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo:
				if g := gate.Load(); g != nil {
					<-*g
				}
			}
			return nil
		}))
		s := storetest.OpenWith(t, store.Options{Dir: "data", FS: disk})
		defer storetest.Close(t, s)
		r := open(t, s)
		other := auth.Account{Account: "ops", Group: "other", Topic: "shop", Password: "Other-123"}
		create(t, r, other)
		second := stored
		second.Password = "Stored-2"
		for _, step := range []struct {
			name          string
			change        func() error
			before, after error // of a login as second
		}{
			{"create", func() error { _, err := r.Create(second); return err }, auth.ErrDenied, nil},
			{"delete", func() error { return r.Delete("search") }, nil, auth.ErrDenied},
			{"create another", func() error { _, err := r.Create(stored); return err }, auth.ErrDenied, auth.ErrDenied},
			{"set password", func() error { return r.SetPassword("search", second.Password, true) }, auth.ErrDenied, nil},
		} {
			hold := make(chan struct{})
			gate.Store(&hold)
			done := make(chan error, 1)
			go func() { done <- step.change() }()
			synctest.Wait()
			if len(done) > 0 {
				t.Errorf("%s: it returned before it was synced", step.name)
			}
			wantLogin(t, r, other, nil)
			wantLogin(t, r, second, step.before)
			gate.Store(nil)
			close(hold)
			if err := <-done; err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			wantLogin(t, r, second, step.after)
			time.Sleep(time.Hour) // so that failures do not slow
		}
	})
}

func TestStoreThatTakesNothingRefusesChanges(t *testing.T) {
	s := storetest.Open(t)
	r := open(t, s)
	create(t, r, stored)
	l := loginOf(t, r, stored)
	before := r.List()
	storetest.Close(t, s)
	other := stored
	other.Group = "other"
	_, err := r.Create(other)
	for name, err := range map[string]error{
		"create": err, "set password": r.SetPassword("search", "Stored-2", true), "delete": r.Delete("search"),
	} {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantLogin(t, r, stored, nil)
	if l.Revoked.Err() != nil || !reflect.DeepEqual(r.List(), before) {
		t.Errorf("a change that failed is in force: %+v", r.List())
	}
}

// Neither the data directory nor the log holds a password, nor does what can
// be printed of an account.
func TestNoPasswordOnDiskOrInLogs(t *testing.T) {
	dir := t.TempDir()
	var logs bytes.Buffer
	log := slog.New(slog.NewTextHandler(&logs, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := store.New(store.Options{Dir: dir, Logger: log})
	if err := s.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := auth.New(auth.Options{Store: s, Logger: log})
	if err := r.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.SetFile([]auth.Account{app}); err != nil {
		t.Fatal(err)
	}
	create(t, r, stored)
	for _, a := range []auth.Account{app, stored} {
		wantLogin(t, r, a, nil)
	}
	if err := r.SetPassword("search", "Another-Word", true); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&logs, "%+v %#v %+v", r.List(), r.List(), loginOf(t, r, app).Principal)
	storetest.Close(t, s)

	files := map[string][]byte{"the log": logs.Bytes()}
	found := false
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		files[path], err = os.ReadFile(path)
		found = found || bytes.Contains(files[path], []byte("search"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if !found {
		t.Error("the account is not on disk in a form in which a password could be found")
	}
	for name, content := range files {
		for _, p := range []string{app.Password, stored.Password, "Another-Word"} {
			if bytes.Contains(content, []byte(p)) {
				t.Errorf("%s holds the password %q", name, p)
			}
		}
	}
}

// Opening derives no keys: a thousand accounts take less time than making a few.
func TestOpenIsFast(t *testing.T) {
	s := storetest.Open(t)
	r := open(t, s)
	start := time.Now()
	for n := range 10 {
		create(t, r, auth.Account{Account: "ops", Group: fmt.Sprint("g", n), Topic: "shop", Password: "Stored-1"})
	}
	making := time.Since(start)
	value, _, err := s.Table("accounts").Get([]byte("gg0"))
	if err != nil {
		t.Fatal(err)
	}
	var writes []store.Write
	for n := range 1000 {
		writes = append(writes, store.Write{Key: fmt.Appendf(nil, "gg%d", n), Value: value})
	}
	if err := s.Table("accounts").Apply(writes); err != nil {
		t.Fatal(err)
	}
	start = time.Now()
	r = open(t, s)
	opening := time.Since(start)
	if n := len(r.List()); n != 1000 {
		t.Errorf("%d accounts", n)
	}
	t.Logf("10 accounts made in %v, 1000 opened in %v", making, opening)
	if opening > making {
		t.Errorf("opening 1000 accounts took %v, making 10 %v", opening, making)
	}
}
