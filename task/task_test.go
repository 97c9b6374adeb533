package task

import (
	"context"
	"errors"
	"log/slog"
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

// TestGivesUp has the source away for a week: until then it is asked for every
// few seconds, then no more.
func TestGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := storetest.OpenWith(t, store.Options{Dir: "data", FS: vfs.NewMem()})
		var tries atomic.Int64
		source := binlog.Source{Address: "db.example:3306", Dial: func(context.Context, string) (net.Conn, error) {
			tries.Add(1)
			return nil, errors.New("no route to host")
		}}
		m := NewManager([]Options{{Name: "shop", Source: source}}, s, slog.New(slog.DiscardHandler))
		if err := m.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(6*24*time.Hour + 23*time.Hour)
		if st := m.Statuses()[0]; st.State != Error || st.Retry.IsZero() || !strings.Contains(st.Error, "no route to host") {
			t.Errorf("within the week: %+v", st)
		}
		if hours := 7*24 - 1; tries.Load() < int64(hours*3600/(2*8)) {
			t.Errorf("only %d tries", tries.Load())
		}
		time.Sleep(2 * time.Hour)
		if st := m.Statuses()[0]; st.State != Error || !st.Retry.IsZero() || !strings.Contains(st.Error, ErrGaveUp.Error()) || !strings.Contains(st.Error, "no route to host") {
			t.Errorf("after it: %+v", st)
		}
		before := tries.Load()
		time.Sleep(2 * time.Hour)
		if tries.Load() != before {
			t.Error("it is tried again")
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
}
