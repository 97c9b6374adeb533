//go:build servers

package schema

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-mysql-org/go-mysql/client"
	"github.com/go-mysql-org/go-mysql/mysql"

	"daybook/e2e/servers"
)

var (
	seed     = flag.Uint64("seed", 22, "seed of random statements; 0: a new one")
	rejected = flag.Bool("rejected", false, "log the statements that the server rejects")
)

// source is a real server that the test's statements run on.
type source struct {
	t      *testing.T
	conn   *client.Conn
	server Server
	db     string
	ctx    Context
	status string // the statement that tells the binlog position
}

func openSource(t *testing.T, s *servers.Server, db string) *source {
	t.Helper()
	conn, err := client.Connect(s.Address, servers.Admin, servers.Admin, "")
	if err != nil {
		t.Fatalf("connect to %s at %s: %v", s.Name, s.Address, err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	src := &source{t: t, conn: conn, db: db, status: "SHOW MASTER STATUS"}
	src.must("SET NAMES utf8")
	src.must("CREATE DATABASE " + db + " DEFAULT CHARACTER SET utf8")
	t.Cleanup(func() { src.must("DROP DATABASE IF EXISTS " + db) })
	src.must("USE " + db)
	row := src.must("SELECT @@version, @@lower_case_table_names, @@character_set_server")[0]
	src.server = Server{Flavor: "mysql", DefaultCharset: row[2].String, Version: versionNumber(t, row[0].String)}
	src.server.LowerCaseTableNames, _ = strconv.Atoi(row[1].String)
	if s.MariaDB() {
		src.server.Flavor = "mariadb"
	}
	if src.server.mysqlFrom(80200) {
		src.status = "SHOW BINARY LOG STATUS"
	}
	if rows := src.must("SHOW VARIABLES LIKE 'explicit_defaults_for_timestamp'"); len(rows) > 0 {
		src.server.ExplicitDefaultsForTimestamp = rows[0][1].String == "ON"
	}
	return src
}

func versionNumber(t *testing.T, text string) int {
	text, _, _ = strings.Cut(text, "-")
	n := 0
	for _, part := range strings.Split(text, ".") {
		i, err := strconv.Atoi(part)
		if err != nil {
			t.Fatalf("version %q: %v", text, err)
		}
		n = n*100 + i
	}
	return n
}

func (s *source) query(_ context.Context, sql string) ([][]Text, error) {
	r, err := s.conn.Execute(sql)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	if r.Resultset == nil {
		return nil, nil
	}
	rows := make([][]Text, len(r.Values))
	for i, values := range r.Values {
		for _, v := range values {
			switch {
			case v.Type == mysql.FieldValueTypeNull:
				rows[i] = append(rows[i], Text{Null: true})
			case v.Type == mysql.FieldValueTypeString:
				rows[i] = append(rows[i], Text{String: string(v.AsString())})
			default:
				rows[i] = append(rows[i], Text{String: fmt.Sprint(v.Value())})
			}
		}
	}
	return rows, nil
}

func (s *source) try(sql string) error {
	_, err := s.query(context.Background(), sql)
	return err
}

func (s *source) must(sql string) [][]Text {
	s.t.Helper()
	rows, err := s.query(context.Background(), sql)
	if err != nil {
		s.t.Fatalf("%s: %v", sql, err)
	}
	return rows
}

// eventsSince returns what SHOW BINLOG EVENTS has behind a row of the binlog's status.
// Tests beside this one may have begun other binlogs meanwhile, or be writing just now.
func (s *source) eventsSince(status []Text) [][]Text {
	s.t.Helper()
	var events [][]Text
	for _, file := range s.must("SHOW BINARY LOGS") {
		show := "SHOW BINLOG EVENTS IN '" + file[0].String + "'"
		switch strings.Compare(file[0].String, status[0].String) {
		case -1:
			continue
		case 0:
			show += " FROM " + status[1].String
		}
		rows, err := s.query(context.Background(), show)
		for try := 0; err != nil && try < 50; try++ { // MySQL does not wait for an event that is half written
			time.Sleep(20 * time.Millisecond)
			rows, err = s.query(context.Background(), show)
		}
		if err != nil {
			s.t.Fatalf("%s: %v", show, err)
		}
		events = append(events, rows...)
	}
	return events
}

// run runs a statement and returns what the server logged of it.
func (s *source) run(sql string) ([]string, error) {
	before := s.must(s.status)[0]
	if _, err := s.query(context.Background(), sql); err != nil {
		return nil, err
	}
	var logged []string
	prefix := "use `" + s.db + "`; " // MariaDB quotes as the asking session's sql_mode says
	for _, row := range s.eventsSince(before) {
		text := row[5].String
		if row[2].String == "Query" && (strings.HasPrefix(text, prefix) || strings.HasPrefix(text, strings.ReplaceAll(prefix, "`", `"`))) {
			text = text[len(prefix):]
			if i := strings.LastIndex(text, " /* xid="); i >= 0 {
				text = text[:i]
			}
			logged = append(logged, text)
		}
	}
	if len(logged) == 0 && strings.HasPrefix(sql, "ALTER DATABASE") {
		logged = append(logged, sql) // logged without the default database
	}
	return logged, nil
}

// snapshot reads the test's database from information_schema.
func (s *source) snapshot() *Catalog {
	s.t.Helper()
	c := NewCatalog(s.server)
	snap := &snapshot{catalog: c, query: s.query}
	names, err := snap.names(context.Background(), " WHERE TABLE_SCHEMA = "+quote(s.db))
	if err != nil {
		s.t.Fatal(err)
	}
	if err := snap.tables(context.Background(), names); err != nil {
		s.t.Fatal(err)
	}
	return c
}

// follow applies logged statements and returns how the catalog then differs
// from the server.
func (s *source) follow(c *Catalog, logged []string) string {
	for _, sql := range logged {
		if _, err := c.Apply(sql, s.ctx); err != nil {
			return err.Error()
		}
	}
	return diffTables(tablesOf(s.snapshot(), s.db), tablesOf(c, s.db))
}

// adopt makes the catalog what the server says, so that a run goes on after a
// difference.
func (s *source) adopt(c *Catalog) {
	c.dropDatabase(s.db)
	c.PutDatabase(s.db, s.must("SELECT @@character_set_database")[0][0].String)
	read := s.snapshot()
	for _, n := range read.Names(s.db) {
		c.put(read.lookup(n))
	}
}

func tablesOf(c *Catalog, db string) []*table {
	var list []*table
	for _, t := range c.Tables() {
		if t.Database == db {
			list = append(list, c.lookup(TableName{db, t.Name}))
		}
	}
	return list
}

// diffTables returns the lines in which two lists of definitions differ.
func diffTables(server, catalog []*table) string {
	var b strings.Builder
	want, got := describe(server), describe(catalog)
	for _, t := range catalog {
		if t.Engine == "" { // the catalog says that it does not know
			without(want, t.Def.Name+" engine ")
			without(got, t.Def.Name+" engine ")
		}
	}
	for line := range want {
		if !got[line] {
			fmt.Fprintf(&b, "server:  %s\n", line)
		}
	}
	for line := range got {
		if !want[line] {
			fmt.Fprintf(&b, "catalog: %s\n", line)
		}
	}
	return b.String()
}

func without(lines map[string]bool, prefix string) {
	maps.DeleteFunc(lines, func(line string, _ bool) bool { return strings.HasPrefix(line, prefix) })
}

func describe(list []*table) map[string]bool {
	lines := map[string]bool{}
	add := func(n string, v any) {
		text, _ := json.Marshal(v)
		lines[n+" "+string(text)] = true
	}
	for _, t := range list {
		def := *t.Def
		def.Columns = nil
		add(def.Name, def)
		add(def.Name+" engine", t.Engine)
		add(def.Name+" invisible", t.Invisible)
		for i, c := range t.Def.Columns {
			add(fmt.Sprintf("%s[%d]", def.Name, i), c)
		}
	}
	return lines
}
