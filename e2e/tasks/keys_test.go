//go:build servers

package tasks

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"daybook/admin"
	"daybook/e2e/harness"
	"daybook/e2e/servers"
	"daybook/servertls/certtest"
)

// keyed is a task whose definition is changed, key after key, while rows are written.
type keyed struct {
	life
	s        *servers.Server
	db, user string
	conn     *servers.Conn
	way      *harness.Proxy // to the source, as the task goes
	rows     int            // of table u, which the effects write
}

// changedKey is what becomes of a change of one key.
type changedKey struct {
	patch   func(w *keyed) string // of the definition
	refused string                // why it stays; "": it may change
	effect  func(w *keyed)        // shows that the change holds, and takes it back where others are in its way
	mysql   bool                  // not on MariaDB
}

func patch(text string) func(*keyed) string { return func(*keyed) string { return text } }

// changedKeys are all keys of a definition, in an order in which they may be changed.
var changedKeys = []struct {
	key string
	changedKey
}{
	{"name", changedKey{patch: patch(`{"name":"third"}`), refused: "name: a task's name stays what it is"}},
	{"start", changedKey{patch: patch(`{"start":"earliest"}`), refused: "start: the task has begun, and goes on from its position"}},
	{"format", changedKey{patch: patch(`{"format":"avro"}`), refused: "format: is not one of debezium-json"}},
	{"groups", changedKey{patch: patch(`{"groups":[{"id":"g"}]}`), refused: "groups: are for tasks of the configuration file"}},
	{"source.password_env", changedKey{patch: patch(`{"source":{"password_env":"HOME"}}`), refused: "are for tasks of the configuration file"}},
	{"source.password_file", changedKey{patch: patch(`{"source":{"password_file":"/etc/passwd"}}`), refused: "are for tasks of the configuration file"}},
	{"source.password_command", changedKey{patch: patch(`{"source":{"password_command":["id"]}}`), refused: "are for tasks of the configuration file"}},

	{"objects.include", changedKey{patch: func(w *keyed) string { return fmt.Sprintf(`{"objects":{"include":["%s.t","%[1]s.u"]}}`, w.db) }, effect: func(w *keyed) {
		if got := w.told(w.insert()); len(got) != 1 || got[0].After.ID != w.rows {
			w.t.Errorf("of a table that was added come %+v", got)
		}
	}}},
	{"objects.exclude", changedKey{patch: func(w *keyed) string { return fmt.Sprintf(`{"objects":{"exclude":["%s.u"]}}`, w.db) }, effect: func(w *keyed) {
		if got := w.told(w.insert()); len(got) != 0 {
			w.t.Errorf("of a table that was excluded come %+v", got)
		}
		w.change(`{"objects":{"exclude":null}}`)
	}}},
	{"tombstones", changedKey{patch: patch(`{"tombstones":true}`), effect: func(w *keyed) {
		if got := w.told(w.do(fmt.Sprintf("DELETE FROM u WHERE id = %d", w.rows-1))); len(got) != 2 || got[0].Op != "d" || !got[1].tombstone {
			w.t.Errorf("of a row that was deleted come %+v", got)
		}
	}}},
	{"include_query", changedKey{patch: patch(`{"include_query":true}`), effect: func(w *keyed) {
		if w.s.MariaDB() {
			w.conn.Exec("SET SESSION binlog_annotate_row_events = 1")
		} else {
			w.conn.Exec("SET SESSION binlog_rows_query_log_events = 1")
		}
		if got := w.told(w.insert()); len(got) != 1 || !strings.HasPrefix(got[0].Source.Query, "INSERT INTO u") {
			w.t.Errorf("of a row with its statement come %+v", got)
		}
	}}},
	{"schema_changes", changedKey{patch: patch(`{"schema_changes":"objects"}`), effect: func(w *keyed) {
		if got := w.told(w.do("ALTER TABLE u ADD COLUMN v INT")); len(got) != 1 || !strings.HasPrefix(got[0].DDL, "ALTER TABLE u") {
			w.t.Errorf("of a schema change come %+v", got)
		}
	}}},
	{"partial_images", changedKey{patch: patch(`{"partial_images":"stop"}`), effect: func(w *keyed) {
		from := w.do("SET SESSION binlog_row_image = MINIMAL", "UPDATE u SET v = 7", "SET SESSION binlog_row_image = FULL")
		w.state("Error")
		w.change(`{"partial_images":"accept"}`)
		if got := w.told(from); len(got) == 0 || got[0].Op != "u" {
			w.t.Errorf("of a row that was refused, and is accepted, come %+v", got)
		}
	}}},
	{"check_definitions", changedKey{patch: patch(`{"check_definitions":"1s"}`), effect: func(w *keyed) {
		w.conn.Exec("SET SESSION sql_log_bin = 0", "ALTER TABLE u MODIFY COLUMN v INT UNSIGNED", "SET SESSION sql_log_bin = 1")
		w.await("with a table that differs", func(t *admin.Task) bool { return len(t.Definitions.Differ) == 1 })
		command(w.t, w.d, 0, "check", "second", "--adopt")
		w.change(`{"check_definitions":null}`)
	}}},
	{"wire_compression", changedKey{patch: patch(`{"wire_compression":"gzip"}`), effect: func(w *keyed) {
		if got := w.read(0); len(got) == 0 || got[0].Attrs.CompressionType() != 1 {
			w.t.Error("records are not packed by gzip")
		}
	}}},
	{"retention.age", changedKey{patch: patch(`{"retention":{"age":"48h"}}`), effect: func(w *keyed) {
		if l := w.shown().Log; l.Age != "48h0m0s" {
			w.t.Errorf("the log is kept as %+v", l)
		}
	}}},
	{"retention.max_bytes", changedKey{patch: patch(`{"retention":{"max_bytes":4000000000}}`), effect: func(w *keyed) { // TestRetentionOfATask has less
		if l := w.shown().Log; l.Age != "48h0m0s" || l.MaxBytes != 4_000_000_000 {
			w.t.Errorf("the log is kept as %+v", l)
		}
	}}},
	{"skip_checks", changedKey{patch: patch(`{"skip_checks":["binlog sync"]}`), effect: func(w *keyed) { w.check("binlog sync", "skipped", "") }}},
	{"auto_start", changedKey{patch: patch(`{"auto_start":true}`), effect: func(w *keyed) {
		if !w.shown().AutoStart {
			w.t.Error("it is not shown")
		}
	}}},

	{"source.address", changedKey{patch: func(w *keyed) string {
		former := w.way
		w.way = harness.NewProxy(w.t, w.s.Address)
		w.t.Cleanup(former.Close)
		return fmt.Sprintf(`{"source":{"address":%q}}`, w.way.Address())
	}, effect: func(w *keyed) { w.check("server reachable", "ok", w.way.Address()) }}},
	{"source.user", changedKey{patch: func(w *keyed) string { return fmt.Sprintf(`{"source":{"user":%q}}`, w.user) }, effect: func(w *keyed) { w.dumps(w.user) }}},
	{"source.password", changedKey{patch: func(w *keyed) string {
		w.conn.Exec(fmt.Sprintf("SET PASSWORD FOR %s = %s", w.user, map[bool]string{true: "PASSWORD('another-1')", false: "'another-1'"}[w.s.MariaDB()]))
		return `{"source":{"password":"another-1"}}`
	}, effect: func(w *keyed) {
		w.way.Cut()
		if got := w.told(w.insert()); len(got) != 1 {
			w.t.Errorf("behind a new login come %+v", got)
		}
		w.dumps(w.user)
	}}},
	{"source.server_id", changedKey{patch: patch(`{"source":{"server_id":99887766}}`), effect: func(w *keyed) {
		w.told(w.insert())
		if !slices.ContainsFunc(w.conn.Query("SHOW SLAVE HOSTS"), func(r []string) bool { return r[0] == "99887766" }) {
			w.t.Errorf("the replicas are %v", w.conn.Query("SHOW SLAVE HOSTS"))
		}
	}}},
	{"source.away", changedKey{patch: patch(`{"source":{"away":"1s"}}`), effect: func(w *keyed) {
		since := time.Now()
		w.way.Close()
		w.state("Error")
		if took := time.Since(since); took > 12*time.Second { // 15 s without the key
			w.t.Errorf("it took %v", took)
		}
		w.way.Open()
		w.state("Normal")
	}}},
	{"source.tls.mode", changedKey{mysql: true, patch: patch(`{"source":{"tls":{"mode":"disabled"}}}`), effect: func(w *keyed) { w.check("encryption", "ok", "none") }}},
	{"source.server_public_key_file", changedKey{mysql: true, patch: func(w *keyed) string {
		w.conn.Exec(fmt.Sprintf("ALTER USER %s IDENTIFIED WITH caching_sha2_password BY 'another-1'", w.user))
		file := certtest.File(w.t, w.t.TempDir(), "key.pem", []byte(w.conn.Query("SHOW STATUS LIKE 'Caching_sha2_password_rsa_public_key'")[0][1]))
		wrong := certtest.File(w.t, w.t.TempDir(), "wrong.pem", []byte("no key"))
		if out := w.refused(fmt.Sprintf(`{"source":{"server_public_key_file":%q}}`, wrong)); !strings.Contains(out, "precheck failed") {
			w.t.Errorf("a file without a key: %s", out)
		}
		return fmt.Sprintf(`{"source":{"server_public_key_file":%q}}`, file)
	}, effect: func(w *keyed) { w.dumps(w.user) }}},
	{"source.tls.ca_file", changedKey{mysql: true, patch: func(w *keyed) string {
		other := certtest.File(w.t, w.t.TempDir(), "ca.pem", certtest.NewCA(w.t, "another").PEM())
		with := `{"source":{"server_public_key_file":null,"tls":{"mode":"verify-ca","ca_file":%q}}}`
		if out := w.refused(fmt.Sprintf(with, other)); !strings.Contains(out, "encryption") {
			w.t.Errorf("another authority: %s", out)
		}
		return fmt.Sprintf(with, w.data("ca.pem"))
	}, effect: func(w *keyed) { w.check("encryption", "ok", "TLS") }}},
	{"source.tls.cert_file", changedKey{mysql: true, patch: func(w *keyed) string {
		w.conn.Exec("ALTER USER " + w.user + " REQUIRE X509")
		return fmt.Sprintf(`{"source":{"tls":{"cert_file":%q,"key_file":%q}}}`, w.data("client-cert.pem"), w.data("client-key.pem"))
	}, effect: func(w *keyed) { w.dumps(w.user) }}},
	{"source.tls.key_file", changedKey{mysql: true, patch: patch(`{"source":{"tls":{"key_file":null}}}`), refused: "cert_file and key_file go together"}},
	{"source.allow_cleartext_password", changedKey{patch: patch(`{"source":{"allow_cleartext_password":true}}`), effect: func(w *keyed) { // binlog/dump has logins with it
		if !w.shown().Source.AllowCleartext {
			w.t.Error("it is not shown")
		}
	}}},
}

