package group_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
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
