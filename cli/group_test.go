package cli_test

import (
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"daybook/admin"
	"daybook/servertls/certtest"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata")

// fake answers as an admin API would, and notes what it is asked.
type fake struct {
	url, tokenFile string

	mu       sync.Mutex
	requests []string // method, path and body
}

const token = "0123456789abcdefghijklmnopqrstuvwxyz"

// serveFake answers each path with its status and body.
func serveFake(t *testing.T, answers map[string]any) *fake {
	t.Helper()
	return serveFakeTLS(t, nil, answers)
}

// serveFakeTLS is serveFake with TLS, unless config is nil.
func serveFakeTLS(t *testing.T, config *tls.Config, answers map[string]any) *fake {
	t.Helper()
	f := &fake{tokenFile: filepath.Join(t.TempDir(), "admin.token")}
	if err := os.WriteFile(f.tokenFile, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.url = "http://" + l.Addr().String()
	if config != nil {
		f.url = "https://" + l.Addr().String()
		l = tls.NewListener(l, config)
	}
	s := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		f.mu.Lock()
		f.requests = append(f.requests, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+string(body)))
		f.mu.Unlock()
		w.Header().Set("Daybook-Version", "v9.9.9")
		answer, ok := answers[r.Method+" "+r.URL.Path]
		switch {
		case r.Header.Get("Authorization") != "Bearer "+token:
			answer = &admin.Error{Status: 401, Code: admin.CodeUnauthorized, Detail: "the token is wrong"}
		case !ok:
			answer = &admin.Error{Status: 404, Code: admin.CodeNoSuchPath, Detail: "Daybook v9.9.9 has no " + r.URL.Path}
		}
		if e, ok := answer.(*admin.Error); ok {
			w.WriteHeader(e.Status)
			answer = e
		}
		_ = json.NewEncoder(w).Encode(answer)
	})}
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close(); <-done })
	return f
}

func (f *fake) run(args ...string) (stdout, stderr string, code int) {
	return run(append([]string{"group", "--admin", f.url, "--token-file", f.tokenFile}, args...)...)
}

func (f *fake) asked() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	asked := strings.Join(f.requests, "\n")
	f.requests = nil
	return asked
}

func at(minute int) time.Time { return time.Date(2026, 1, 31, 12, minute, 0, 0, time.UTC) }

func some[T any](v T) *T { return &v }

// groups are one of each kind.
var groups = []admin.Group{
	{
		Group: "cache", Task: "shop", Account: "app", Username: "app-cache", Owner: "file",
		State: "Stable", Mode: "subscribe", Generation: 4,
		Consumers: []admin.Consumer{
			{Role: "active", Mode: "subscribe", Since: at(0), Address: "192.0.2.7:40112", ClientID: "worker-1", MemberID: "worker-1-6f0c", InstanceID: "w1"},
			{Role: "standby", Mode: "subscribe", Since: at(1), Address: "192.0.2.8:40520", ClientID: "worker-2\x1b[2J", MemberID: "worker-2-81de"},
			{Role: "standby", Mode: "assign", Since: at(2), Address: "192.0.2.9:51234", ClientID: "probe"},
		},
		Checkpoint:     &admin.Checkpoint{Offset: 1200, Committed: at(3), Metadata: "file 7", LagRecords: 34, LagSeconds: some(3.42)},
		LogStartOffset: 100, HighWatermark: 1234,
	},
	{
		Group: "ledger", Task: "shop", Account: "bank", Username: "bank-ledger", Owner: "store",
		Created: at(0), PasswordChanged: at(1), State: "Empty", Generation: 9, EmptySince: at(4), Consumers: []admin.Consumer{},
		Checkpoint:     &admin.Checkpoint{Offset: 10, Committed: at(3), Metadata: strings.Repeat("long ", 20), LagRecords: 1224, LagSeconds: some(86399.0), LostRecords: 90},
		LogStartOffset: 100, HighWatermark: 1234,
	},
	{
		Group: "new", Task: "shop", Account: "app", Username: "app-new", Owner: "store",
		Created: at(0), PasswordChanged: at(0), State: "Empty", Consumers: []admin.Consumer{},
		LogStartOffset: 100, HighWatermark: 1234,
	},
	{
		Group: "old", Owner: "none", State: "Empty", Consumers: []admin.Consumer{},
		Checkpoint: &admin.Checkpoint{Offset: 1234, Committed: at(3)},
	},
}