// TestEachKeyMayChange changes each key of a task's definition while rows are written and read. It has its effect, and no
// row is lost or comes twice; or it is refused, and the message names the key and says why.
func TestEachKeyMayChange(t *testing.T) {
	t.Setenv("SECOND_PASSWORD", "repl")
	t.Setenv("GROUP_PASSWORD", harness.Password)
	for _, version := range []string{"mysql-8.0", "mariadb-10.11"} {
		t.Run(version, func(t *testing.T) {
			w := newKeyed(t, servers.Get(t, version))
			written := w.write()
			for _, k := range changedKeys {
				if k.mysql && w.s.MariaDB() {
					continue
				}
				text := k.patch(w)
				switch {
				case k.refused == "":
					w.change(text)
					k.effect(w)
				case !strings.Contains(w.refused(text), k.refused):
					t.Errorf("%s: %s, want %s", k.key, w.refused(text), k.refused)
				}
				w.state("Normal")
				if t.Failed() {
					t.Fatalf("the key was %s", k.key)
				}
			}
			w.wantRows(written())
		})
	}
}

// TestKeysThatChangeAreAll wants each key of a definition to be tried.
func TestKeysThatChangeAreAll(t *testing.T) {
	for _, key := range keysOf(reflect.TypeFor[admin.Definition](), "") {
		if !slices.ContainsFunc(changedKeys, func(k struct {
			key string
			changedKey
		}) bool {
			return k.key == key
		}) {
			t.Errorf("nothing changes %s", key)
		}
	}
}

