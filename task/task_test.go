package task

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"daybook/binlog"
	"daybook/store"
	"daybook/store/storetest"
)

// TestGivesUp has the source away for a week, over restarts of Daybook: until then it is asked for every
// few seconds, then no more, until somebody resumes the task or its definition is another.
func TestGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.OpenWith(t, store.Options{Dir: "data", FS: vfs.NewMem()})
		var tries atomic.Int64
		o := Options{Name: "shop", Source: binlog.Source{Address: "db.example:3306", Dial: func(context.Context, string) (net.Conn, error) {
			tries.Add(1)
			return nil, errors.New("no route to host")
		}}}
		var m *Manager
		open := func() *Task {
			if m != nil {
				if err := m.Close(); err != nil {
					t.Error(err)
				}
			}
			m = NewManager(ManagerOptions{Store: s, Declared: []Options{o}})
			if err := m.Open(t.Context()); err != nil {
				t.Fatal(err)
			}
			task, _ := m.Task("shop")
			return task
		}
		tried := func(long time.Duration) bool {
			before := tries.Load()
			time.Sleep(long)
			return tries.Load() > before
		}
		open()
		time.Sleep(3 * 24 * time.Hour)
		task := open()
		time.Sleep(3*24*time.Hour + 23*time.Hour)
		if st := task.Status(); st.State != Error || st.Retry.IsZero() || !strings.Contains(st.Reason, "no route to host") {
			t.Errorf("within the week: %+v", st)
		}
		if hours := 7*24 - 1; tries.Load() < int64(hours*3600/(2*8)) {
			t.Errorf("only %d tries", tries.Load())
		}
		time.Sleep(2 * time.Hour)
		for _, when := range []string{"after it", "after a restart"} {
			if st := task.Status(); st.State != Error || !st.Retry.IsZero() || !strings.Contains(st.Reason, ErrGaveUp.Error()) || !strings.Contains(st.Reason, "no route to host") {
				t.Errorf("%s: %+v", when, st)
			}
			if tried(2 * time.Hour) {
				t.Errorf("%s it is tried again", when)
			}
			task = open()
		}
		if err := task.Resume(t.Context()); err != nil || !tried(time.Minute) {
			t.Errorf("it is not resumed: %v", err)
		}
		time.Sleep(8 * 24 * time.Hour)
		if tried(time.Hour) {
			t.Error("a week after it was resumed it is still tried")
		}
		o.Definition = json.RawMessage(`{"name":"shop","tombstones":true}`)
		if open(); !tried(time.Minute) {
			t.Error("with another definition it is not tried")
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
}
