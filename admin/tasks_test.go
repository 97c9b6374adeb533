package admin_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"daybook/admin"
)

func TestTasks(t *testing.T) {
	s := start(t)
	list, err := s.Tasks(t.Context())
	must(t, err)
	if len(list) != 1 || list[0].Name != topic || list[0].State != "Prechecking" || list[0].Position != nil {
		t.Errorf("the tasks are %+v", list)
	}
	one, err := s.Task(t.Context(), topic)
	must(t, err)
	if !reflect.DeepEqual(one, list[0]) {
		t.Errorf("alone it is %+v, in the list %+v", one, list[0])
	}
}

// refusedAs wants an error of the server.
func refusedAs(t *testing.T, err error, status int, code admin.Code) {
	t.Helper()
	var e *admin.Error
	if !errors.As(err, &e) || e.Status != status || e.Code != code {
		t.Errorf("got %v (%+v), want %d %s", err, e, status, code)
	}
}

func TestTaskCommandsThatAreRefused(t *testing.T) {
	s := start(t)
	_, err := s.Task(t.Context(), "none")
	refusedAs(t, err, 404, admin.CodeUnknownTask)
	for _, test := range []struct {
		name   string
		req    admin.RestartRequest
		status int
		code   admin.Code
	}{
		{"none", admin.RestartRequest{From: "now"}, 404, admin.CodeUnknownTask},
		{topic, admin.RestartRequest{}, 422, admin.CodeInvalid},
		{topic, admin.RestartRequest{From: "yesterday", Force: true}, 422, admin.CodeInvalid},
		{topic, admin.RestartRequest{From: "now"}, 409, admin.CodeRunning},
		{topic, admin.RestartRequest{From: "now", DryRun: true}, 409, admin.CodeRunning},
	} {
		_, err := s.RestartTask(t.Context(), test.name, test.req)
		refusedAs(t, err, test.status, test.code)
	}
	_, err = s.SkipGroup(t.Context(), topic, admin.SkipRequest{})
	refusedAs(t, err, 409, admin.CodeNotSkippable)
	_, err = s.SkipGroup(t.Context(), "none", admin.SkipRequest{DryRun: true})
	refusedAs(t, err, 404, admin.CodeUnknownTask)
	if one, err := s.Task(t.Context(), topic); err != nil || one.Command != "" {
		t.Errorf("a refused command was saved: %+v, %v", one, err)
	}
}

// TestCommandIsSavedUntilItIsDone gives commands to a task that does not run.
func TestCommandIsSavedUntilItIsDone(t *testing.T) {
	s := start(t)
	result, err := s.RestartTask(t.Context(), topic, admin.RestartRequest{From: "now", Force: true, DryRun: true})
	if err != nil || result.Done || !result.DryRun {
		t.Errorf("dry run: %+v, %v", result, err)
	}
	first := make(chan error, 1)
	go func() {
		_, err := s.RestartTask(t.Context(), topic, admin.RestartRequest{From: "earliest", Force: true})
		first <- err
	}()
	waitForCommand(t, s, "restart from earliest")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := s.RestartTask(ctx, topic, admin.RestartRequest{From: "now", Force: true}); err == nil {
		t.Error("a restart of a task that does not run is done")
	}
	refusedAs(t, <-first, 409, admin.CodeReplaced)
	waitForCommand(t, s, "restart from now")
}

func waitForCommand(t *testing.T, s *server, want string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		one, err := s.Task(t.Context(), topic)
		must(t, err)
		if one.Command == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the command is %q, want %q", one.Command, want)
		}
	}
}

// A command that cannot be done waits for as long as it may, and is answered then.
func TestCommandWaits(t *testing.T) {
	t.Parallel()
	s := start(t)
	began := time.Now()
	result, err := s.RestartTask(t.Context(), topic, admin.RestartRequest{From: "now", Force: true})
	if waited := time.Since(began); err != nil || result.Done || waited < 9*time.Second {
		t.Errorf("after %v: %+v, %v", waited, result, err)
	}
}
