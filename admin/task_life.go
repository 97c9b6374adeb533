package admin

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"daybook/access"
	"daybook/journal"
	"daybook/task"
)

// deletion is a request to delete a task.
type deletion struct {
	Name    string `path:"name" doc:"The task's name." example:"shop"`
	Confirm string `query:"confirm" required:"true" doc:"The task's name once more: what it has goes for good." example:"shop"`
}

// status is an answer without a body.
type status struct{ Status int }

// lifeOperations are those by which a task comes, changes and goes.
func (a *api) lifeOperations() {
	s, tags := a.s, []string{"tasks"}
	states := []Code{CodeUnknownTask, CodeNotAllowed}
	register(a, operation{least: access.Admin, Operation: huma.Operation{
		OperationID: "create-task", Method: http.MethodPost, Path: "/api/v1/tasks", Tags: tags, DefaultStatus: http.StatusCreated,
		Summary:     "Create a task",
		Description: "The task is kept, and its precheck runs: `state` and `checks` of the task tell how it ends. It starts then if `auto_start` is set, or by start-task.",
	}, fails: []Code{CodeExists, CodeInvalid, CodeTooManyTasks}}, s.createTask)
	register(a, operation{least: access.Operator, Operation: huma.Operation{
		OperationID: "change-task", Method: http.MethodPatch, Path: "/api/v1/tasks/{name}", Tags: tags,
		Summary:     "Change a task's definition",
		Description: "A merge patch (RFC 7396). The new definition is prechecked, and is in force when this is answered; the task goes on by itself, and loses no change. If the precheck fails, the old one stays.",
	}, fails: append(states, CodeOwnedByFile, CodeInvalid, CodePrecheck, CodeReplaced)}, s.changeTask)
	register(a, operation{least: access.Admin, Operation: huma.Operation{
		OperationID: "delete-task", Method: http.MethodDelete, Path: "/api/v1/tasks/{name}", Tags: tags, DefaultStatus: http.StatusNoContent,
		Summary:     "Delete a task with all that it has",
		Description: "Its log, position, schema history, groups, accounts and checkpoints go for good, and the connections of its consumers end. 202: it goes on, over restarts of Daybook, too.",
		Responses:   map[string]*huma.Response{"202": {Description: "It goes on being deleted."}},
	}, fails: append(states, CodeOwnedByFile, CodeInvalid)}, s.deleteTask)
	register(a, operation{least: access.Admin, Operation: huma.Operation{
		OperationID: "rotate-key", Method: http.MethodPost, Path: "/api/v1/key/rotate", Tags: tags,
		Summary:     "Change the key of stored passwords",
		Description: "The passwords of the tasks that were created at run time are sealed anew with a new key, and the former one is forgotten.",
	}}, s.rotateKey)
	register(a, operation{least: access.Operator, Operation: huma.Operation{
		OperationID: "precheck-task", Method: http.MethodPost, Path: "/api/v1/tasks/{name}/precheck", Tags: tags,
		Summary:     "Run a task's precheck again",
		Description: "Of a task that is not started. The warnings of the checks that `skip` names are not told any more; what fails cannot be skipped. The answer is the task as it is then.",
	}, fails: append(states, CodeInvalid)}, s.precheckTask)
	for _, step := range []struct {
		op          task.Operation
		summary     string
		description string
		do          func(context.Context, *task.Task) error
	}{
		{task.OpStart, "Start a task", "Of a task whose precheck has passed.", func(ctx context.Context, t *task.Task) error { return t.Start(ctx) }},
		{task.OpPause, "Pause a task", "Nothing is read until it is resumed; the position is kept.", func(ctx context.Context, t *task.Task) error { return t.Pause(ctx) }},
		{task.OpResume, "Resume a task", "A paused task goes on where it stood, and one in Error tries again at once.", func(ctx context.Context, t *task.Task) error { return t.Resume(ctx) }},
	} {
		register(a, operation{least: access.Operator, Operation: huma.Operation{
			OperationID: string(step.op) + "-task", Method: http.MethodPost, Path: "/api/v1/tasks/{name}/" + string(step.op), Tags: tags,
			Summary: step.summary, Description: step.description + " The answer is the task as it is then.",
		}, fails: states}, func(ctx context.Context, in *taskPath) (*body[Task], error) {
			t, err := s.findTask(in.Name)
			if err != nil {
				return nil, err
			}
			ctx, cancel := context.WithTimeout(ctx, commandLimit)
			defer cancel()
			if err := step.do(ctx, t); err != nil && ctx.Err() == nil {
				return nil, taskProblem(err)
			}
			return &body[Task]{s.task(ctx, t.Status())}, nil
		})
	}
}

// nothing is a request without a body and parameters.
type nothing struct{}

func (s *Server) rotateKey(ctx context.Context, _ *nothing) (*body[KeyRotation], error) {
	n, err := s.o.Tasks.RotateKey(ctx)
	if err != nil {
		return nil, err
	}
	return &body[KeyRotation]{KeyRotation{n}}, nil
}

// precheckInput is a request for a precheck, which needs no body.
type precheckInput struct {
	Name string `path:"name" doc:"The task's name." example:"shop"`
	Body *PrecheckRequest
}

func (s *Server) precheckTask(ctx context.Context, in *precheckInput) (*body[Task], error) {
	t, err := s.findTask(in.Name)
	if err != nil {
		return nil, err
	}
	var skip []string
	if in.Body != nil {
		skip = in.Body.Skip
	}
	if err := s.o.Tasks.Precheck(ctx, in.Name, skip); err != nil {
		return nil, taskProblem(err)
	}
	return &body[Task]{s.task(ctx, t.Status())}, nil
}

// definitionInput is a request with a definition.
type definitionInput struct{ Body Definition }

func (s *Server) createTask(ctx context.Context, in *definitionInput) (*body[Task], error) {
	definition, err := json.Marshal(in.Body)
	if err != nil {
		return nil, err
	}
	t, err := s.o.Tasks.Create(ctx, definition)
	if err != nil {
		return nil, taskProblem(err)
	}
	return &body[Task]{s.task(ctx, t.Status())}, nil
}

func (s *Server) changeTask(ctx context.Context, in *taskInput[Patch]) (*body[Task], error) {
	if err := permitPatch(tokenOf(ctx), in.Body); err != nil {
		return nil, s.denied(journal.Actor(ctx), err)
	}
	patch, err := json.Marshal(in.Body)
	if err != nil {
		return nil, err
	}
	if _, err := s.o.Tasks.Reconfigure(ctx, in.Name, patch); err != nil {
		return nil, taskProblem(err)
	}
	t, err := s.findTask(in.Name)
	if err != nil {
		return nil, err
	}
	return &body[Task]{s.task(ctx, t.Status())}, nil
}

func (s *Server) deleteTask(ctx context.Context, in *deletion) (*status, error) {
	if in.Confirm != in.Name {
		return nil, wrongAt(CodeInvalid, "query.confirm", "confirm must be the task's name")
	}
	if err := s.o.Tasks.Delete(ctx, in.Name); err != nil {
		return nil, taskProblem(err)
	}
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	if s.o.Tasks.Removed(ctx, in.Name) != nil {
		return &status{http.StatusAccepted}, nil
	}
	return &status{http.StatusNoContent}, nil
}
