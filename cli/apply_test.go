package cli_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"daybook/admin"
	"daybook/config"
	"daybook/objects"
	"daybook/task"
)

// whole is a task created at run time whose definition has every key: those that go together only with TLS or
// without it, too, by turns.
func whole(t *testing.T, tls bool) admin.Task {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	shop := admin.Task{Owner: "store", State: "Normal", Definition: admin.Definition{
		Name: "1shop.x",
		Source: admin.SourceDefinition{
			Address: "db.example.com:3306", User: "yes", AllowCleartext: true, PublicKeyFile: file, Away: "1m30s", ServerID: 4294967295,
			TLS: admin.TLSDefinition{Mode: "verify-ca", CAFile: file, CertFile: file, KeyFile: file},
		},
		Start:         admin.Start(`{"file":"binlog.000001","pos":5000000000}`),
		Objects:       admin.Objects{Include: []string{"shop.*", `/a\.b/`, "- x.'y'", "ü\t.#"}, Exclude: []string{"null.*"}},
		SchemaChanges: "none", Format: "debezium-json", WireCompression: "zstd", Tombstones: true, IncludeQuery: true, PartialImages: "stop",
		CheckDefinitions: "1m0s", SkipChecks: []string{"binlog sync"}, Retention: admin.RetentionDefinition{Age: "72h0m0s", MaxBytes: 1<<62 + 1}, AutoStart: true,
	}}
	if tls {
		shop.Source.PublicKeyFile = ""
	} else {
		shop.Source.TLS, shop.Source.AllowCleartext = admin.TLSDefinition{Mode: "disabled"}, false
	}
	return shop
}

// zeroes returns the keys of a definition that are not set.
func zeroes(v reflect.Value, at string) (keys []string) {
	for i := range v.NumField() {
		key, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		switch field := v.Field(i); {
		case field.Kind() == reflect.Struct:
			keys = append(keys, zeroes(field, at+key+".")...)
		case field.IsZero():
			keys = append(keys, at+key)
		}
	}
	return keys
}

// TestExportedTasksComeBack exports a task with every key, and reads that as a task of a configuration file and
// by apply, here and where there is none: each is the same task.
func TestExportedTasksComeBack(t *testing.T) {
	t.Setenv("_1SHOP_X_PASSWORD", "s3cret-shop")
	missing := map[string]int{}
	for _, tls := range []bool{true, false} {
		there := whole(t, tls)
		for _, key := range zeroes(reflect.ValueOf(there.Definition), "") {
			missing[key]++
		}
		comesBack(t, there)
	}
	maps.DeleteFunc(missing, func(_ string, times int) bool { return times < 2 })
	if keys := strings.Join(slices.Sorted(maps.Keys(missing)), " "); keys != "source.password source.password_command source.password_env source.password_file" {
		t.Errorf("no task has %s", keys)
	}
}

func comesBack(t *testing.T, there admin.Task) {
	t.Helper()
	f := serveFake(t, map[string]any{"GET /api/v1/tasks/1shop.x": there})
	text, stderr, code := f.task("export", "1shop.x")
	if code != 0 {
		t.Fatalf("export: exit code %d: %s", code, stderr)
	}
	file := filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if stdout, stderr, _ := f.task("apply", "-f", file); stdout != "task 1shop.x is as the file says\n" {
		t.Errorf("applied where it is: %s%s", stdout, stderr)
	}
	f = serveFake(t, map[string]any{
		"GET /api/v1/tasks/1shop.x": &admin.Error{Status: 404, Code: admin.CodeUnknownTask},
		"POST /api/v1/tasks":        there,
	})
	if _, stderr, code := f.task("apply", "-f", file); code != 0 {
		t.Errorf("applied where it is not: exit code %d: %s", code, stderr)
	}
	want := there.Definition
	want.Source.Password = "s3cret-shop"
	_, sent, _ := strings.Cut(f.asked(), "POST /api/v1/tasks ")
	sameDefinition(t, "created", sent, want)

	text = "tasks:\n  - " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ") + "\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file, os.LookupEnv, config.Rules{Patterns: objects.Check, Check: task.CheckSkippable})
	if err != nil {
		t.Fatalf("%v, in\n%s", err, text)
	}
	definition, err := c.Tasks[0].JSON()
	if err != nil {
		t.Fatal(err)
	}
	want.Source.Password, want.Source.PasswordEnv = "", "_1SHOP_X_PASSWORD"
	sameDefinition(t, "in the file", string(definition), want)
}

