//go:build servers

// Package api sends a real Daybook, with a task that runs, what Schemathesis makes
// out of its OpenAPI description: requests that fit and such that do not, of every
// operation, alone and one after the other.
package api

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/access"
	"daybook/admin"
	"daybook/e2e/harness"
	"daybook/e2e/servers"
)

// TestAPIIsAsDescribed wants no answer outside the description, no 5xx, and a
// Daybook that goes on.
func TestAPIIsAsDescribed(t *testing.T) { askAll(t, 90*time.Second) }

// checks are those that hold for any API. Of the others, one wants all that fits the
// description to be accepted, and there are rules that a schema cannot tell.
const checks = "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance," +
	"negative_data_rejection,missing_required_header,unsupported_method,allow_header_conformance,use_after_free,ensure_resource_availability,ignored_auth"

func askAll(t *testing.T, limit time.Duration) {
	source := servers.Get(t, "mariadb-10.11")
	name, db := source.Database(t)
	db.Exec("CREATE TABLE orders (id INT PRIMARY KEY)")
	d := harness.Start(t, harness.Config{Source: source.Address, Include: []string{name + ".*"}, SchemaChanges: "none", Start: "now"})
	d.WaitLog("state=Normal", time.Minute)
	db.Exec("INSERT INTO orders VALUES (-1), (-2)", "UPDATE orders SET id = -3 WHERE id = -2") // for those that read changes
	token, err := access.ReadToken(d.TokenFile())
	if err != nil {
		t.Fatal(err)
	}
	client, err := admin.NewClient(admin.ClientOptions{URL: d.AdminURL(), Token: token})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for role, limit := range map[access.Role]time.Duration{access.Viewer: limit / 4, access.Operator: limit / 2} {
		made, err := client.CreateToken(t.Context(), admin.TokenRequest{Name: "only-" + string(role), Role: string(role)})
		if err != nil {
			t.Fatal(err)
		}
		ask(t, d, made.Secret, limit)
	}
	keptWithin(t, client)
	ask(t, d, token, limit)
	goesOn(t, client, db)
}

// ask sends what Schemathesis makes up, with a token.
func ask(t *testing.T, d *harness.Daybook, token string, limit time.Duration) {
	t.Helper()
	command, err := exec.Command("../../scripts/schemathesis.sh").Output()
	if err != nil {
		t.Fatalf("scripts/schemathesis.sh: %v", err)
	}
	args := append(strings.Fields(string(command)), "run", d.AdminURL()+"/openapi.json", "--no-color", "--checks", checks,
		"--max-time", fmt.Sprint(int(limit.Seconds())), "--request-timeout", "30", "--generation-database", "none",
		"-H", "Authorization: Bearer "+token)
	ctx, cancel := context.WithTimeout(t.Context(), limit+2*time.Minute) // what has begun is ended
	defer cancel()
	asked := exec.CommandContext(ctx, args[0], args[1:]...)
	asked.Dir = t.TempDir() // where it may leave files
	hooks, err := filepath.Abs("hooks.py")
	if err != nil {
		t.Fatal(err)
	}
	asked.Env = append(os.Environ(), "SCHEMATHESIS_HOOKS="+hooks)
	out, err := asked.CombinedOutput()
	if err != nil {
		t.Errorf("Schemathesis: %v", err)
	}
	t.Logf("%s", out)
}

// mayDo are the kinds of events that each role may cause.
var mayDo = map[access.Role][]string{
	access.Viewer:   {"role_refused"},
	access.Operator: {"role_refused", "precheck", "start", "pause", "resume", "reconfigure", "command", "check", "group-reset"},
}

// keptWithin wants no event of what a role may not do.
func keptWithin(t *testing.T, client *admin.Client) {
	t.Helper()
	seen := map[access.Role]int{}
	events, err := client.Events(t.Context(), admin.EventFilter{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		for role, may := range mayDo {
			if !strings.Contains(e.By, "the token only-"+string(role)) {
				continue
			}
			if seen[role]++; !slices.Contains(may, e.Kind) {
				t.Errorf("a %s has caused %+v", role, e)
			}
		}
	}
	if seen[access.Viewer] == 0 || seen[access.Operator] == 0 {
		t.Errorf("the events are of %v", seen)
	}
}

// goesOn wants a task that has gone through all of this to go on.
func goesOn(t *testing.T, client *admin.Client, db *servers.Conn) {
	t.Helper()
	before, err := client.Task(t.Context(), harness.Topic)
	if err != nil {
		t.Fatal(err)
	}
	db.Exec("INSERT INTO orders VALUES (1)")
	if task, err := client.Task(t.Context(), harness.Topic); err == nil && slices.Contains(task.Allowed, "resume") { // it was paused, or restarted elsewhere
		if _, err := client.StepTask(t.Context(), harness.Topic, "resume"); err != nil {
			t.Error(err)
		}
		db.Exec("INSERT INTO orders VALUES (2)")
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		task, err := client.Task(t.Context(), harness.Topic)
		if err != nil {
			t.Fatal(err)
		}
		if task.State == "Normal" && task.HighWatermark > before.HighWatermark {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the task does not go on: %+v", task)
		}
	}
}
