package cli_test

import (
	"bufio"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"daybook/admin"
)

var tasks = []admin.Task{
	{
		Definition: admin.Definition{Name: "shop", Source: admin.SourceDefinition{Address: "192.0.2.1:3306", User: "daybook"}}, Owner: "file", State: "Normal", Since: at(0), Allowed: []string{"pause", "restart", "delete"},
		Checks:   []admin.Check{{Name: "login", Status: "ok", Detail: "daybook"}, {Name: "GTID", Status: "warn", Detail: "gtid_mode is OFF", Fix: "set it to ON"}},
		Position: &admin.Position{File: "binlog.000012", Pos: 4711, GTIDs: "64cb74ea-e6a0-11f1-8461-02fc00000001:1-5"},
		Log:      admin.Log{Bytes: 123456789, Oldest: at(0), Age: "72h0m0s", MaxBytes: 50 << 30}, LogStartOffset: 100, HighWatermark: 1234,
	},
	{
		Definition: admin.Definition{Name: "books", Source: admin.SourceDefinition{Address: "192.0.2.2:3306", User: "daybook"}}, Log: admin.Log{Age: "24h0m0s"}, Owner: "file", State: "Error", Since: at(1), Retry: at(3),
		Reason:     "an event of the binlog cannot be read: \x1b[2J " + strings.Repeat("long ", 30) + "'daybook task skip books' passes over it",
		EventGroup: &admin.EventGroup{File: "binlog.000007", Pos: 154, GTID: "0-1-2"},
		Position:   &admin.Position{File: "binlog.000007", Pos: 154},
	},
	{
		Definition: admin.Definition{Name: "drift", Source: admin.SourceDefinition{Address: "192.0.2.3:3306", User: "daybook"}}, Log: admin.Log{Age: "24h0m0s"}, Owner: "file", State: "Normal", Since: at(2),
		Definitions: admin.Definitions{Checked: at(3), Differ: differ, More: 1, WayOn: "'daybook task check drift --adopt' takes the source's definitions"},
	},
	{Definition: admin.Definition{Name: "new", Source: admin.SourceDefinition{Address: "192.0.2.3:3306", User: "daybook"}}, Log: admin.Log{Age: "24h0m0s"}, Owner: "file", State: "Error", Since: at(2), Reason: "gave up", Command: "restart from now"},
}

// resting is a task that is paused.
var resting = admin.Task{
	Definition: admin.Definition{Name: "rests", Source: admin.SourceDefinition{Address: "192.0.2.3:3306", User: "daybook"}}, Log: admin.Log{Age: "24h0m0s"}, Owner: "store", State: "Not Started", Since: at(2), Allowed: []string{"resume", "reconfigure", "delete"},
	Checks: []admin.Check{{Name: "login", Status: "ok", Detail: "daybook"}, {Name: "binlog retention", Status: "ok", Detail: "binlogs are kept 168 h; the oldest, binlog.000001, was begun 9 days ago"}},
}

var differ = []admin.Difference{
	{Table: "shop.orders", What: []string{"column a is INT, at the source INT UNSIGNED", "column b is c"}, Since: at(1), SincePlace: "binlog.000012:4711"},
	{Table: "shop.gone", What: []string{"it is not at the source any more"}},
}