// TestGroupOutput compares what people and programs see with testdata/group.
func TestGroupOutput(t *testing.T) {
	answers := map[string]any{
		"GET /api/v1/groups":              admin.GroupList{Groups: groups},
		"POST /api/v1/groups":             groups[2],
		"POST /api/v1/groups/back/reset":  admin.ResetResult{Group: "back", Task: "shop", From: some(int64(1200)), To: 100, Records: some(int64(-1100)), Clamped: true, LogStartOffset: 100, HighWatermark: 1234, DryRun: true},
		"POST /api/v1/groups/on/reset":    admin.ResetResult{Group: "on", Task: "shop", From: some(int64(1200)), To: 1234, Records: some(int64(34)), LogStartOffset: 100, HighWatermark: 1234},
		"POST /api/v1/groups/first/reset": admin.ResetResult{Group: "first", Task: "shop", To: 100, LogStartOffset: 100, HighWatermark: 1234},
		"POST /api/v1/groups/same/reset":  admin.ResetResult{Group: "same", Task: "shop", From: some(int64(100)), To: 100, Records: some(int64(0)), LogStartOffset: 100, HighWatermark: 1234},
		"PUT /api/v1/groups/new/password": map[string]any{},
		"DELETE /api/v1/groups/new":       map[string]any{},
	}
	for _, g := range groups {
		answers["GET /api/v1/groups/"+g.Group] = g
	}
	f := serveFake(t, answers)
	t.Setenv("NEW_PASSWORD", "s3cret-word")
	for _, test := range []struct{ name, args, asks string }{
		{"list", "list", `GET /api/v1/groups`},
		{"show", "show cache", `GET /api/v1/groups/cache`},
		{"show-lost", "show ledger", `GET /api/v1/groups/ledger`},
		{"show-new", "show new", `GET /api/v1/groups/new`},
		{"show-old", "show old", `GET /api/v1/groups/old`},
		{"create", "create new --task shop --account app --password-env NEW_PASSWORD", `POST /api/v1/groups {"group":"new","task":"shop","account":"app","password":"s3cret-word"}`},
		{"reset-back", "reset back --shift-by -5000 --dry-run", `POST /api/v1/groups/back/reset {"shift_by":-5000,"dry_run":true}`},
		{"reset-on", "reset on --to-latest", `POST /api/v1/groups/on/reset {"to_latest":true}`},
		{"reset-first", "reset first --to-time 2026-01-31T13:00:00+01:00", `POST /api/v1/groups/first/reset {"to_time":"2026-01-31T13:00:00+01:00"}`},
		{"reset-same", "reset same --to-offset 100", `POST /api/v1/groups/same/reset {"to_offset":100}`},
		{"set-password", "set-password new --password-env NEW_PASSWORD --end-connections", `PUT /api/v1/groups/new/password {"password":"s3cret-word","end_connections":true}`},
		{"delete", "delete new --force", `DELETE /api/v1/groups/new?force=true`},
	} {
		f.inEachForm(t, filepath.Join("group", test.name), test.args, test.asks, f.run)
	}
}

// inEachForm runs a command in each form of its output, which stands in testdata, and wants it to ask for something.
func (f *fake) inEachForm(t *testing.T, file, args, asks string, run func(args ...string) (stdout, stderr string, code int)) {
	t.Helper()
	for output, suffix := range map[string]string{"table": ".txt", "json": ".json", "yaml": ".json"} {
		t.Run(filepath.Base(file)+"/"+output, func(t *testing.T) {
			stdout, stderr, code := run(append(strings.Fields(args), "-o", output)...)
			if code != 0 || stderr != "" {
				t.Errorf("exit code %d: %s", code, stderr)
			}
			if got := f.asked(); got != asks {
				t.Errorf("asked\n%s\nwant\n%s", got, asks)
			}
			if output == "yaml" {
				stdout = jsonOf(t, stdout)
			}
			golden(t, filepath.Join("testdata", file+suffix), stdout)
		})
	}
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%swant (%s):\n%s", got, file, want)
	}
}

