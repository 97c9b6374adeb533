package group_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/group"
	"daybook/store"
	"daybook/store/storetest"
)

// disk is a file system in memory whose syncs can be held up.
type disk struct {
	vfs.FS
	gate atomic.Pointer[chan struct{}] // syncs wait until it is closed
}

func newDisk() *disk {
	d := &disk{}
	d.FS = errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		switch op.Kind {
		case errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo:
		default:
			return nil
		}
		if gate := d.gate.Load(); gate != nil {
			<-*gate
		}
		return nil
	}))
	return d
}

// hold holds up every sync until the returned function is called.
func (d *disk) hold() (release func()) {
	gate := make(chan struct{})
	d.gate.Store(&gate)
	return func() {
		d.gate.Store(nil)
		close(gate)
	}
}

func TestNothingIsToldBeforeItIsSynced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		r := open(t, d, nil)
		defer r.close()

		release := d.hold()
		a := r.consumer("a")
		joining := later(func() *kmsg.JoinGroupResponse { return a.join(background) })
		blocked(t, "the join", joining)
		release()
		wantCode(t, "the join", (<-joining).ErrorCode, nil)
		wantCode(t, "the sync", a.sync(a.id).ErrorCode, nil)

		release = d.hold()
		committing := later(func() int16 { return a.commit(7) })
		blocked(t, "the commit", committing)
		fetching := later(r.fetch)
		blocked(t, "a fetch after the commit was accepted", fetching)
		wantCode(t, "a heartbeat meanwhile", a.heartbeat(), nil)
		release()
		wantCode(t, "the commit", <-committing, nil)
		if got := <-fetching; got != 7 {
			t.Errorf("fetch: got %d, want 7", got)
		}
	})
}

func TestCommitsAcceptedInOrderAreSavedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDisk()
		r := open(t, d, nil)
		defer r.close()
		a := r.consumer("a").start()
		release := d.hold()
		var commits []<-chan int16
		for offset := range int64(20) {
			commits = append(commits, later(func() int16 { return a.commit(offset) }))
			synctest.Wait()
		}
		release()
		for _, c := range commits {
			wantCode(t, "commit", <-c, nil)
		}
		if got := r.fetch(); got != 19 {
			t.Errorf("checkpoint: got %d, want 19", got)
		}
	})
}

func TestStoreThatTakesNothingRefusesCommits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, vfs.NewMem(), nil)
		defer r.close()
		a := r.consumer("a").start()
		wantCode(t, "commit", a.commit(7), nil)
		if err := r.store.Close(); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "commit", a.commit(8), kerr.CoordinatorNotAvailable)
		wantCode(t, "rejoin", a.joinOnce(background).ErrorCode, kerr.CoordinatorNotAvailable)
		if got := r.fetch(); got != 7 {
			t.Errorf("checkpoint: got %d, want 7", got)
		}
		wantCode(t, "leave", a.leave(), nil)
		req := kmsg.NewPtrDeleteGroupsRequest()
		req.Groups = []string{groupID}
		wantCode(t, "delete", r.DeleteGroups(background, req).Groups[0].ErrorCode, kerr.CoordinatorNotAvailable)
		r.wantState("Empty")
	})
}

// TestStoredForm pins the bytes of the groups table: another form needs
// another value format, and a reader for this one.
func TestStoredForm(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		a := r.consumer("a").start()
		req := a.commitRequest(258)
		req.Topics[0].Partitions[0].LeaderEpoch = 3
		req.Topics[0].Partitions[0].Metadata = kmsg.StringPtr("m")
		wantCode(t, "commit", r.commit(req), nil)
		var got []string
		for kv, err := range r.store.Table("groups").Scan(nil) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, fmt.Sprintf("%q = %q", kv.Key, kv.Value))
		}
		want := []string{ // the bubble's clock begins with the year 2000
			`"\x00\x05cache" = "\x02\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00consumer"`,
			`"\x00\x05cache\x00\x04shop\x00\x00\x00\x00" = "\x01\x00\x00\x00\x00\x00\x00\x01\x02\x00\x00\x00\x03\x00\x00\x00\xdcjϬ\x00m"`,
		}
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// Groups that were saved before the time without members was are read, and
// counted as empty from then on.
func TestGroupsInTheFormerForm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, vfs.NewMem(), nil)
		defer r.close()
		if err := r.store.Table("groups").Put([]byte("\x00\x05cache"), []byte("\x01\x00\x00\x00\x2aconsumer")); err != nil {
			t.Fatal(err)
		}
		again := &rig{Coordinator: group.New(group.Options{Store: r.store}), t: t, store: r.store}
		if err := again.Open(background); err != nil {
			t.Fatal(err)
		}
		time.Sleep(30 * time.Minute) // for sweeps
		again.wantState("Empty")
		if a := again.consumer("a").start(); a.generation != 43 {
			t.Errorf("generation %d, want 43", a.generation)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func TestDamagedOrNewerEntriesAreRefused(t *testing.T) {
	for name, entry := range map[string]store.Write{
		"newer format":     {Key: []byte("\x00\x01g"), Value: []byte("\x03")},
		"newer checkpoint": {Key: []byte("\x00\x01g\x00\x01t\x00\x00\x00\x00"), Value: append([]byte{2}, make([]byte, 20)...)},
		"no time":          {Key: []byte("\x00\x01g"), Value: []byte("\x02\x00\x00\x00\x01")},
		"key cut short":    {Key: []byte("\x00\x05g"), Value: []byte("\x01\x00\x00\x00\x01")},
		"no generation":    {Key: []byte("\x00\x01g"), Value: []byte("\x01\x00")},
		"no partition":     {Key: []byte("\x00\x01g\x00\x01t"), Value: make([]byte, 21)},
		"checkpoint short": {Key: []byte("\x00\x01g\x00\x01t\x00\x00\x00\x00"), Value: []byte("\x01\x00")},
	} {
		t.Run(name, func(t *testing.T) {
			s := storetest.Open(t)
			if err := s.Table("groups").Apply([]store.Write{entry}); err != nil {
				t.Fatal(err)
			}
			c := group.New(group.Options{Store: s})
			if err := c.Open(background); err == nil {
				t.Error("it is loaded")
				_ = c.Close()
			}
		})
	}
}