func keysOf(ty reflect.Type, prefix string) []string {
	var keys []string
	for _, f := range reflect.VisibleFields(ty) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Type.Kind() == reflect.Struct {
			keys = append(keys, keysOf(f.Type, prefix+name+".")...)
			continue
		}
		keys = append(keys, prefix+name)
	}
	return keys
}

func newKeyed(t *testing.T, s *servers.Server) *keyed {
	db, conn := s.Database(t)
	user := "key_" + db[len(db)-8:]
	conn.Exec("CREATE TABLE t (id INT PRIMARY KEY)", "CREATE TABLE u (id INT PRIMARY KEY)",
		"CREATE USER "+user+" IDENTIFIED BY 'repl'", "GRANT REPLICATION SLAVE, REPLICATION CLIENT, SELECT, TRIGGER ON *.* TO "+user)
	t.Cleanup(func() { conn.Exec("DROP USER " + user) })
	d := harness.Start(t, harness.Config{Source: s.Address, Include: []string{db + ".none"}, Start: "now", SchemaChanges: "none"})
	w := &keyed{life: life{t, d}, s: s, db: db, user: user, conn: conn, way: harness.NewProxy(t, s.Address)}
	command(t, d, 0, "create", "second", "--source", w.way.Address(), "--user", "repl", "--password-env", "SECOND_PASSWORD", "--include", db+".t", "--schema-changes", "none", "--auto-start")
	w.state("Normal")
	if out, text, code := d.Run("group", "create", "keys", "--task", "second", "--account", harness.Account, "--password-env", "GROUP_PASSWORD"); code != 0 {
		t.Fatalf("group create: %s%s", out, text)
	}
	return w
}

