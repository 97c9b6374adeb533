package group_test

import (
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/group"
)

const (
	retention = time.Hour
	// swept is enough for the next sweep.
	swept = 11 * time.Minute
)

func short(o *group.Options) { o.Retention = retention }

// beat keeps a member in its group for d.
func (c *consumer) beat(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(session / 2) {
		if code := c.heartbeat(); code != 0 {
			c.r.t.Fatalf("heartbeat: error %d", code)
		}
	}
}

func TestGroupsWithoutMembersExpire(t *testing.T) {
	for _, tc := range []struct {
		name string
		// use does something with the group and returns when its time begins.
		use func(r *rig) time.Time
	}{
		{"a member committed and left", func(r *rig) time.Time {
			a := r.consumer("a").start()
			a.commit(5)
			a.leave()
			return time.Now()
		}},
		{"a member left long after its commit", func(r *rig) time.Time {
			a := r.consumer("a").start()
			a.commit(5)
			a.beat(2 * retention)
			a.leave()
			return time.Now()
		}},
		{"a member died", func(r *rig) time.Time {
			r.consumer("a").start().commit(5)
			return time.Now().Add(session)
		}},
		{"a commit without members", func(r *rig) time.Time {
			r.commit(commitRequest(5))
			return time.Now()
		}},
		{"a commit after the members", func(r *rig) time.Time {
			r.consumer("a").start().leave()
			time.Sleep(retention - time.Minute)
			r.commit(commitRequest(5))
			return time.Now()
		}},
		{"no commit at all", func(r *rig) time.Time {
			r.consumer("a").start().leave()
			return time.Now()
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, short, func(t *testing.T, r *rig) {
				end := tc.use(r).Add(retention)
				time.Sleep(time.Until(end) - time.Second)
				r.wantState("Empty")
				time.Sleep(swept)
				r.wantState("Dead")
				if got := r.fetch(); got != -1 {
					t.Errorf("the checkpoint is %d", got)
				}
				r.consumer("b").start() // the name is free
				r.wantState("Stable", "b")
			})
		})
	}
}

// By default a checkpoint stays for 7 days. (A store costs too much to let it
// run through all of them.)
func TestGroupsStayForAWeek(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := vfs.NewMem()
		r := open(t, fs, nil)
		wantCode(t, "commit", r.commit(commitRequest(5)), nil)
		key, age := []byte("\x00\x05cache\x00\x04shop\x00\x00\x00\x00"), 7*24*time.Hour-time.Hour
		value, ok, err := r.store.Table("groups").Get(key)
		if err != nil || !ok {
			t.Fatalf("the checkpoint is not there: %v", err)
		}
		binary.BigEndian.PutUint64(value[13:], uint64(time.Now().Add(-age).UnixMilli())) // see TestStoredForm
		if err := r.store.Table("groups").Put(key, value); err != nil {
			t.Fatal(err)
		}
		r.close()
		r = open(t, fs, nil)
		defer r.close()
		time.Sleep(time.Hour - time.Second)
		r.wantState("Empty")
		time.Sleep(swept)
		r.wantState("Dead")
	})
}

func TestGroupsInUseDoNotExpire(t *testing.T) {
	bubble(t, short, func(t *testing.T, r *rig) {
		a := r.consumer("a").start()
		a.commit(5)
		simple := commitRequest(3)
		simple.Group = "simple"
		for range 12 {
			a.beat(10 * time.Minute) // without a commit
			r.commit(simple)         // without members
		}
		r.wantState("Stable", "a")
		if got := r.fetch(); got != 5 {
			t.Errorf("the checkpoint is %d, want 5", got)
		}
		req := kmsg.NewPtrListGroupsRequest()
		if got := r.ListGroups(background, req).Groups; len(got) != 2 {
			t.Errorf("groups: %+v, want both", got)
		}
	})
}

// The time without members goes on across a restart; if the members were lost
// with the process, it begins with the restart.
func TestExpiryAcrossARestart(t *testing.T) {
	for _, tc := range []struct {
		name  string
		leave bool
		want  string
	}{{"the members had left", true, "Dead"}, {"the members were lost", false, "Empty"}} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				fs := vfs.NewCrashableMem()
				r := open(t, fs, short)
				a := r.consumer("a").start()
				wantCode(t, "commit", a.commit(5), nil)
				if tc.leave {
					wantCode(t, "leave", a.leave(), nil)
					synctest.Wait() // it is answered before it is synced
				}
				crashed := fs.CrashClone(vfs.CrashCloneCfg{})
				r.close()
				time.Sleep(retention - time.Minute)
				r = open(t, crashed, short)
				again := crashed.CrashClone(vfs.CrashCloneCfg{}) // what the restart saw is kept
				r.wantState("Empty")
				time.Sleep(time.Minute + swept)
				r.wantState(tc.want)
				r.close()

				r = open(t, again, short)
				defer r.close()
				time.Sleep(swept)
				r.wantState(tc.want)
				time.Sleep(retention)
				r.wantState("Dead")
			})
		})
	}
}

func TestDeletionsOfExpiredGroupsThatFailAreTriedAgain(t *testing.T) {
	bubble(t, short, func(t *testing.T, r *rig) {
		wantCode(t, "commit", r.commit(commitRequest(5)), nil)
		if err := r.store.Close(); err != nil { // it takes no more writes
			t.Fatal(err)
		}
		time.Sleep(5*time.Hour + 5*time.Minute) // between two sweeps
		r.wantState("Empty")
		wantCode(t, "commit", r.commit(commitRequest(6)), kerr.CoordinatorNotAvailable)
	})
}
