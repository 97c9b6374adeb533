package task

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"daybook/binlog"
	"daybook/seal"
	"daybook/store"
	"daybook/store/storetest"
)

// away is a source that is not there.
var away = binlog.Source{Address: "db.example:3306", Dial: func(context.Context, string) (net.Conn, error) {
	return nil, errors.New("no route to host")
}}

// compileShop makes options of any definition, for a source that is not there.
func compileShop(json.RawMessage, string) (Options, string, error) {
	return Options{Name: "shop", Source: away, Definition: json.RawMessage(`{"name":"shop"}`), AutoStart: true}, "secret", nil
}

// manager is one that a test opens over and over on the same store.
type manager struct {
	t *testing.T
	o ManagerOptions
	*Manager
}

func newManager(t *testing.T) *manager {
	s := storetest.OpenWith(t, store.Options{Dir: "data", FS: vfs.NewMem()})
	box, err := seal.Open(filepath.Join(t.TempDir(), "key"), true)
	if err != nil {
		t.Fatal(err)
	}
	m := &manager{t: t, o: ManagerOptions{Store: s, Compile: compileShop, Sealed: box}}
	m.open()
	return m
}

func (m *manager) open() {
	m.t.Helper()
	m.Manager = NewManager(m.o)
	if err := m.Open(m.t.Context()); err != nil {
		m.t.Fatal(err)
	}
}

func (m *manager) reopen() {
	m.t.Helper()
	if err := m.Close(); err != nil {
		m.t.Fatal(err)
	}
	m.open()
}

// status waits until every task rests, and returns what is known of shop.
func (m *manager) status() Status {
	m.t.Helper()
	time.Sleep(time.Minute)
	task, ok := m.Task("shop")
	if !ok {
		m.t.Fatal("there is no task")
	}
	return task.Status()
}

// TestDefinitionThatCannotBeCarriedOut has a task of another Daybook, or one whose key is missing: it is in Error
// and says why, and goes on when that is mended.
func TestDefinitionThatCannotBeCarriedOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t)
		if _, err := m.Create(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		task, _ := m.Task("shop")
		if err := task.alter(func(l *life) error { l.Stage = started; return nil }); err != nil {
			t.Fatal(err)
		}
		task.nudge()
		if st := m.status(); st.State != Error || !strings.Contains(st.Reason, "no route to host") || st.Retry.IsZero() {
			t.Fatalf("before: %+v", st)
		}
		box := m.o.Sealed
		for _, wrong := range []func(){
			func() { m.o.Sealed = nil },
			func() {
				m.o.Compile = func(json.RawMessage, string) (Options, string, error) {
					return Options{}, "", errors.New("topics: unknown field")
				}
			},
		} {
			wrong()
			m.reopen()
			if st := m.status(); st.State != Error || !strings.Contains(st.Reason, ErrDefinition.Error()) || !st.Retry.IsZero() {
				t.Errorf("while it cannot be carried out: %+v", st)
			}
			m.o.Sealed, m.o.Compile = box, compileShop
			m.reopen()
			if st := m.status(); st.State != Error || !strings.Contains(st.Reason, "no route to host") || st.Retry.IsZero() {
				t.Errorf("mended: %+v", st)
			}
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestDeclaredWhileItIsDeleted has Daybook end in the middle of a task's deletion, and the file declare one of
// its name: the former is gone, and the file's is there.
func TestDeclaredWhileItIsDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newManager(t)
		if _, err := m.Create(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		former, _ := m.o.Store.Partition("shop")
		m.o.Release = func(ctx context.Context, _ string) error { return ctx.Err() }
		hangs := func(ctx context.Context, _ string) error { <-ctx.Done(); return ctx.Err() }
		m.Manager.o.Release = hangs
		if err := m.Delete(t.Context(), "shop"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
		m.o.Declared = []Options{{Name: "shop", Source: away}}
		m.reopen()
		if st := m.status(); st.Owner != OwnerFile || st.State != Error || !strings.Contains(st.Reason, "no route to host") {
			t.Errorf("the task of the file is %+v", st)
		}
		if p, ok := m.o.Store.Partition("shop"); !ok || p.TopicID() == former.TopicID() {
			t.Error("it has the log of the one that was deleted")
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
}