// TestGroupErrors wants each kind of failure told by its exit code and a message
// that says what to do.
func TestGroupErrors(t *testing.T) {
	refuse := func(status int, code admin.Code, message string) *admin.Error {
		return &admin.Error{Status: status, Code: code, Detail: message}
	}
	f := serveFake(t, map[string]any{
		"GET /api/v1/groups/none":           refuse(404, admin.CodeUnknownGroup, "there is no group \"none\" \x1b[2J"),
		"PUT /api/v1/groups/filed/password": refuse(409, admin.CodeOwnedByFile, "declared in the configuration file"),
		"POST /api/v1/groups/short/reset":   refuse(422, admin.CodeInvalid, "has no checkpoint"),
		"GET /api/v1/groups":                admin.GroupList{},
	})
	wrong := filepath.Join(t.TempDir(), "wrong.token")
	exposed := filepath.Join(t.TempDir(), "exposed.token")
	for file, mode := range map[string]os.FileMode{wrong: 0o600, exposed: 0o644} {
		if err := os.WriteFile(file, []byte(strings.Repeat("w", 32)), mode); err != nil {
			t.Fatal(err)
		}
	}
	off := filepath.Join(t.TempDir(), "daybook.yaml")
	if err := os.WriteFile(off, []byte("admin: {address: none}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	with := func(args ...string) []string { return append([]string{"group", "list"}, args...) }
	free := func() string { return "http://" + freeAddress(t) }
	for _, test := range []struct {
		name    string
		args    []string
		code    int
		message string
	}{
		{"no such group", []string{"group", "--admin", f.url, "--token-file", f.tokenFile, "show", "none"}, 5, `there is no group "none" ?[2J`},
		{"owned", []string{"group", "--admin", f.url, "--token-file", f.tokenFile, "set-password", "filed", "--generate"}, 6, "configuration file"},
		{"rule", []string{"group", "--admin", f.url, "--token-file", f.tokenFile, "reset", "short", "--shift-by=1"}, 1, "has no checkpoint"},
		{"other version", []string{"group", "--admin", f.url, "--token-file", f.tokenFile, "delete", "x"}, 3, "Daybook v9.9.9 has no /api/v1/groups/x: this is Daybook dev: use the version that runs there"},
		{"nobody there", with("--admin", free(), "--token-file", f.tokenFile), 3, "connection refused: is 'daybook serve' running there?"},
		{"wrong token", with("--admin", f.url, "--token-file", wrong), 4, "the token is wrong (the one that was tried is in " + wrong},
		{"exposed token", with("--admin", f.url, "--token-file", exposed), 4, "chmod 600"},
		{"no token", with("--admin", f.url, "--token-file", "/none/admin.token"), 4, "name another with --token-file"},
		{"no configuration", with("-c", "/none/daybook.yaml"), 2, "give both --admin and --token-file"},
		{"off", with("-c", off), 2, "turns the admin API off"},
		{"no URL", with("--admin", "127.0.0.1:8378", "--token-file", f.tokenFile), 2, "http://host:port"},
		{"no output", with("--admin", f.url, "--token-file", f.tokenFile, "-o", "xml"), 2, "not one of table, json"},
		{"no verb", []string{"group", "lst"}, 2, `unknown command "lst"`},
		{"no group", []string{"group", "show"}, 2, "accepts 1 arg(s)"},
		{"no task", []string{"group", "create", "g"}, 2, "--task and --account are needed"},
		{"no way", []string{"group", "reset", "g"}, 2, "one of --to-earliest"},
		{"two ways", []string{"group", "reset", "g", "--to-earliest", "--to-offset", "1"}, 2, "one of --to-earliest"},
		{"no time", []string{"group", "reset", "g", "--to-time", "yesterday"}, 2, "2006-01-02T15:04:05Z"},
		{"no terminal", []string{"group", "--admin", f.url, "--token-file", f.tokenFile, "set-password", "g"}, 2, "no terminal to ask"},
		{"two passwords", []string{"group", "--admin", f.url, "--token-file", f.tokenFile, "set-password", "g", "--generate", "--password-env", "X"}, 2, "give one of"},
		{"empty variable", []string{"group", "--admin", f.url, "--token-file", f.tokenFile, "set-password", "g", "--password-env", "NOT_SET"}, 2, "there is no environment variable of this name"},
		{"no password file", []string{"group", "--admin", f.url, "--token-file", f.tokenFile, "set-password", "g", "--password-file", "/none"}, 2, "no such file"},
		{"a password argument", []string{"group", "set-password", "g", "s3cret-word"}, 2, "accepts 1 arg(s)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			stdout, stderr, code := run(test.args...)
			if code != test.code || !strings.Contains(stderr, test.message) || stdout != "" {
				t.Errorf("exit code %d, %q, %q; want %d with %q", code, stdout, stderr, test.code, test.message)
			}
		})
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// A password that is made up is shown once, and is one that the rules allow.
func TestGeneratedPassword(t *testing.T) {
	f := serveFake(t, map[string]any{"POST /api/v1/groups": groups[2]})
	seen := map[string]bool{}
	for range 20 {
		stdout, _, code := f.run("create", "new", "--task", "shop", "--account", "app", "--generate", "-o", "json")
		var made struct{ Group, Password string }
		if err := json.Unmarshal([]byte(stdout), &made); err != nil || code != 0 {
			t.Fatalf("exit code %d, %v: %s", code, err, stdout)
		}
		if asked := f.asked(); !strings.Contains(asked, fmt.Sprintf("%q", made.Password)) || made.Group != "new" {
			t.Errorf("shown %q, sent %s", made.Password, asked)
		}
		if len(made.Password) < 20 || !strings.ContainsAny(made.Password, "234567") || seen[made.Password] {
			t.Errorf("password %q", made.Password)
		}
		seen[made.Password] = true
	}
	stdout, _, _ := f.run("create", "new", "--task", "shop", "--account", "app", "--generate")
	if !strings.Contains(stdout, "password: ") || !strings.Contains(stdout, "not shown again") {
		t.Errorf("stdout: %s", stdout)
	}
}

func TestPasswordFile(t *testing.T) {
	f := serveFake(t, map[string]any{"PUT /api/v1/groups/g/password": map[string]any{}})
	file := filepath.Join(t.TempDir(), "pw")
	if err := os.WriteFile(file, []byte("from the file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, stderr, code := f.run("set-password", "g", "--password-file", file); code != 0 {
		t.Fatal(stderr)
	}
	if asked := f.asked(); !strings.Contains(asked, `{"password":"from the file","end_connections":false}`) {
		t.Errorf("asked %s", asked)
	}
}

// The address and the token come from the configuration, whose secrets are not needed.
func TestServerOfTheConfiguration(t *testing.T) {
	f := serveFake(t, map[string]any{"GET /api/v1/groups": admin.GroupList{Groups: groups}})
	dir := filepath.Dir(f.tokenFile)
	yaml := fmt.Sprintf("data_dir: .\nadmin: {address: %q}\ntasks:\n  - name: shop\n    source: {address: \"127.0.0.1:1\", user: u, password_env: NOT_SET_HERE}\n",
		strings.TrimPrefix(f.url, "http://"))
	if err := os.WriteFile(filepath.Join(dir, "daybook.yaml"), []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := run("group", "list", "-c", filepath.Join(dir, "daybook.yaml"))
	if code != 0 || !strings.Contains(stdout, "ledger") {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
}

// With TLS, the certificate of the configuration is trusted, and no other, until
// --ca-file says so.
func TestServerWithTLS(t *testing.T) {
	ca, dir := certtest.NewCA(t, "test authority"), t.TempDir()
	pair := ca.Issue("admin")
	f := serveFakeTLS(t, &tls.Config{Certificates: []tls.Certificate{pair.TLS(t)}}, map[string]any{"GET /api/v1/groups": admin.GroupList{Groups: groups}})
	pair.Write(t, dir, "own")
	ca.Issue("admin").Write(t, dir, "other")
	authority := certtest.File(t, dir, "ca.pem", ca.PEM())
	configured := func(name string) string {
		return certtest.File(t, dir, name+".yaml", fmt.Appendf(nil, "admin: {address: %q, token_file: %s, tls: {cert_file: %s.pem, key_file: %s.key}}\n",
			strings.TrimPrefix(f.url, "https://"), f.tokenFile, name, name))
	}
	for _, test := range []struct {
		name    string
		args    []string
		code    int
		message string
	}{
		{"configured", []string{"-c", configured("own")}, 0, ""},
		{"another certificate", []string{"-c", configured("other")}, 3, "the server's certificate is not that in"},
		{"unknown authority", []string{"--admin", f.url, "--token-file", f.tokenFile}, 3, "name the authority's certificate with --ca-file"},
		{"known authority", []string{"--admin", f.url, "--token-file", f.tokenFile, "--ca-file", authority}, 0, ""},
		{"no certificate", []string{"--admin", f.url, "--token-file", f.tokenFile, "--ca-file", f.tokenFile}, 2, "holds no PEM certificate"},
		{"no TLS", []string{"--admin", strings.Replace(f.url, "https", "http", 1), "--token-file", f.tokenFile}, 3, "HTTP request to an HTTPS server"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, stderr, code := run(append([]string{"group", "list"}, test.args...)...); code != test.code || !strings.Contains(stderr, test.message) {
				t.Errorf("exit code %d: %s; want %d with %q", code, stderr, test.code, test.message)
			}
		})
	}
}

func TestGroupHelpHasExamples(t *testing.T) {
	for _, verb := range []string{"create", "list", "show", "set-password", "reset", "delete"} {
		stdout, _, code := run("group", verb, "--help")
		if code != 0 || !strings.Contains(stdout, "Examples:") || !strings.Contains(stdout, "daybook group "+verb) {
			t.Errorf("group %s --help: exit code %d and\n%s", verb, code, stdout)
		}
	}
	if _, _, code := run("group"); code != 0 {
		t.Errorf("group: exit code %d", code)
	}
}
