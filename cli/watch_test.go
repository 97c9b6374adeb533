package cli_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"

	"daybook/admin"
)

// changing is a list of tasks that is another one from the third time on, when end is called.
type changing struct {
	asked atomic.Int64
	end   func()
}

func (c *changing) MarshalJSON() ([]byte, error) {
	state := "Normal"
	if n := c.asked.Add(1); n > 2 {
		state = "Error"
		if n > 3 {
			c.end()
		}
	}
	task := admin.Task{State: state}
	task.Name = "shop"
	return json.Marshal(admin.TaskList{Tasks: []admin.Task{task}})
}

// TestWatch shows what there is, and once more when it has changed, until Ctrl-C.
func TestWatch(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := serveFake(t, map[string]any{"GET /api/v1/tasks": &changing{end: cancel}})
	stdout, stderr, code := runFor(ctx, "task", "list", "--watch", "--admin", f.url, "--token-file", f.tokenFile)
	if code != 0 || stderr != "" || strings.Count(stdout, "shop") != 2 || !strings.Contains(stdout, "Normal") || strings.Contains(stdout, "\x1b") ||
		strings.Index(stdout, "Error") < strings.Index(stdout, "Normal") {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
	if _, stderr, code := run("task", "show", "none", "--watch", "--admin", f.url, "--token-file", f.tokenFile); code == 0 || !strings.Contains(stderr, "has no /api/v1/tasks/none") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if _, _, code := run("status", "--watch", "--admin", "http://127.0.0.1:1", "--token-file", f.tokenFile); code != 3 {
		t.Errorf("where nobody answers: exit code %d", code)
	}
}

// settling is a task in Error that reads again from the third time on.
type settling struct{ asked atomic.Int64 }

func (s *settling) MarshalJSON() ([]byte, error) {
	task := admin.Task{State: "Error", Reason: "the former", Retry: at(3)}
	if s.asked.Add(1) > 2 {
		task = admin.Task{State: "Normal"}
	}
	task.Name = "shop"
	return json.Marshal(task)
}

// TestWhatBecomesOfAnError has the task printed as what leads it on has made it.
func TestWhatBecomesOfAnError(t *testing.T) {
	before := admin.Task{State: "Error", Reason: "the former", Retry: at(3), Definition: admin.Definition{Name: "shop"}}
	for _, args := range []string{"reconfigure shop --source h:2", "resume shop"} {
		f := serveFake(t, map[string]any{"GET /api/v1/tasks/shop": &settling{}, "PATCH /api/v1/tasks/shop": before, "POST /api/v1/tasks/shop/resume": before})
		if stdout, stderr, code := f.task(strings.Fields(args)...); code != 0 || !strings.Contains(stdout, "Normal") || strings.Contains(stdout, "the former") {
			t.Errorf("%s: exit code %d: %s%s", args, code, stdout, stderr)
		}
	}
}
