//go:build servers

package corpus

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-mysql-org/go-mysql/client"
	"github.com/go-mysql-org/go-mysql/mysql"

	"daybook/binlog"
	"daybook/binlog/schema"
	"daybook/e2e/servers"
)

// run is the files run on one server, whose binlog a Reader follows.
type run struct {
	t      *testing.T
	server *servers.Server
	root   string // of the file
	look   *client.Conn
	conn   *binlog.Conn // for definitions
	kind   schema.Server
	reader *binlog.Reader
	saved  map[string][]byte
	log    warnings

	replica *replica
	mark    int
	changed bool // statements ran since the last comparison
	again   bool // the reader began in the middle: tables may be there of which nothing was told
	dead    bool
	blocked bool // the file locks everything: it is ended

	current, place string
	recent         []string
	merges         bool
	cascades       map[name]bool
	count          struct {
		statements, failed, leftOut, late, syncs, changes, tables, rows, definitions, replication, found, cascades int
	}
	seen map[string]bool
}

func newRun(t *testing.T, server *servers.Server) *run {
	r := &run{t: t, server: server, replica: newReplica(server.MariaDB()), seen: map[string]bool{}}
	r.revive()
	return r
}

func (r *run) at(file string, line int) { r.place = fmt.Sprintf("%s:%d", file, line) }

func (r *run) told(sql string, err error) {
	r.count.statements++
	line := r.place + ": " + sql
	if err != nil {
		r.count.failed++
		line += "  -- " + err.Error()
	}
	if *showFlag {
		r.t.Logf("%.1000q", line)
	}
	if r.recent = append(r.recent, line); len(r.recent) > 400 {
		r.recent = slices.Clone(r.recent[200:])
	}
}

// found reports a difference or a stop.
func (r *run) found(format string, args ...any) {
	what := fmt.Sprintf(format, args...)
	if r.seen[what] {
		return
	}
	r.seen[what] = true
	r.count.found++
	list := slices.Clone(r.recent[max(0, len(r.recent)-12):])
	for i := range list {
		list[i] = fmt.Sprintf("%.700q", list[i])
	}
	msg := fmt.Sprintf("=== %s %s\n%.3000s\nafter:\n  %s\n", r.server.Name, r.current, what, strings.Join(list, "\n  "))
	r.t.Error(msg)
	if *foundFlag != "" {
		f, err := os.OpenFile(*foundFlag, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err == nil {
			_, _ = f.WriteString(msg)
			_ = f.Close()
		}
	}
}

// file runs one file in a fresh database.
func (r *run) file(f file, each time.Duration) {
	path := f.path
	r.root = f.root
	data, err := os.ReadFile(filepath.Join(r.root, path))
	if err != nil {
		r.t.Fatal(err)
	}
	r.current, r.place = path, path
	r.blocked = false
	r.recent, r.merges, r.cascades = nil, false, map[name]bool{}
	r.must("CREATE DATABASE IF NOT EXISTS " + database)
	suite := filepath.Dir(filepath.Dir(filepath.Join(r.root, path)))
	s := &script{run: r, conns: map[string]*session{}, until: time.Now().Add(each), vars: map[string]string{
		"MYSQLTEST_VARDIR": r.root, "MYSQL_TEST_DIR": r.root, "MYSQL_TMP_DIR": r.t.TempDir(), "MYSQLTEST_TMPDIR": r.t.TempDir(),
		"engine_type": "InnoDB", "ENGINE": "InnoDB", "default_engine": "InnoDB", "mysql_errno": "0",
		"MTR_COMBINATION_TIMESTAMP": "1", "MTR_COMBINATION_PK": "1", "TEST_VERSIONING_SO": "1",
	}}
	s.dirs = []string{r.root, filepath.Dir(filepath.Join(r.root, path)), suite, filepath.Join(suite, "include")}
	s.conns["default"] = r.connect(database)
	s.current = s.conns["default"]
	begun := time.Now()
	s.block(parse(data), filepath.Base(path))
	if time.Now().After(s.until) {
		r.t.Logf("%s: given up after %s at %s", path, each, r.place)
	}
	for _, c := range s.conns {
		if c.conn != nil {
			id := c.conn.GetConnectionID()
			c.close()
			if !r.dead {
				r.kill(id)
			}
		}
	}
	if !r.dead {
		r.sync(true)
		r.clean()
		r.sync(false)
	}
	if took := time.Since(begun); took > 10*time.Second || *showFlag {
		r.t.Logf("%s took %s", path, took)
	}
}

// clean drops what the file left.
func (r *run) clean() {
	if rows, err := r.query("XA RECOVER"); err == nil {
		for _, x := range rows {
			var g, b int
			_, _ = fmt.Sscan(x[1], &g)
			_, _ = fmt.Sscan(x[2], &b)
			if g+b <= len(x[3]) {
				_, _ = r.query(fmt.Sprintf("XA ROLLBACK X'%x',X'%x',%s", x[3][:g], x[3][g:g+b], x[0]))
			}
		}
	}
	for _, d := range r.must("SELECT SCHEMA_NAME FROM information_schema.SCHEMATA") {
		if !systemDatabase[strings.ToLower(d[0])] {
			_, err := r.within(2*time.Minute, "DROP DATABASE "+servers.QuoteName(d[0]))
			if refused := (*mysql.MyError)(nil); err != nil && !errors.As(err, &refused) {
				r.died(fmt.Errorf("drop %s: %w", d[0], err)) // or is at it still: its files are its own
				return
			}
			// Files of SELECT … INTO OUTFILE in its folder stay, or keep it from being dropped.
			_ = os.RemoveAll(filepath.Join(r.server.Data(), d[0]))
			if err != nil {
				_, err = r.query("DROP DATABASE IF EXISTS " + servers.QuoteName(d[0]))
			}
			if err != nil {
				r.t.Logf("%s: drop: %v", r.current, err)
			}
		}
	}
	r.changed = true
}
