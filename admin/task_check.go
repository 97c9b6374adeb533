package admin

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"daybook/access"
	"daybook/task"
)

func (a *api) checkOperations() {
	s, tags := a.s, []string{"tasks"}
	register(a, operation{least: access.Operator, Operation: huma.Operation{
		OperationID: "check-definitions", Method: http.MethodPost, Path: "/api/v1/tasks/{name}/check", Tags: tags,
		Summary:     "Compare the tables' definitions with the source's",
		Description: "Compares them, and, if adopt is true, takes the source's definition of each table that differs.",
	}, waits: "It goes on: GET of this path has it, under the same asked, when it has ended.", fails: []Code{CodeUnknownTask, CodeNotReading, CodeChecking}}, s.checkDefinitions)
	register(a, operation{least: access.Viewer, Operation: huma.Operation{
		OperationID: "get-check", Method: http.MethodGet, Path: "/api/v1/tasks/{name}/check", Tags: tags,
		Summary: "Show the check that ended last", Description: "The check of the tables' definitions that ended last; asked tells which one it is.",
	}, fails: []Code{CodeUnknownTask}}, s.lastCheck)
}

func (s *Server) checkDefinitions(ctx context.Context, in *taskInput[CheckRequest]) (*result[CheckResult], error) {
	t, err := s.findTask(in.Name)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	asked, found, err := t.CheckDefinitions(ctx, task.CheckOptions{Tables: in.Body.Tables, Adopt: in.Body.Adopt})
	switch {
	case err != nil:
		return nil, taskProblem(err)
	case found == nil:
		return &result[CheckResult]{http.StatusAccepted, CheckResult{Task: in.Name, Asked: asked}}, nil
	}
	return &result[CheckResult]{http.StatusOK, checkResult(in.Name, found)}, nil
}

func (s *Server) lastCheck(_ context.Context, in *taskPath) (*body[CheckResult], error) {
	t, err := s.findTask(in.Name)
	if err != nil {
		return nil, err
	}
	last := t.LastCheck()
	return &body[CheckResult]{checkResult(in.Name, &last)}, nil
}

func checkResult(name string, c *task.CheckResult) CheckResult {
	return CheckResult{Task: name, Asked: c.Asked, Ended: c.Ended, Same: c.Same, Undecided: c.Undecided,
		Differ: differences(c.Differ), More: c.More, Adopted: c.Adopted, Failed: c.Error}
}

func differences(found []task.Difference) []Difference {
	var list []Difference
	for _, d := range found {
		list = append(list, Difference{Table: d.Table, What: d.What, Since: d.Since, SincePlace: d.SincePlace})
	}
	return list
}
