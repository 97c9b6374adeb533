package group_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/twmb/franz-go/pkg/kerr"

	"daybook/group"
)

// shown is a view in one line for each consumer.
func shown(r *rig) string {
	v, ok := r.View(groupID)
	if !ok {
		return "none"
	}
	s := fmt.Sprintf("%s %q", v.State, v.Mode)
	for _, c := range v.Consumers {
		s += fmt.Sprintf("\n%s %s %s %q since %v", c.Role, c.Mode, c.ClientID, c.Host, time.Since(c.Since))
		if (c.MemberID == "") != (c.Mode == "assign") {
			s += " member " + c.MemberID
		}
	}
	return s
}

func TestView(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		want := func(lines ...string) {
			t.Helper()
			if got := shown(r); got != strings.Join(lines, "\n") {
				t.Errorf("got\n%s\nwant\n%s", got, strings.Join(lines, "\n"))
			}
		}
		want("none")
		a, b := r.reader("a"), r.reader("b")
		a.fetch()
		time.Sleep(time.Second)
		b.fetch()
		time.Sleep(time.Second)
		want(`Empty "assign"`, `active assign a "10.0.0.1:1" since 2s`, `standby assign b "10.0.0.1:2" since 1s`)
		m := r.consumer("m")
		m.address = "10.0.0.1:77"
		m.start()
		n := r.consumer("n").static("i")
		n.address = "10.0.0.1:88"
		join := later(func() error { n.join(background); return nil })
		synctest.Wait()
		want(`PreparingRebalance "subscribe"`, `active subscribe m "10.0.0.1:77" since 0s`,
			`standby subscribe n "10.0.0.1:88" since 0s`, `standby assign b "10.0.0.1:2" since 1s`, `standby assign a "10.0.0.1:1" since 0s`)
		m.joinOnce(background)
		<-join
		sync := later(func() error { n.sync(); return nil })
		m.sync(m.id)
		<-sync
		own := r.reader("m")
		own.fetch()
		time.Sleep(time.Second)
		want(`Stable "subscribe"`, `active subscribe m "10.0.0.1:3" since 1s`,
			`standby subscribe n "10.0.0.1:88" since 1s`, `standby assign b "10.0.0.1:2" since 2s`, `standby assign a "10.0.0.1:1" since 1s`)
		wantCode(t, "commit", m.commit(12), nil)
		v := r.Views()[0]
		if len(r.Views()) != 1 || v.Group != groupID || v.ProtocolType != "consumer" || v.Protocol != "range" || v.Generation != 2 || !v.EmptySince.IsZero() ||
			len(v.Checkpoints) != 1 || v.Checkpoints[0].Topic != topic || v.Checkpoints[0].Offset != 12 || !v.Checkpoints[0].Time.Equal(time.Now()) {
			t.Errorf("got %+v", v)
		}
		time.Sleep(2 * silence)
		want(`Empty ""`)
		if v, _ := r.View(groupID); time.Since(v.EmptySince) != 2*silence-session {
			t.Errorf("empty for %v", time.Since(v.EmptySince))
		}
	})
}

func TestReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := vfs.NewCrashableMem()
		r := open(t, fs, nil)
		refused := func(who string) {
			t.Helper()
			if err := r.Reset(groupID, topic, 3); !errors.Is(err, group.ErrActive) || !strings.Contains(err.Error(), who) {
				t.Errorf("got %v, want %v that names %s", err, group.ErrActive, who)
			}
		}
		m := r.consumer("m").start()
		wantCode(t, "commit", m.commit(9), nil)
		refused(m.id)
		m.leave()
		a := r.reader("a")
		a.fetch()
		refused(a.client.Address)
		a.Close()
		if err := r.Reset(groupID, topic, 4); err != nil {
			t.Fatal(err)
		}
		crashed := fs.CrashClone(vfs.CrashCloneCfg{})
		r.close()
		r = open(t, crashed, nil)
		if got := r.fetch(); got != 4 {
			t.Errorf("after a crash the checkpoint is %d, want 4", got)
		}
		r.close()
		if err := r.Reset(groupID, topic, 5); err == nil {
			t.Error("a reset after Close succeeds")
		}
	})
}

func TestDelete(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := vfs.NewCrashableMem()
		r := open(t, fs, nil)
		if err := r.Delete(groupID); err != nil {
			t.Errorf("a group that is not there: %v", err)
		}
		m := r.consumer("m").start()
		wantCode(t, "commit", m.commit(9), nil)
		own, other := r.reader("m"), r.reader("other")
		own.want("its own", active)
		other.want("other", standby)
		joining := later(func() int16 { return r.consumer("n").join(context.Background()).ErrorCode })
		blocked(t, "join", joining)
		if err := r.Delete(groupID); err != nil {
			t.Fatal(err)
		}
		wantCode(t, "join", <-joining, kerr.UnknownMemberID)
		wantCode(t, "heartbeat", m.heartbeat(), kerr.UnknownMemberID)
		if got := shown(r); got != "none" {
			t.Errorf("got %s", got)
		}
		crashed := fs.CrashClone(vfs.CrashCloneCfg{})
		r.close()
		r = open(t, crashed, nil)
		defer r.close()
		if got := shown(r); got != "none" || r.fetch() != -1 {
			t.Errorf("after a crash: %s, checkpoint %d", got, r.fetch())
		}
	})
}

// A group that is read does not expire, though nobody commits.
func TestGroupsThatAreReadDoNotExpire(t *testing.T) {
	bubble(t, short, func(t *testing.T, r *rig) {
		wantCode(t, "commit", r.commit(commitRequest(5)), nil)
		a := r.reader("a").poll()
		time.Sleep(5 * retention)
		if got := r.fetch(); got != 5 {
			t.Errorf("the checkpoint is %d, want 5", got)
		}
		a.Close()
		a.wantPolled("closed", standby)
		time.Sleep(retention - time.Minute)
		if got := r.fetch(); got != 5 {
			t.Errorf("soon after, the checkpoint is %d, want 5", got)
		}
		time.Sleep(time.Minute + swept)
		r.wantState("Dead")
	})
}
