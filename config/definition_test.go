package config_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"daybook/config"
	"daybook/objects"
	"daybook/task"
)

const definition = `{"name":"shop","source":{"address":"db.example:3306","user":"daybook","password":"s3cret-s3cret"%S},"objects":{"include":["shop.*"]}%T}`

func withKeys(source, task string) []byte {
	return []byte(strings.NewReplacer("%S", source, "%T", task).Replace(definition))
}

// TestDefinition reads definitions, and what comes out as JSON once more.
func TestDefinition(t *testing.T) {
	for _, c := range []struct{ source, task, want string }{
		{"", "", `{"name":"shop","source":{"address":"db.example:3306","user":"daybook","tls":{"mode":"preferred"}},"start":"now","objects":{"include":["shop.*"]},"schema_changes":"instance","format":"debezium-json","wire_compression":"none","tombstones":false,"include_query":false,"partial_images":"accept","check_definitions":"1h0m0s","auto_start":false}`},
		{`,"tls":{"mode":"disabled"},"server_id":7`, `,"auto_start":true,"start":{"file":"binlog.000001","pos":5000000000},"check_definitions":"0s","tombstones":true`,
			`{"name":"shop","source":{"address":"db.example:3306","user":"daybook","tls":{"mode":"disabled"},"server_id":7},"start":{"file":"binlog.000001","pos":5000000000},"objects":{"include":["shop.*"]},"schema_changes":"instance","format":"debezium-json","wire_compression":"none","tombstones":true,"include_query":false,"partial_images":"accept","check_definitions":"0s","auto_start":true}`},
		{"", `,"retention":{"age":"72h","max_bytes":50000000000}`,
			`{"name":"shop","source":{"address":"db.example:3306","user":"daybook","tls":{"mode":"preferred"}},"start":"now","objects":{"include":["shop.*"]},"schema_changes":"instance","format":"debezium-json","wire_compression":"none","tombstones":false,"include_query":false,"partial_images":"accept","check_definitions":"1h0m0s","retention":{"age":"72h0m0s","max_bytes":50000000000},"auto_start":false}`},
		{"", `,"retention":{"age":"0s","max_bytes":0}`, // as for all
			`{"name":"shop","source":{"address":"db.example:3306","user":"daybook","tls":{"mode":"preferred"}},"start":"now","objects":{"include":["shop.*"]},"schema_changes":"instance","format":"debezium-json","wire_compression":"none","tombstones":false,"include_query":false,"partial_images":"accept","check_definitions":"1h0m0s","auto_start":false}`},
		{"", `,"start":{"time":"2026-01-31T12:00:00Z"}`, ""},
		{"", `,"start":{"gtid":"0-1-2"}`, ""},
		{"", `,"start":"earliest"`, ""},
	} {
		d, err := config.ParseDefinition(withKeys(c.source, c.task), "", config.Rules{Patterns: objects.Check})
		if err != nil {
			t.Errorf("%s %s: %v", c.source, c.task, err)
			continue
		}
		got, err := d.JSON()
		if err != nil || !json.Valid(got) || c.want != "" && string(got) != c.want {
			t.Errorf("%s %s gives %v\n%s, want\n%s", c.source, c.task, err, got, c.want)
		}
		if strings.Contains(string(got), "s3cret") {
			t.Errorf("the password is in %s", got)
		}
		again, err := config.ParseDefinition(got, "s3cret-s3cret", config.Rules{Patterns: objects.Check})
		if err != nil {
			t.Errorf("%s: %v", got, err)
			continue
		}
		if second, _ := again.JSON(); string(second) != string(got) {
			t.Errorf("%s becomes %s", got, second)
		}
		if password, _ := again.Source.Password(t.Context()); password != "s3cret-s3cret" {
			t.Errorf("the password given beside is %q", password)
		}
	}
}