func sameDefinition(t *testing.T, where, text string, want admin.Definition) {
	t.Helper()
	var got admin.Definition
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("%s: %v in %s", where, err, text)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s it is\n%+v, want\n%+v", where, got, want)
	}
}

// TestWrongFilesOfTasks wants what a file of tasks must not say refused, by its key and without a value, and nothing asked.
func TestWrongFilesOfTasks(t *testing.T) {
	const good = "name: shop\nsource: {address: 'h:1', user: u, password_env: SHOP_PASSWORD}\n"
	for text, want := range map[string]string{
		"":      "describes no task",
		"---\n": "describes no task",
		"name: shop\nsource: {address: 'h:1', user: u, password: s3cret}\n":           "source.password: is not taken from a file: name an environment variable that holds the password in source.password_env",
		"name: shop\nsource: {address: 'h:1', user: u, password_file: /s3cret}\n":     "source.password_file: is for tasks of the configuration file, which are changed there; of another task, name an environment variable",
		"name: shop\nsource: {address: 'h:1', user: u, password_command: [s3cret]}\n": "source.password_command: is for tasks of the configuration file",
		"name: shop\nsource: {address: 'h:1', user: u, password_env: [s3cret]}\n":     "source.password_env: wants a text",
		good + "---\n" + good:        "document 2: name: is that of another document",
		good + "---\nname: second\n": "document 2: source.address",
		good + "name: other\n":       "is no YAML, or has a key twice",
		"[" + good:                   "is no YAML",
		"- 1\n":                      "it does not describe a task",
	} {
		file := filepath.Join(t.TempDir(), "shop.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f := serveFake(t, nil)
		if _, stderr, code := f.task("apply", "-f", file); code != 2 || !strings.Contains(stderr, want) || strings.Contains(stderr, "s3cret") || f.asked() != "" {
			t.Errorf("%q: exit code %d: %s, want %q", text, code, stderr, want)
		}
	}
}

// TestSeveralTasksInAFile has each document of a file applied, until one fails.
func TestSeveralTasksInAFile(t *testing.T) {
	t.Setenv("SHOP_PASSWORD", "s3cret-shop")
	document := func(name string) string {
		return "---\nname: " + name + "\nsource: {address: 'h:1', user: u, password_env: SHOP_PASSWORD}\n"
	}
	unknown := &admin.Error{Status: 404, Code: admin.CodeUnknownTask}
	there := admin.Task{Owner: "store", State: "Normal", Definition: admin.Definition{Name: "second", Source: admin.SourceDefinition{Address: "h:2", User: "u"}}}
	f := serveFake(t, map[string]any{
		"GET /api/v1/tasks/first": unknown, "POST /api/v1/tasks": admin.Task{State: "Not Started", Definition: admin.Definition{Name: "first"}},
		"GET /api/v1/tasks/second": there, "PATCH /api/v1/tasks/second": there,
		"GET /api/v1/tasks/third": admin.Task{Owner: "file", Definition: admin.Definition{Name: "third", Source: admin.SourceDefinition{Address: "h:1", User: "u", PasswordEnv: "X"}}},
	})
	file := filepath.Join(t.TempDir(), "tasks.yaml")
	if err := os.WriteFile(file, []byte(document("first")+"---\n# nothing\n--- # yet\n"+document("second")+"---\n"+document("third")+document("fourth")), 0o600); err != nil {
		t.Fatal(err)
	}
	_, stderr, code := f.task("apply", "-f", file)
	if want := "task third: the configuration file declares task third: change it there, and start Daybook anew; not looked at: task fourth\n"; code != 6 || !strings.HasSuffix(stderr, want) {
		t.Errorf("exit code %d: %s, want %s", code, stderr, want)
	}
	asked := strings.Split(f.asked(), "\n")
	for i, want := range []string{"GET /api/v1/tasks/first", "POST /api/v1/tasks {", "GET /api/v1/tasks/second", "PATCH /api/v1/tasks/second {", "GET /api/v1/tasks/third"} {
		if i >= len(asked) || !strings.HasPrefix(asked[i], want) {
			t.Errorf("request %d is not %s:\n%s", i, want, strings.Join(asked, "\n"))
		}
	}
}

// TestTasksWithoutADefinition wants what is true to be said of tasks that nobody declares, or that cannot be read.
func TestTasksWithoutADefinition(t *testing.T) {
	t.Setenv("SHOP_PASSWORD", "s3cret-shop")
	file := filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(file, []byte("name: shop\nsource: {address: 'h:1', user: u, password_env: SHOP_PASSWORD}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bare := func(owner string) *fake {
		return serveFake(t, map[string]any{
			"GET /api/v1/tasks/shop": admin.Task{Owner: owner, State: "Normal", Definition: admin.Definition{Name: "shop"}}, "PATCH /api/v1/tasks/shop": admin.Task{State: "Normal"},
		})
	}
	for args, want := range map[string]string{"export shop": "delete it ('daybook task delete shop --confirm shop') and create it anew", "apply -f " + file: "does not declare task shop any more"} {
		if stdout, stderr, code := bare("none").task(strings.Fields(args)...); code != 6 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit code %d: %s%s, want %q", args, code, stdout, stderr, want)
		}
	}
	if stdout, stderr, code := bare("store").task("export", "shop"); code != 6 || stdout != "" || !strings.Contains(stderr, "'daybook task show shop' says why") {
		t.Errorf("a definition that cannot be read: exit code %d: %s%s", code, stdout, stderr)
	}
	if _, stderr, code := bare("store").task("apply", "-f", file); code != 0 {
		t.Errorf("a definition that is given once more: exit code %d: %s", code, stderr)
	}
}

// TestPatches wants keys that are given twice to be refused.
func TestPatches(t *testing.T) {
	f := serveFake(t, map[string]any{"PATCH /api/v1/tasks/shop": admin.Task{State: "Normal"}})
	for _, test := range []struct {
		args []string
		want string // what is sent, or said
	}{
		{[]string{"--include", "a.*", "--patch", `{"objects":{"include":["b.*"]}}`}, "objects.include is given by a flag and by --patch"},
		{[]string{"--include", "a.*", "--patch", `{"objects":null}`}, "objects is given by a flag and by --patch"},
		{[]string{"--retention-bytes", "1", "--patch", `{"retention":{"max_bytes":2}}`}, "retention.max_bytes is given by a flag"},
		{[]string{"--patch", `{"tombstones":true,"tombstones":false}`}, "--patch has tombstones twice"},
		{[]string{"--patch", `{"source":{"tls":{"mode":"a","mode":"b"}}}`}, "--patch has source.tls.mode twice"},
		{[]string{"--patch", `{"tombstones":true} {}`}, "--patch is no JSON object"},
		{[]string{"--patch", `{"tombstones":true`}, "--patch is no JSON object"},
		{[]string{"--patch", `null`}, "--patch is no JSON object"},
		{[]string{"--patch", `[]`}, "--patch is no JSON object"},
		{[]string{"--include", "a.*", "--patch", `{"objects":{"exclude":["b.*"]},"retention":{"max_bytes":4611686018427387905,"age":null}}`},
			`PATCH /api/v1/tasks/shop {"objects":{"exclude":["b.*"],"include":["a.*"]},"retention":{"age":null,"max_bytes":4611686018427387905}}`},
	} {
		_, stderr, code := f.task(append([]string{"reconfigure", "shop"}, test.args...)...)
		if asked := f.asked(); code == 0 && asked != test.want || code != 0 && (code != 2 || asked != "" || !strings.Contains(stderr, test.want)) {
			t.Errorf("%q: exit code %d: %s asks %s, want %s", test.args, code, stderr, asked, test.want)
		}
	}
}
