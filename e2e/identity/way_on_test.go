//go:build servers

package identity

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/e2e/harness"
	"daybook/e2e/oracle"
)

// namedCommand is how an Error names the command that leads on.
var namedCommand = regexp.MustCompile(`'daybook (task (?:restart|skip) [^']+)'`)

// leadOn takes each observer that is in Error at the end of a scenario on by the command
// that the Error names, and wants what is written from then on.
func (r *run) leadOn() {
	r.t.Helper()
	var led []*observer
	for _, o := range r.observers {
		if why := o.inError(r.t); why != "" && o.follow(r.t, why) {
			led = append(led, o)
		}
	}
	if len(led) == 0 {
		return
	}
	for _, o := range led {
		for deadline := time.Now().Add(r.patience()); ; time.Sleep(50 * time.Millisecond) {
			state, why := o.state(r.t)
			if state == "Normal" {
				break
			}
			if time.Now().After(deadline) {
				r.t.Fatalf("%s: led on, the task is in state %s: %s", o.way, state, why)
			}
		}
	}
	var rows []string
	for _, id := range []string{"9001", "9002"} {
		r.conn.Exec(fmt.Sprintf("INSERT INTO %s.t VALUES (%s, 'led on')", database, id))
		rows = append(rows, id+" led on")
	}
	for _, o := range led {
		r.t.Run(string(o.way)+", led on", func(t *testing.T) { o.ends(t, rows, r.patience()) })
	}
}

// inError returns the error of a task that is in Error, "" if it is not.
func (o *observer) inError(t *testing.T) string {
	t.Helper()
	if state, why := o.state(t); state == "Error" {
		return why
	}
	return ""
}

func (o *observer) state(t *testing.T) (state, why string) {
	t.Helper()
	out, text, code := o.daybook.Run("task", "show", harness.Topic, "-o", "json")
	var task struct{ State, Reason string }
	if err := json.Unmarshal([]byte(out), &task); err != nil || code != 0 {
		t.Fatalf("task show: %v, exit code %d: %s%s", err, code, out, text)
	}
	return task.State, task.Reason
}

// follow runs the command that an error names.
func (o *observer) follow(t *testing.T, why string) bool {
	t.Helper()
	command := namedCommand.FindStringSubmatch(why)
	if command == nil {
		t.Errorf("%s: the Error names no command that leads on: %s", o.way, why)
		return false
	}
	out, text, code := o.daybook.Run(strings.Fields(command[1])...)
	if code != 0 {
		t.Errorf("%s: 'daybook %s' ends with exit code %d: %s%s\nit was named by: %s", o.way, command[1], code, out, text, why)
	}
	return code == 0
}

// ends wants the log to end with rows.
func (o *observer) ends(t *testing.T, rows []string, limit time.Duration) {
	t.Helper()
	var last []string
	for deadline := time.Now().Add(limit); ; time.Sleep(50 * time.Millisecond) {
		last = nil
		for record := range oracle.Records(t, o.daybook, -1) {
			row, err := rowOf(record.Value)
			if err != nil {
				t.Fatalf("record %d: %v: %s", record.Offset, err, record.Value)
			}
			if row != "" {
				last = append(last, row)
			}
		}
		last = last[max(0, len(last)-len(rows)):]
		if slices.Equal(last, rows) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the log ends with %q and not %q; the last lines are\n%s", last, rows, o.tail())
		}
	}
}