// TestDefinitionOddNames has what JSON writes otherwise than YAML.
func TestDefinitionOddNames(t *testing.T) {
	for _, name := range []string{`a"b.*`, `ünï.\u0000`, "\U0001F600.t", `yes.no`, `<&>.\\`, "x.\u2028", "a: b.#c", "- x.'y'", "{a}.[b]", "a\tb.*", "\t.\t", "a.b\t", "a\x1b.*", "a\x7f.b", "a\u0085.b", " a.b ", "a\n.b", "`a.b`.`c``d`", `/a\.b{2}/`} {
		quoted, _ := json.Marshal([]string{name})
		text := strings.Replace(string(withKeys("", "")), `["shop.*"]`, string(quoted), 1)
		d, err := config.ParseDefinition([]byte(text), "", config.Rules{Patterns: objects.Check})
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		again, err := d.JSON()
		if err != nil {
			t.Fatal(err)
		}
		d2, err := config.ParseDefinition(again, "s3cret-s3cret", config.Rules{Patterns: objects.Check})
		if err != nil || d.Objects.Include[0] != name || d2.Objects.Include[0] != name {
			t.Errorf("%q becomes %q, and then %v, %v", name, d.Objects.Include, d2, err)
		}
	}
}

// TestWrongDefinitions wants the key told, and no value.
func TestWrongDefinitions(t *testing.T) {
	for text, want := range map[string]string{
		``:       "no JSON object",
		`[]`:     "no JSON object",
		`null`:   "no JSON object",
		`{"a":1`: "no JSON object",
		`{}`:     "name: a task needs a name",
		string(withKeys(`,"password_env":"HOME"`, "")):                       "source: password_env, password_file and password_command are for tasks of the configuration file",
		string(withKeys(`,"password_command":["id"]`, "")):                   "are for tasks of the configuration file",
		string(withKeys(`,"tls":{"ca_file":"etc/x"}`, "")):                   "source.tls.ca_file: is no absolute path",
		string(withKeys(`,"passwort":"s3cret-s3cret"`, "")):                  "passwort",
		string(withKeys(`,"server_id":"s3cret-s3cret"`, "")):                 "wants a whole number",
		string(withKeys("", `,"groups":[{"id":"g"}]`)):                       "groups: are for tasks of the configuration file",
		string(withKeys("", `,"colour":"red"`)):                              "colour",
		string(withKeys("", `,"format":"s3cret-s3cret"`)):                    "format: is not one of",
		string(withKeys("", `,"check_definitions":"s3cret"`)):                "check_definitions: is no duration",
		string(withKeys("", `,"skip_checks":["s3cret-s3cret"]`)):             "skip_checks[0]: is no check that warns",
		string(withKeys("", `,"retention":{"age":"59s"}`)):                   "retention.age: 59s is less than a minute",
		string(withKeys("", `,"retention":{"max_bytes":-1}`)):                "retention.max_bytes: is negative",
		string(withKeys("", `,"retention":{"hours":1}`)):                     "hours",
		string(withKeys("", `,"start":{"time":"s3cret"}`)):                   "the time is not of the form",
		`{"name":"shop","source":{"user":"u","address":"h:1"}}`:              "source.password: is missing",
		`{"name":"shop","source":{"user":"u","address":"h:1","password":7}}`: "source.password: wants a text",
		`{"name":"a b","source":"s3cret"}`:                                   "source",
	} {
		_, err := config.ParseDefinition([]byte(text), "", config.Rules{Patterns: objects.Check, Check: task.CheckSkippable})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want one that says %q", text, err, want)
		}
	}
}

// TestAutoStartInTheFile takes what an exported task says, and refuses what a task of the file does not do.
func TestAutoStartInTheFile(t *testing.T) {
	t.Setenv("SHOP_PASSWORD", "s3cret-shop")
	for text, want := range map[string]string{"": "", "auto_start: true": "", "auto_start: false": "tasks[0].auto_start: a task of the file starts by itself"} {
		file := filepath.Join(t.TempDir(), "daybook.yaml")
		if err := os.WriteFile(file, []byte("tasks:\n  - name: shop\n    source: {address: 'h:1', user: u, password_env: SHOP_PASSWORD}\n    "+text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(file, os.LookupEnv, config.Rules{Patterns: objects.Check})
		switch {
		case want != "":
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want one that says %q", text, err, want)
			}
		case err != nil:
			t.Errorf("%s: %v", text, err)
		default:
			if definition, err := c.Tasks[0].JSON(); err != nil || !strings.HasSuffix(string(definition), `"auto_start":true}`) {
				t.Errorf("%s becomes %s, %v", text, definition, err)
			}
		}
	}
}