// TestTaskOutput compares what people and programs see with testdata/task.
func TestTaskOutput(t *testing.T) {
	group := &admin.EventGroup{File: "binlog.000007", Pos: 154, GTID: "0-1-2"}
	f := serveFake(t, map[string]any{
		"GET /api/v1/tasks":               admin.TaskList{Tasks: tasks},
		"GET /api/v1/tasks/rests":         resting,
		"GET /api/v1/tasks/shop":          tasks[0],
		"GET /api/v1/tasks/books":         tasks[1],
		"GET /api/v1/tasks/drift":         tasks[2],
		"GET /api/v1/tasks/new":           tasks[3],
		"POST /api/v1/tasks/shop/preview": admin.ObjectsPreview{Count: 1, Tables: []admin.TableName{{Database: "shop", Table: "t"}}},
		"POST /api/v1/tasks/shop/restart": admin.CommandResult{Task: "shop", Done: true, From: "binlog.000012:4711, GTIDs x:1-5", To: "binlog.000001:4", Reason: "by command", Offset: some(int64(1234))},
		"POST /api/v1/tasks/dry/restart":  admin.CommandResult{Task: "dry", From: "binlog.000012:4711", To: "earliest", DryRun: true},
		"POST /api/v1/tasks/late/restart": admin.CommandResult{Task: "late", From: "binlog.000012:4711", To: "now"},
		"POST /api/v1/tasks/books/skip":   admin.CommandResult{Task: "books", Done: true, From: "binlog.000007:154", To: "binlog.000007:900", Offset: some(int64(7)), EventGroup: group},
		"POST /api/v1/tasks/shop/check":   admin.CheckResult{Task: "shop", Asked: at(4), Ended: at(5), Same: 17, Undecided: 1, Differ: differ, More: 2},
		"POST /api/v1/tasks/new/check":    admin.CheckResult{Task: "new", Asked: at(4), Ended: at(5), Same: 17, Differ: differ[:1], Adopted: true},
		"POST /api/v1/tasks/dry/skip":     admin.CommandResult{Task: "dry", From: "binlog.000007:154 (GTID 0-1-2)", To: "the event group after it", EventGroup: group, DryRun: true},
	})
	for _, test := range []struct {
		name, args, asks string
		code             int
	}{
		{"list", "list", `GET /api/v1/tasks`, 0},
		{"show", "show shop", `GET /api/v1/tasks/shop`, 0},
		{"show-error", "show books", `GET /api/v1/tasks/books`, 0},
		{"show-differing", "show drift", `GET /api/v1/tasks/drift`, 0},
		{"show-waiting", "show new", `GET /api/v1/tasks/new`, 0},
		{"preview-one", "objects shop --include shop.t", `POST /api/v1/tasks/shop/preview {"include":["shop.t"]}`, 0},
		{"show-paused", "show rests", `GET /api/v1/tasks/rests`, 0},
		{"restart", "restart shop --from earliest --force", `POST /api/v1/tasks/shop/restart {"from":"earliest","force":true}`, 0},
		{"restart-dry", "restart dry --from earliest --dry-run", `POST /api/v1/tasks/dry/restart {"from":"earliest","dry_run":true}`, 0},
		{"restart-late", "restart late --from now", `POST /api/v1/tasks/late/restart {"from":"now"}`, 7},
		{"skip", "skip books", `POST /api/v1/tasks/books/skip {}`, 0},
		{"check", "check shop", `POST /api/v1/tasks/shop/check {}`, 1},
		{"check-adopt", "check new --adopt --table new.t", `POST /api/v1/tasks/new/check {"tables":["new.t"],"adopt":true}`, 0},
		{"skip-dry", "skip dry --dry-run", `POST /api/v1/tasks/dry/skip {"dry_run":true}`, 0},
	} {
		for output, ext := range map[string]string{"table": ".txt", "json": ".json", "yaml": ".json"} {
			t.Run(test.name+"/"+output, func(t *testing.T) {
				stdout, stderr, code := f.task(append(strings.Fields(test.args), "-o", output)...)
				if code != test.code || (stderr != "") != (code > 1) {
					t.Errorf("exit code %d: %s", code, stderr)
				}
				if got := f.asked(); got != test.asks {
					t.Errorf("asked\n%s\nwant\n%s", got, test.asks)
				}
				if output == "yaml" {
					stdout = jsonOf(t, stdout)
				}
				golden(t, filepath.Join("testdata", "task", test.name+ext), stdout)
			})
		}
	}
}

func (f *fake) task(args ...string) (stdout, stderr string, code int) {
	return run(append([]string{"task", "--admin", f.url, "--token-file", f.tokenFile}, args...)...)
}

func TestTaskErrors(t *testing.T) {
	refuse := func(status int, code admin.Code, message string) *admin.Error {
		return &admin.Error{Status: status, Code: code, Detail: message}
	}
	f := serveFake(t, map[string]any{
		"GET /api/v1/tasks/none":           refuse(404, admin.CodeUnknownTask, "there is no task \"none\""),
		"POST /api/v1/tasks/runs/restart":  refuse(409, admin.CodeRunning, "the task runs"),
		"POST /api/v1/tasks/gone/restart":  refuse(422, admin.CodeRefused, "purged"),
		"POST /api/v1/tasks/errs/check":    refuse(409, admin.CodeNotReading, "the task does not read its source now"),
		"POST /api/v1/tasks/other/skip":    refuse(409, admin.CodeNotSkippable, "the error is another"),
		"POST /api/v1/tasks/wrong/restart": refuse(422, admin.CodeInvalid, "no place to start at"),
	})
	for _, test := range []struct {
		args    string
		code    int
		message string
	}{
		{"show none", 5, "there is no task"},
		{"restart runs --from now", 6, "--force restarts it"},
		{"restart gone --from earliest", 1, "purged"},
		{"restart wrong --from yesterday", 1, "no place to start at"},
		{"check errs", 6, "does not read"},
		{"skip other", 6, "the error is another"},
		{"restart shop", 2, "--from is needed"},
		{"restart --from now", 2, "accepts 1 arg(s)"},
		{"stop shop", 2, `unknown command "stop"`},
	} {
		stdout, stderr, code := f.task(strings.Fields(test.args)...)
		if code != test.code || !strings.Contains(stderr, test.message) || stdout != "" {
			t.Errorf("task %s: exit code %d, %q, %q; want %d with %q", test.args, code, stdout, stderr, test.code, test.message)
		}
	}
}

// Daybook goes down while a command is under way: it may be saved.
func TestUnanswered(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = http.ReadRequest(bufio.NewReader(c))
			c.Close()
		}
	}()
	token := serveFake(t, nil).tokenFile
	for _, test := range []struct{ args, message string }{
		{"task restart shop --from now", "the command may be saved all the same, and is then done once"},
		{"task skip shop", "'daybook task show' tells"},
		{"group reset cache --to-earliest", "it may be done all the same: 'daybook group show' tells"},
		{"group delete cache", "it may be done all the same"},
		{"task show shop", "is 'daybook serve' running there?"},
	} {
		args := append(strings.Fields(test.args), "--admin", "http://"+l.Addr().String(), "--token-file", token)
		if _, stderr, code := run(args...); code != 3 || !strings.Contains(stderr, test.message) {
			t.Errorf("%s: exit code %d, %q; want %q", test.args, code, stderr, test.message)
		}
	}
}
