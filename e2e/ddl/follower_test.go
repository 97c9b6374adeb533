//go:build servers

package ddl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"daybook/binlog"
	"daybook/binlog/schema"
	"daybook/change"
	"daybook/e2e/servers"
)

// follower is a Reader, and what a store would have saved of it.
type follower struct {
	*workload
	reader   *binlog.Reader
	position []byte
	saved    map[string][]byte
	conn     *binlog.Conn // for snapshots
	id       string       // its number
	kind     schema.Server
	mark     int
	warnings log
}

func newFollower(w *workload) *follower {
	f := &follower{workload: w, saved: map[string][]byte{}}
	ctx := w.t.Context()
	var err error
	if f.conn, err = binlog.Dial(ctx, binlog.Source{Address: w.server.Address, User: servers.Admin, Password: servers.Admin}); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = f.conn.Close() })
	rows, err := f.conn.Query(ctx, "SELECT CONNECTION_ID()")
	if err != nil {
		w.t.Fatal(err)
	}
	f.id = rows[0][0].String
	s, err := f.conn.Status(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	f.kind = schema.Server{Flavor: string(s.Flavor), Version: s.Version, LowerCaseTableNames: s.LowerCaseTableNames, DefaultCharset: s.Charset, DefaultEngine: s.Engine}
	f.open(nil)
	w.t.Cleanup(func() { _ = f.reader.Close() })
	return f
}

// open opens a Reader at a position; nil: at the binlog's end.
func (f *follower) open(position []byte) {
	f.reader = binlog.New(binlog.Options{
		Source:  binlog.Source{Address: f.server.Address, User: servers.Repl, Password: servers.Repl},
		Include: []string{"*.*"}, Exclude: []string{"mysql.*", "sys.*"}, SchemaChanges: binlog.SchemaChangesObjects,
		Resume: position, Load: func(key []byte) ([]byte, error) { return f.saved[string(key)], nil },
		Schema: func(yield func(k, v []byte) bool) {
			for k, v := range f.saved {
				if !yield([]byte(k), v) {
					return
				}
			}
		},
		Logger: slog.New(slog.NewTextHandler(&f.warnings, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	ctx, cancel := context.WithTimeout(f.t.Context(), 30*time.Second)
	defer cancel()
	if err := f.reader.Open(ctx); err != nil {
		f.t.Fatal(err)
	}
	f.save()
}

// save takes a checkpoint.
func (f *follower) save() {
	c := f.reader.Checkpoint()
	f.position = c.Position
	for _, e := range c.Schema {
		if e.Value == nil {
			delete(f.saved, string(e.Key))
		} else {
			f.saved[string(e.Key)] = bytes.Clone(e.Value)
		}
	}
}

// restart goes on with another Reader from what was saved.
func (f *follower) restart() {
	_ = f.reader.Close()
	f.open(f.position)
}

// anew begins again at the binlog's end, after an error.
func (f *follower) anew() {
	_ = f.reader.Close()
	clear(f.saved)
	f.open(nil)
}

// read reads all changes that there are, and gives those of rows to each.
func (f *follower) read(each func(*change.Change)) {
	f.mark++
	f.look.Exec(fmt.Sprintf("REPLACE INTO ddl_mark.mark VALUES (%d)", f.mark))
	if err := f.toMark(each); err != nil {
		f.report("the reader stopped: %v", err)
		f.anew()
	}
	f.save()
	for line := range strings.Lines(f.warnings.take()) {
		if strings.Contains(line, "the bytes of the labels of") { // see docs/record-formats.md
			f.vague = true
			f.anew()
		} else if strings.Contains(line, "cannot be understood") {
			f.report("logged: %s", line)
		}
	}
}

// unsure tells whether the follower knows that it does not know a table's
// character set: it looks the definition up then.
func (f *follower) unsure(tables []change.TableChange) bool {
	known := f.known()
	return slices.ContainsFunc(tables, func(t change.TableChange) bool {
		return slices.ContainsFunc(known, func(d *definition) bool {
			return d.Unsure && d.Table.Database == t.Database && d.Table.Name == t.Name
		})
	})
}

func (f *follower) toMark(each func(*change.Change)) error {
	late := time.After(20 * time.Second)
	for {
		c, err := f.reader.Poll()
		switch {
		case err != nil:
			return err
		case c == nil:
			select {
			case <-f.reader.Ready():
			case <-late:
				return errors.New("no change within 20 s")
			}
		case c.Op == change.Schema:
			if c.DDL.SQL == "" && !f.unsure(c.DDL.Tables) && !(each == nil && f.vague) {
				return fmt.Errorf("a definition was looked up: %+v\n%s", c.DDL.Tables, f.warnings.take())
			}
		case c.Table.Database == "ddl_mark":
			if c.After != nil && c.After[0].Int() == int64(f.mark) {
				return nil
			}
		case each != nil:
			each(c)
		}
	}
}

// log keeps what several goroutines of the Reader log.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *log) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.text.String()
	l.text.Reset()
	return s
}
