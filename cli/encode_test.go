package cli_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// jsonOf returns YAML as the JSON that the same command prints: the same keys in the same order, the same values.
// What is for people in any case stays.
func jsonOf(t *testing.T, text string) string {
	t.Helper()
	var v any
	if err := yaml.UnmarshalWithOptions([]byte(text), &v, yaml.UseOrderedMap()); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	switch v.(type) {
	case yaml.MapSlice, []any:
	default:
		return text
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, ordered(t, v), "", "  "); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return indented.String() + "\n"
}

// ordered is JSON with the keys in the order of the YAML.
func ordered(t *testing.T, v any) []byte {
	t.Helper()
	var parts [][]byte
	switch v := v.(type) {
	case yaml.MapSlice:
		for _, item := range v {
			parts = append(parts, append(append(ordered(t, item.Key), ':'), ordered(t, item.Value)...))
		}
		return append(append([]byte{'{'}, bytes.Join(parts, []byte{','})...), '}')
	case []any:
		for _, item := range v {
			parts = append(parts, ordered(t, item))
		}
		return append(append([]byte{'['}, bytes.Join(parts, []byte{','})...), ']')
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(b.Bytes())
}

// TestOddTextsInYAML has what YAML reads as something else when it stands there plain.
func TestOddTextsInYAML(t *testing.T) {
	for _, text := range []string{"yes", "null", "~", "1.0", "0x1f", "1e3", "2026-01-31T12:00:00Z", "- a", "a: b", "#", "'", "\"", "\\", " a ", "a\nb", "\t", "\x1b[2J", "\u0085", "\u2028", "ü😀", "", "!x", "&a", "*a", "%", "@", "`", "{", "[", "|", ">"} {
		f := serveFake(t, map[string]any{"GET /api/v1/groups/odd": map[string]any{"group": "odd", "account": text}})
		want, _, code := f.run("show", "odd", "-o", "json")
		got, stderr, yamlCode := f.run("show", "odd", "-o", "yaml")
		if code != 0 || yamlCode != 0 {
			t.Fatalf("exit codes %d, %d: %s", code, yamlCode, stderr)
		}
		var a, b any
		if err := json.Unmarshal([]byte(want), &a); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(jsonOf(t, got)), &b); err != nil {
			t.Fatal(err)
		}
		if account := b.(map[string]any)["account"]; account != text || a.(map[string]any)["account"] != text {
			t.Errorf("%q is %q in YAML, %q in JSON:\n%s", text, account, a.(map[string]any)["account"], got)
		}
	}
	if _, stderr, code := run("check", "-o", "xml"); code != 2 || !strings.Contains(stderr, "is not one of table, json, yaml") {
		t.Errorf("-o xml: exit code %d, %s", code, stderr)
	}
}
