//go:build servers

package corpus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/go-mysql-org/go-mysql/client"

	"daybook/binlog"
	"daybook/binlog/schema"
	"daybook/change"
	"daybook/e2e/servers"
)

// revive connects to the server anew.
func (r *run) revive() {
	r.dead = false
	var err error
	if r.look, err = client.Connect(r.server.Address, servers.Admin, servers.Admin, ""); err != nil {
		r.t.Fatal(err)
	}
	if r.conn, err = binlog.Dial(context.Background(), binlog.Source{Address: r.server.Address, User: servers.Admin, Password: servers.Admin}); err != nil {
		r.t.Fatal(err)
	}
	s, err := r.conn.Status(context.Background())
	if err != nil {
		r.t.Fatal(err)
	}
	r.kind = schema.Server{Flavor: string(s.Flavor), Version: s.Version, LowerCaseTableNames: s.LowerCaseTableNames, DefaultCharset: s.Charset,
		DefaultEngine: s.Engine, ExplicitDefaultsForTimestamp: s.Variables["explicit_defaults_for_timestamp"] == "ON"}
	r.must("SET NAMES utf8mb4")
	r.must("SET time_zone = '+00:00'")
	r.must("SET sql_mode = ''")
	r.must("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
	r.must("SET foreign_key_checks = 0")
	for _, sql := range []string{"SET SESSION information_schema_stats_expiry = 0", "SET SESSION show_gipk_in_create_table_and_information_schema = 1"} {
		_, _ = r.query(sql)
	}
	r.clean()
	r.must("CREATE DATABASE IF NOT EXISTS corpus_mark")
	r.must("CREATE TABLE IF NOT EXISTS corpus_mark.mark (n INT PRIMARY KEY)")
	r.open()
}

func (r *run) open() {
	if r.reader != nil {
		_ = r.reader.Close()
	}
	r.saved = map[string][]byte{}
	r.reader = binlog.New(binlog.Options{
		Source:  binlog.Source{Address: r.server.Address, User: servers.Repl, Password: servers.Repl},
		Include: []string{"*.*"}, Exclude: []string{"mysql.*", "sys.*", "performance_schema.*", "information_schema.*"}, SchemaChanges: binlog.SchemaChangesObjects,
		Load:   func(key []byte) ([]byte, error) { return r.saved[string(key)], nil },
		Logger: slog.New(slog.NewTextHandler(&r.log, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
	defer cancel()
	if err := r.reader.Open(ctx); err != nil {
		r.t.Fatal(err)
	}
	r.again = true
	r.log.take()
}

func (r *run) close() {
	_ = r.reader.Close()
	_ = r.look.Close()
	_ = r.conn.Close()
}

func (r *run) query(sql string) ([][]string, error) { return r.within(20*time.Second, sql) }

func (r *run) within(patience time.Duration, sql string) ([][]string, error) {
	_ = r.look.SetDeadline(time.Now().Add(patience))
	result, err := r.look.Execute(sql)
	if err != nil {
		return nil, err
	}
	defer result.Close()
	return servers.Rows(result), nil
}

func (r *run) must(sql string) [][]string {
	rows, err := r.query(sql)
	if err != nil {
		r.died(fmt.Errorf("%.200s: %w", sql, err))
	}
	return rows
}

// died notes that the server cannot be reached.
func (r *run) died(err error) {
	if !r.dead {
		r.t.Logf("%s: %v", r.place, err)
	}
	r.dead = true
}

func (r *run) kill(id uint32) {
	_, _ = r.query(fmt.Sprintf("KILL %d", id))
	for range 60 {
		rows, err := r.query(fmt.Sprintf("SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = %d", id))
		if err != nil || len(rows) == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// sync reads all changes that there are, and compares. whole: all tables.
func (r *run) sync(whole bool) {
	if r.dead {
		return
	}
	r.changed = false
	r.count.syncs++
	r.mark++
	if !r.setMark() {
		return
	}
	if err := r.read(); err != nil {
		if !strings.Contains(err.Error(), "reports an incident") { // as MySQL 5.7 does where a GRANT fails in part
			r.found("stopped: %v\n%s", err, r.log.take())
		}
		r.replica = newReplica(r.server.MariaDB())
		r.open()
	}
	for line := range strings.Lines(r.log.take()) {
		if strings.Contains(line, "cannot be understood") {
			r.found("logged: %s", line[strings.Index(line, "level="):])
		}
	}
	c := r.reader.Checkpoint()
	for _, e := range c.Schema {
		if e.Value == nil {
			delete(r.saved, string(e.Key))
		} else {
			r.saved[string(e.Key)] = e.Value
		}
	}
	r.compare(whole)
	r.again = false
}

// setMark writes the row that the changes are read up to. A file may have locked
// everything: it ends then.
func (r *run) setMark() bool {
	sql := fmt.Sprintf("REPLACE INTO corpus_mark.mark VALUES (%d)", r.mark)
	if _, err := r.query(sql); err == nil {
		return true
	}
	r.t.Logf("%s: everything is locked", r.place)
	r.blocked = true
	for _, p := range r.must("SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'admin' AND ID <> CONNECTION_ID() AND DB IS NOT NULL") {
		_, _ = r.query("KILL " + p[0])
	}
	time.Sleep(200 * time.Millisecond)
	_, _ = r.query("SET GLOBAL read_only = 0")
	r.must(sql)
	return !r.dead
}

func (r *run) read() error {
	late := time.After(20 * time.Second)
	for {
		c, err := r.reader.Poll()
		switch {
		case err != nil:
			return err
		case c == nil:
			select {
			case <-r.reader.Ready():
			case <-late:
				return errors.New("no change within 20 s")
			}
		case c.Op == change.Schema:
			r.count.changes++
			r.replica.schema(c.DDL)
		case c.Table.Database == "corpus_mark":
			if c.After != nil && c.After[0].Int() == int64(r.mark) {
				return nil
			}
		default:
			r.count.changes++
			if err := r.replica.row(c); err != nil && !r.tolerated(name{c.Table.Database, c.Table.Name}) {
				r.found("row: %v", err)
			}
		}
	}
}

// warnings is what the Reader logs, which several goroutines do.
type warnings struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (w *warnings) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(b)
}

func (w *warnings) take() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.text.String()
	w.text.Reset()
	return s
}
