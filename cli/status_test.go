package cli_test

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"daybook/admin"
)

var uptime = regexp.MustCompile(`up [0-9hms]+`)

// TestStatus shows one screen of what is well and what is not, the worst first.
func TestStatus(t *testing.T) {
	server := admin.Status{
		Version: "v1.2.3", Started: time.Now().Add(-75 * time.Hour), MemoryBytes: 89 << 20,
		Data:      admin.DataStatus{Dir: "/var/lib/daybook", UsedBytes: 12 << 30, FreeBytes: 88 << 30, LogBytes: 11 << 30, MaxBytes: 50 << 30},
		Listeners: []admin.Listener{{Name: "network", Address: "0.0.0.0:9093", Advertised: "daybook.example.com:9093", TLS: true}, {Name: "admin", Address: "127.0.0.1:8378"}},
		Tasks:     map[string]int{"Normal": 2, "Error": 2}, Failing: 2, Groups: len(groups),
	}
	events := []admin.LogEvent{
		{ID: "5", Time: "2026-01-31T12:05:00Z", Task: "shop", Kind: "state", Text: "Normal"},
		{ID: "4", Time: "2026-01-31T12:04:00Z", Task: "books", Kind: "state", Text: "Error: gone\x1b[2J " + strings.Repeat("long ", 60)},
		{ID: "3", Time: "2026-01-31T12:03:00Z", Task: "shop", Kind: "pause", Text: "pause", By: "the token admin, from 127.0.0.1"},
		{ID: "2", Time: "2026-01-31T12:02:00Z", Task: "shop", Kind: "objects", Text: "other objects are selected"},
		{ID: "1", Time: "2026-01-31T12:01:00Z", Task: "drift", Kind: "definition_differs", Text: "shop.orders: column a"},
	}
	f := serveFake(t, map[string]any{
		"GET /api/v1/status": server, "GET /api/v1/tasks": admin.TaskList{Tasks: tasks}, "GET /api/v1/groups": admin.GroupList{Groups: groups},
		"GET /api/v1/events": admin.LogEventList{Events: events},
	})
	status := func(f *fake, more ...string) (string, string, int) {
		return run(append([]string{"status", "--admin", f.url, "--token-file", f.tokenFile}, more...)...)
	}
	stdout, stderr, code := status(f)
	if code != 1 || stderr != "" {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	golden(t, filepath.Join("testdata", "status", "failing.txt"), uptime.ReplaceAllString(stdout, "up TIME"))

	stdout, _, code = status(f, "-o", "json")
	var o struct {
		Daybook  admin.Status
		Tasks    []admin.Task
		Groups   []admin.Group
		Warnings []admin.LogEvent
	}
	if err := json.Unmarshal([]byte(stdout), &o); err != nil || code != 1 || o.Daybook.Data != server.Data || len(o.Tasks) != len(tasks) || o.Tasks[0].Name != "new" || o.Groups[0].Group != "ledger" || len(o.Warnings) != 2 {
		t.Errorf("exit code %d, %v: %+v", code, err, o)
	}
	if yaml, _, code := status(f, "-o", "yaml"); code != 1 || jsonOf(t, yaml) != stdout {
		t.Errorf("exit code %d: in YAML it is\n%s", code, yaml)
	}

	server.Tasks, server.Failing, server.Groups = map[string]int{}, 0, 0
	f = serveFake(t, map[string]any{
		"GET /api/v1/status": server, "GET /api/v1/tasks": admin.TaskList{}, "GET /api/v1/groups": admin.GroupList{}, "GET /api/v1/events": admin.LogEventList{},
	})
	stdout, stderr, code = status(f)
	if code != 0 || stderr != "" {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	golden(t, filepath.Join("testdata", "status", "empty.txt"), uptime.ReplaceAllString(stdout, "up TIME"))
	if _, stderr, code = status(serveFake(t, nil)); code != 3 || !strings.Contains(stderr, "has no /api/v1/status") {
		t.Errorf("a Daybook that knows no status: exit code %d, %s", code, stderr)
	}
}
