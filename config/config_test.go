package config_test

import (
	"cmp"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"daybook/access"
	"daybook/auth"
	"daybook/config"
	"daybook/objects"
)

var update = flag.Bool("update", false, "rewrite the expected messages in testdata")

var rules = config.Rules{Account: auth.CheckAccount, Group: auth.CheckGroup, Password: auth.CheckPassword, Token: access.CheckName, Role: access.CheckRole, Patterns: objects.Check}

// env holds the variables that the fixtures name.
func env(name string) (string, bool) {
	v, ok := map[string]string{"SHOP_PASSWORD": "s3cret-shop", "CACHE_PASSWORD": "s3cret-cache", "WEAK_PASSWORD": "abcdefgh"}[name]
	return v, ok
}

func TestExampleLoads(t *testing.T) {
	hour, yes := config.Duration(time.Hour), true
	c, err := config.Load("../config.example.yaml", env, rules)
	if err != nil {
		t.Fatal(err)
	}
	want := &config.Config{
		DataDir:   "../data",
		Retention: config.Retention{Age: config.Duration(24 * time.Hour)},
		Kafka: config.Kafka{
			Listeners: []config.Listener{{
				Name: "local", Address: "127.0.0.1:9092", Advertised: "127.0.0.1:9092",
				SASLMechanisms: []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"},
			}},
			MaxConnections: 1000, MaxConnectionsPerAddress: 500, MaxConnectionsPerGroup: 100,
			MaxGroupsPerTask: 20,
			IdleTimeout:      config.Duration(10 * time.Minute), OffsetRetention: config.Duration(168 * time.Hour),
		},
		Admin: config.Admin{Address: "127.0.0.1:8378", TokenFile: "../data/admin.token", SecretKeyFile: "../data/secret.key", Tokens: []config.Token{}, Hosts: []string{}},
		Tasks: []config.Task{{
			Name: "shop",
			Source: config.Source{
				Address: "127.0.0.1:3306", User: "daybook", PasswordEnv: "SHOP_PASSWORD", EnvPassword: "s3cret-shop", Away: config.Duration(15 * time.Second),
				TLS: config.TLS{Mode: "preferred"},
			},
			Start:            config.Start{Kind: config.StartNow},
			Objects:          config.Objects{Include: []string{"shop.*"}, Exclude: []string{"shop.tmp_*"}},
			SchemaChanges:    "instance",
			Format:           "debezium-json",
			WireCompression:  "none",
			PartialImages:    "accept",
			CheckDefinitions: &hour,
			Groups:           []config.Group{{ID: "cache", Account: "app", PasswordEnv: "CACHE_PASSWORD", Password: "s3cret-cache"}},
			AutoStart:        &yes,
		}},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

// TestExampleListsEveryKey fails when a key is added to the structs only.
func TestExampleListsEveryKey(t *testing.T) {
	src, err := os.ReadFile("../config.example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var walk func(reflect.Type)
	keys := 0
	walk = func(ty reflect.Type) {
		for ty.Kind() == reflect.Slice || ty.Kind() == reflect.Pointer {
			ty = ty.Elem()
		}
		if ty.Kind() != reflect.Struct || ty == reflect.TypeFor[config.Start]() {
			return
		}
		for i := range ty.NumField() {
			key := strings.TrimSuffix(ty.Field(i).Tag.Get("yaml"), ",omitempty")
			if key == "-" {
				continue
			}
			keys++
			if !strings.Contains(string(src), key+":") {
				t.Errorf("config.example.yaml does not show %s of %s", key, ty.Name())
			}
			walk(ty.Field(i).Type)
		}
	}
	walk(reflect.TypeFor[config.Config]())
	if keys < 20 {
		t.Errorf("saw only %d keys", keys)
	}
}

func TestStartForms(t *testing.T) {
	tests := []struct {
		yaml string
		want config.Start
	}{
		{"now", config.Start{Kind: config.StartNow}},
		{"earliest", config.Start{Kind: config.StartEarliest}},
		{"{time: 2026-01-31T12:00:00Z}", config.Start{Kind: config.StartTime, Time: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)}},
		{`{gtid: "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5"}`, config.Start{Kind: config.StartGTID, GTID: "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5"}},
		{"{file: binlog.000042}", config.Start{Kind: config.StartFile, File: "binlog.000042", Pos: 4}},
		{"{file: binlog.000042, pos: 5000000000}", config.Start{Kind: config.StartFile, File: "binlog.000042", Pos: 5000000000}},
	}
	for _, tt := range tests {
		t.Run(tt.yaml, func(t *testing.T) {
			c, err := config.Load(write(t, minimal+"    start: "+tt.yaml+"\n"), env, rules)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Tasks[0].Start; got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestPasswordFile(t *testing.T) {
	p := write(t, strings.Replace(minimal, "password_env: SHOP_PASSWORD", "password_file: shop.pw", 1))
	if err := os.WriteFile(filepath.Join(filepath.Dir(p), "shop.pw"), []byte("from the file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(p, env, rules)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"from the file", "rotated"} {
		if got, err := c.Tasks[0].Source.Password(t.Context()); got != want || err != nil {
			t.Errorf("password %q, %v", got, err)
		}
		if err := os.WriteFile(filepath.Join(filepath.Dir(p), "shop.pw"), []byte("rotated\r\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(filepath.Dir(p), "shop.pw")); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Tasks[0].Source.Password(t.Context()); err == nil || !strings.HasPrefix(err.Error(), "password_file: cannot read the file") {
		t.Errorf("password %q, %v", got, err)
	}
	if err := syscall.Mkfifo(filepath.Join(filepath.Dir(p), "shop.pw"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Tasks[0].Source.Password(t.Context()); err == nil || !strings.Contains(err.Error(), "no ordinary file") { // and does not wait
		t.Errorf("password %q, %v", got, err)
	}
}

// TestPasswordCommand runs programs that give a password, and others.
func TestPasswordCommand(t *testing.T) {
	dir := t.TempDir()
	script := func(text string) string {
		p := filepath.Join(dir, "give")
		if err := os.WriteFile(p, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
			t.Fatal(err)
		}
		return p
	}
	for _, c := range []struct {
		script, want, fault string
		within              time.Duration
	}{
		{script: "echo \"$1\"", want: "a b; $(touch x)"}, // no shell reads its arguments
		{script: "printf 'tok en'", want: "tok en"},
		{script: "exit 0", fault: "what password_command writes is empty"},
		{script: "echo no credentials >&2; echo half; exit 3", fault: `password_command: exit status 3: "no credentials"`},
		{script: "head -c 70000 /dev/zero", fault: "has more than 65536 bytes"},
		{script: "cat /dev/zero", fault: "has more than 65536 bytes", within: 5 * time.Second},
		{script: "yes token", fault: "has more than 65536 bytes", within: 5 * time.Second},
		{script: "echo token; cat /dev/zero >&2", fault: "writes more than 1048576 bytes to its standard error", within: 5 * time.Second},
		{script: "echo half; sleep 4711", fault: "has not ended within 10s"},
		{script: "echo token; sleep 30 &", want: "token"}, // a child keeps its output open
	} {
		s := config.Source{PasswordCommand: []string{script(c.script), "a b; $(touch x)"}}
		began := time.Now()
		got, err := s.Password(t.Context())
		if got != c.want || (c.fault == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.fault) || time.Since(began) > cmp.Or(c.within, 30*time.Second) {
			t.Errorf("%s: %q, %v after %s", c.script, got, err, time.Since(began))
		}
	}
	if out, err := exec.Command("pgrep", "-f", "^sleep 4711$").Output(); err == nil {
		t.Errorf("a child of a command that took too long is still there: %s", out)
	}
}

// TestBadFiles compares the message of each testdata/bad/*.yaml with the .txt beside it.
func TestBadFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			_, err := config.Load(f, env, rules)
			var ce *config.Error
			if !errors.As(err, &ce) {
				t.Fatalf("got %v, want an *Error", err)
			}
			if ce.File != f {
				t.Errorf("error names the file %q", ce.File)
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Error("the message holds a password")
			}
			golden := strings.TrimSuffix(f, ".yaml") + ".txt"
			got := err.Error() + "\n"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got:\n%swant:\n%s", got, want)
			}
		})
	}
}

// TestSecretInTheWrongPlace puts a password where something else belongs: the
// error tells the key, or at least the line, and not the password.
func TestSecretInTheWrongPlace(t *testing.T) {
	const source = `"127.0.0.1:3306", user: u, password_env: SHOP_PASSWORD}`
	for _, tt := range []struct{ old, new, want string }{
		{source, `"repl:pAss-word9@127.0.0.1:3306", user: u, password_env: SHOP_PASSWORD}`, ":3: tasks[0].source.address: is not of the form host:port"},
		{source, `"pAss-word9@db:3306", user: u, password_env: SHOP_PASSWORD}`, ":3: tasks[0].source.address: is not of the form host:port"},
		{source, `"mysql://repl:pAss-word9@127.0.0.1/", user: u, password_env: SHOP_PASSWORD}`, ":3: tasks[0].source.address: is not of the form host:port"},
		{source, `"db:pAss-word9", user: u, password_env: SHOP_PASSWORD}`, ":3: tasks[0].source.address: has no port"},
		{"password_env: SHOP_PASSWORD", "password_env: pAss-word9", ":3: tasks[0].source.password_env: there is no environment variable of this name"},
		{"password_env: SHOP_PASSWORD", "password_file: pAss-word9", ":3: tasks[0].source.password_file: cannot read the file: no such file"},
		{"password_env: SHOP_PASSWORD", "password_command: pAss-word9", ":3: tasks[0].source.password_command: string was used where sequence is expected"},
		{"password_env: SHOP_PASSWORD", "password_command: [pAss-word9]", ":3: tasks[0].source.password_command: its first item is no program"},
		{"password_env: SHOP_PASSWORD", "password: pAss-word9", `:3: tasks[0].source.password: unknown field "password"`},
		{"password_env: SHOP_PASSWORD", "pAss-word9", ":3: tasks[0].source: unknown field"},
		{"password_env: SHOP_PASSWORD", `"pAss\"-word9": x`, ":3: tasks[0].source: unknown field"},
		{"password_env: SHOP_PASSWORD", "password_env: *pAss-word9", ":3: "},
		{"password_env: SHOP_PASSWORD", "password_env: !pAss-word9 x", ":3: "},
		{"password_env: SHOP_PASSWORD", `password_env: "pAss-word9`, ":3: "},
		{"password_env: SHOP_PASSWORD", "password_env: [pAss-word9]", ":3: "},
		{"password_env: SHOP_PASSWORD", `password_env: SHOP_PASSWORD, tls: {mode: pAss-word9}`, ":3: tasks[0].source.tls.mode: is not one of"},
		{"password_env: SHOP_PASSWORD", `password_env: SHOP_PASSWORD, tls: {cert_file: SHOP, key_file: "-----BEGIN pAss-word9"}`, "tasks[0].source.tls.key_file: cannot read the file"},
		{"password_env: SHOP_PASSWORD", `password_env: SHOP_PASSWORD, server_id: pAss-word9`, ":3: tasks[0].source.server_id: wants a whole number"},
		{"name: shop", "name: pAss/word9", ":2: tasks[0].name: cannot be a topic"},
		{"tasks:", "data_dir: x\npAss-word9\ntasks:", ":"},
		{"tasks:", "pAss-word9: 1\npAss-word9: 2\ntasks:", ":2: mapping key already defined"},
		{"tasks:", "retention: {age: pAss-word9}\ntasks:", ":1: retention.age: is no duration"},
		{"tasks:", "admin: {address: 'http://u:pAss-word9@h:1'}\ntasks:", ":1: admin.address: is not of the form host:port"},
		{"tasks:", "kafka: {listeners: [{name: a, address: ':1', advertised: 'u:pAss-word9@h:1'}]}\ntasks:", ":1: kafka.listeners[0].advertised: is not of the form host:port"},
		{"tasks:", "kafka: {listeners: [{name: a, address: ':1', sasl_mechanisms: [pAss-word9]}]}\ntasks:", ":1: kafka.listeners[0].sasl_mechanisms[0]: is not one of"},
		{"    source", "    start: pAss-word9\n    source", ":3: tasks[0].start: is no start"},
		{"    source", "    start: {time: pAss-word9}\n    source", ":3: tasks[0].start: the time is not of the form"},
		{"    source", "    objects: {include: [pAss-word9]}\n    source", ":3: tasks[0].objects.include[0]: the table is missing"},
		{"    source", "    objects: {exclude: [a.b, '/(pAss-word9/.t']}\n    source", ":3: tasks[0].objects.exclude[1]: the regular expression cannot be read: missing closing )"},
		{"    source", "    objects: {include: ['`pAss-word9']}\n    source", ":3: tasks[0].objects.include[0]: a backquote is not closed"},
		{"    source", "    groups: [{id: pAss-word9/, account: pAss-word9, password_file: pAss-word9}]\n    source", ":3: tasks[0].groups[0].id: a group ID has"},
		{"    source", "    groups: [{id: g, account: app, password_env: pAss-word9}]\n    source", ":3: tasks[0].groups[0].password_env: there is no"},
	} {
		t.Run(tt.new, func(t *testing.T) {
			if !strings.Contains(minimal, tt.old) {
				t.Fatalf("%q is not in the configuration", tt.old)
			}
			file := write(t, strings.Replace(minimal, tt.old, tt.new, 1))
			_, err := config.Load(file, env, rules)
			if err == nil {
				t.Fatal("it is no error")
			}
			got := strings.ReplaceAll(err.Error(), file, "")
			if !strings.Contains(got, tt.want) || strings.Contains(got, "word9") {
				t.Errorf("want %s without the password, got %s", tt.want, got)
			}
		})
	}
}

// TestLoadAdmin wants the admin section of a file whose secrets are not here.
func TestLoadAdmin(t *testing.T) {
	p := write(t, minimal+"data_dir: d\nadmin: {address: 127.0.0.1:1}\n")
	got, err := config.LoadAdmin(p)
	want := config.Admin{Address: "127.0.0.1:1", TokenFile: filepath.Join(filepath.Dir(p), "d", "admin.token"), SecretKeyFile: filepath.Join(filepath.Dir(p), "d", "secret.key")}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if _, err := config.LoadAdmin(write(t, minimal+"admin: {address: nowhere}\n")); err == nil {
		t.Error("a wrong address is not told")
	}
}

func TestLoadData(t *testing.T) {
	p := write(t, minimal+"data_dir: d\nretention: {age: 5m}\n") // without the variables that its passwords are in
	got, err := config.LoadData(p)
	if err != nil || got.DataDir != filepath.Join(filepath.Dir(p), "d") || got.Retention.Age != config.Duration(5*time.Minute) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := config.LoadData(write(t, minimal+"retention: {age: 1s}\n")); err == nil {
		t.Error("a wrong retention is not told")
	}
}

func TestMissingFile(t *testing.T) {
	_, err := config.Load("testdata/none.yaml", env, rules)
	if want := "testdata/none.yaml: cannot read the configuration: no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestEndlessFile(t *testing.T) {
	if _, err := config.Load("/dev/zero", env, rules); err == nil || !strings.Contains(err.Error(), "more than 4 MiB") {
		t.Errorf("got %v", err)
	}
}

func TestByteOrderMark(t *testing.T) {
	if _, err := config.Load(write(t, "\ufeff"+minimal), env, rules); err != nil {
		t.Error(err)
	}
}

const minimal = `tasks:
  - name: shop
    source: {address: "127.0.0.1:3306", user: u, password_env: SHOP_PASSWORD}
`

func write(t *testing.T, yaml string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "daybook.yaml")
	if err := os.WriteFile(p, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}