// write inserts rows into table t until the function that it returns is called, which tells how many.
func (w *keyed) write() (stop func() int) {
	conn := w.s.Connect(w.t, w.db)
	ends, n := make(chan struct{}), 0
	var running sync.WaitGroup
	running.Go(func() {
		for {
			select {
			case <-ends:
				return
			case <-time.After(5 * time.Millisecond):
			}
			if err := conn.Try(fmt.Sprintf("INSERT INTO t VALUES (%d)", n+1)); err != nil {
				w.t.Error(err)
				return
			}
			n++
		}
	})
	var once sync.Once
	stop = func() int {
		once.Do(func() { close(ends) })
		running.Wait()
		return n
	}
	w.t.Cleanup(func() { stop() })
	return stop
}

// change makes a change that is taken.
func (w *keyed) change(text string) {
	w.t.Helper()
	command(w.t, w.d, 0, "reconfigure", "second", "--patch", text)
	w.state("Normal")
}

// refused tries a change that is not, and returns why.
func (w *keyed) refused(text string) string {
	w.t.Helper()
	return command(w.t, w.d, 1, "reconfigure", "second", "--patch", text)
}

// check waits for a check of the precheck.
func (w *keyed) check(name, status, detail string) {
	w.t.Helper()
	w.await("with "+name+" "+status+" "+detail, func(t *admin.Task) bool {
		return slices.ContainsFunc(t.Checks, func(c admin.Check) bool {
			return c.Name == name && c.Status == status && strings.HasPrefix(c.Detail, detail)
		})
	})
}

