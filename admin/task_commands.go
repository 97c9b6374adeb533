package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"daybook/access"
	"daybook/task"
)

// commandLimit bounds the waiting for the end of a command.
const commandLimit = 10 * time.Second

// result is an answer whose status tells whether what was asked for is done.
type result[T any] struct {
	Status int
	Body   T
}

func (a *api) commandOperations() {
	s, tags := a.s, []string{"tasks"}
	const waits = "The command is saved, and done as soon as the source lets the task do it, over restarts of Daybook, too."
	register(a, operation{least: access.Operator, Operation: huma.Operation{
		OperationID: "restart-task", Method: http.MethodPost, Path: "/api/v1/tasks/{name}/restart", Tags: tags,
		Summary:     "Have a task go on at another place of its source",
		Description: "The task forgets where it stands and goes on elsewhere. A gap record in the log says from where to where. Offsets go on, groups keep their checkpoints.",
	}, waits: waits, fails: []Code{CodeUnknownTask, CodeNotAllowed, CodeRunning, CodeReplaced, CodeRefused}}, s.restartTask)
	register(a, operation{least: access.Operator, Operation: huma.Operation{
		OperationID: "skip-event-group", Method: http.MethodPost, Path: "/api/v1/tasks/{name}/skip", Tags: tags,
		Summary:     "Pass over the one event group that a task cannot read",
		Description: "Passes over the transaction or statement that the task is in Error for, and no other. A gap record stands in its place.",
	}, waits: waits, fails: []Code{CodeUnknownTask, CodeNotSkippable, CodeReplaced, CodeRefused}}, s.skipGroup)
}

func (s *Server) restartTask(ctx context.Context, in *taskInput[RestartRequest]) (*result[CommandResult], error) {
	t, err := s.findTask(in.Name)
	if err != nil {
		return nil, err
	}
	before, req := t.Status(), in.Body
	answer := CommandResult{Task: before.Name, From: before.Position.String(), To: req.From, DryRun: req.DryRun}
	if req.DryRun {
		if err := t.CanRestart(req.From, req.Force); err != nil {
			return nil, taskProblem(err)
		}
		return &result[CommandResult]{http.StatusOK, answer}, nil
	}
	return command(ctx, answer, func(ctx context.Context) (*task.Done, error) { return t.Restart(ctx, req.From, req.Force) })
}

func (s *Server) skipGroup(ctx context.Context, in *taskInput[SkipRequest]) (*result[CommandResult], error) {
	t, err := s.findTask(in.Name)
	if err != nil {
		return nil, err
	}
	g, err := t.CanSkip()
	if err != nil {
		return nil, taskProblem(err)
	}
	answer := CommandResult{
		Task: in.Name, From: g.String(), To: "the event group after it", DryRun: in.Body.DryRun,
		EventGroup: &EventGroup{File: g.File, Pos: g.Pos, GTID: g.GTID},
	}
	if in.Body.DryRun {
		return &result[CommandResult]{http.StatusOK, answer}, nil
	}
	return command(ctx, answer, t.Skip)
}

// command gives a command and answers 200 when it is done, or 202 if it has to
// wait for the source.
func command(ctx context.Context, answer CommandResult, give func(context.Context) (*task.Done, error)) (*result[CommandResult], error) {
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	done, err := give(ctx)
	switch {
	case err != nil:
		return nil, taskProblem(err)
	case done == nil:
		return &result[CommandResult]{http.StatusAccepted, answer}, nil
	}
	answer.Done, answer.From, answer.To, answer.Reason = true, done.Gap.From, done.Gap.To, done.Gap.Reason
	if done.Offset >= 0 {
		answer.Offset = &done.Offset
	}
	return &result[CommandResult]{http.StatusOK, answer}, nil
}