// dumps waits until the binlog is sent to a user.
func (w *keyed) dumps(user string) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if rows := w.conn.Query("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = '" + user + "' AND COMMAND LIKE 'Binlog Dump%'"); rows[0][0] == "1" {
			return
		}
		if time.Now().After(deadline) {
			w.t.Fatalf("nothing is sent to %s", user)
		}
	}
}

// data is a file of the server's directory, which makes its own certificates.
func (w *keyed) data(name string) string {
	w.t.Helper()
	file := filepath.Join(w.conn.Query("SELECT @@datadir")[0][0], name)
	if _, err := os.Stat(file); err != nil {
		w.t.Fatal(err)
	}
	return file
}

// told is a record of a change, as far as it is looked at.
type told struct {
	Op     string
	After  struct{ ID int }
	DDL    string
	Source struct{ Table, Query string }

	tombstone bool
}

// do runs statements and returns the offset before which their records are not.
func (w *keyed) do(statements ...string) (from int64) {
	w.t.Helper()
	from = w.shown().HighWatermark
	w.conn.Exec(statements...)
	return from
}

func (w *keyed) insert() (from int64) {
	w.t.Helper()
	w.rows++
	return w.do(fmt.Sprintf("INSERT INTO u (id) VALUES (%d)", w.rows))
}

// told returns what came of other tables than t, once the log has all that is committed by now.
func (w *keyed) told(from int64) []told {
	w.t.Helper()
	w.caughtUp()
	var all []told
	for _, r := range w.read(from) {
		c := told{tombstone: r.Value == nil}
		if r.Value != nil {
			if err := json.Unmarshal(r.Value, &c); err != nil {
				w.t.Fatal(err)
			}
		}
		if c.Source.Table != "t" {
			all = append(all, c)
		}
	}
	return all
}

// caughtUp waits until the log has all that is committed by now.
func (w *keyed) caughtUp() {
	w.t.Helper()
	highest, err := strconv.Atoi(w.conn.Query("SELECT MAX(id) FROM t")[0][0])
	if err != nil {
		w.t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); w.lastRow() < highest; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("row %d does not come", highest)
		}
	}
}

// lastRow is the last row of table t in the log.
func (w *keyed) lastRow() int {
	w.t.Helper()
	for _, r := range slices.Backward(w.read(max(0, w.shown().HighWatermark-100))) {
		var c told
		if r.Value != nil && json.Unmarshal(r.Value, &c) == nil && c.Source.Table == "t" {
			return c.After.ID
		}
	}
	return 0
}

// read returns the records from an offset on.
func (w *keyed) read(from int64) []*kgo.Record {
	w.t.Helper()
	end := w.shown().HighWatermark
	if from == end {
		return nil
	}
	client := w.d.GroupClient(w.t, "keys", kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{"second": {0: kgo.NewOffset().At(from)}}))
	defer client.Close()
	var all []*kgo.Record
	for int64(len(all)) < end-from {
		fetched := client.PollFetches(w.t.Context())
		if err := fetched.Err(); err != nil {
			w.t.Fatal(err)
		}
		all = append(all, fetched.Records()...)
	}
	return all
}

// wantRows wants the log to have each row of table t once, in order.
func (w *keyed) wantRows(n int) {
	w.t.Helper()
	w.caughtUp()
	next := 1
	for _, r := range w.read(0) {
		var c told
		if r.Value == nil || json.Unmarshal(r.Value, &c) != nil || c.Source.Table != "t" {
			continue
		}
		if c.Op != "c" || c.After.ID != next {
			w.t.Fatalf("offset %d has row %d, want %d of %d", r.Offset, c.After.ID, next, n)
		}
		next++
	}
	if next != n+1 {
		w.t.Errorf("the log has %d rows, want %d", next-1, n)
	}
	w.t.Logf("%d rows were written meanwhile", n)
}
