package admin

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"daybook/task"
)

// commandLimit bounds the waiting for the end of a command.
const commandLimit = 10 * time.Second

func (s *Server) listTasks(*http.Request) (int, any, error) {
	list := TaskList{Tasks: []Task{}} // which JSON shows as a list
	for _, st := range s.o.Tasks.Statuses() {
		list.Tasks = append(list.Tasks, s.task(st))
	}
	return http.StatusOK, list, nil
}

func (s *Server) showTask(r *http.Request) (int, any, error) {
	t, err := s.findTask(r)
	if err != nil {
		return 0, nil, err
	}
	st := t.Status()
	shown := s.task(st)
	for _, e := range st.Events {
		shown.Events = append(shown.Events, Event{Time: e.Time.UTC(), Kind: e.Kind, Table: e.Table, Text: e.Text, File: e.File, Pos: e.Pos})
	}
	return http.StatusOK, shown, nil
}

func (s *Server) findTask(r *http.Request) (*task.Task, error) {
	name := r.PathValue("name")
	t, ok := s.o.Tasks.Task(name)
	if !ok {
		return nil, problem(http.StatusNotFound, CodeUnknownTask, "there is no task %q", name)
	}
	return t, nil
}

// task puts together what is known of a task.
func (s *Server) task(st task.Status) Task {
	t := Task{
		Task: st.Name, Source: st.Source, State: string(st.State), Since: st.Since.UTC(),
		Error: st.Error, Retry: st.Retry.UTC(), Command: st.Command,
	}
	d := st.Definitions
	t.Definitions = Definitions{Checked: d.Checked, Failed: d.Failed, Differ: differences(d.Differ), More: d.More, WayOn: d.WayOn}
	if p := st.Position; p.String() != "" {
		t.Position = &Position{File: p.File, Pos: p.Pos, GTIDs: p.GTIDs}
	}
	if g := st.Group; g != nil {
		t.EventGroup = &EventGroup{File: g.File, Pos: g.Pos, GTID: g.GTID}
	}
	if p, ok := s.o.Store.Partition(st.Name); ok {
		t.LogStartOffset, t.HighWatermark = p.LogStartOffset(), p.HighWatermark()
	}
	return t
}

func (s *Server) restartTask(r *http.Request) (int, any, error) {
	req, err := decode[RestartRequest](r)
	if err != nil {
		return 0, nil, err
	}
	t, err := s.findTask(r)
	if err != nil {
		return 0, nil, err
	}
	before := t.Status()
	result := CommandResult{Task: before.Name, From: before.Position.String(), To: req.From, DryRun: req.DryRun}
	if req.DryRun {
		if err := t.CanRestart(req.From, req.Force); err != nil {
			return 0, nil, taskProblem(err)
		}
		return http.StatusOK, result, nil
	}
	return s.command(r, result, func(ctx context.Context) (*task.Done, error) { return t.Restart(ctx, req.From, req.Force) })
}

func (s *Server) skipGroup(r *http.Request) (int, any, error) {
	req, err := decode[SkipRequest](r)
	if err != nil {
		return 0, nil, err
	}
	t, err := s.findTask(r)
	if err != nil {
		return 0, nil, err
	}
	g, err := t.CanSkip()
	if err != nil {
		return 0, nil, taskProblem(err)
	}
	result := CommandResult{
		Task: r.PathValue("name"), From: g.String(), To: "the event group after it", DryRun: req.DryRun,
		EventGroup: &EventGroup{File: g.File, Pos: g.Pos, GTID: g.GTID},
	}
	if req.DryRun {
		return http.StatusOK, result, nil
	}
	return s.command(r, result, t.Skip)
}

// command gives a command and answers 200 when it is done, or 202 if it has to
// wait for the source.
func (s *Server) command(r *http.Request, result CommandResult, give func(context.Context) (*task.Done, error)) (int, any, error) {
	ctx, cancel := context.WithTimeout(r.Context(), commandLimit)
	defer cancel()
	done, err := give(ctx)
	switch {
	case err != nil:
		return 0, nil, taskProblem(err)
	case done == nil:
		return http.StatusAccepted, result, nil
	}
	result.Done, result.From, result.To, result.Reason = true, done.Gap.From, done.Gap.To, done.Gap.Reason
	if done.Offset >= 0 {
		result.Offset = &done.Offset
	}
	return http.StatusOK, result, nil
}

func (s *Server) checkDefinitions(r *http.Request) (int, any, error) {
	req, err := decode[CheckRequest](r)
	if err != nil {
		return 0, nil, err
	}
	t, err := s.findTask(r)
	if err != nil {
		return 0, nil, err
	}
	for _, name := range req.Tables {
		if database, table, _ := strings.Cut(name, "."); database == "" || table == "" {
			return 0, nil, problem(http.StatusUnprocessableEntity, CodeInvalid, "tables: %q is not database.table", name)
		}
	}
	ctx, cancel := context.WithTimeout(r.Context(), commandLimit)
	defer cancel()
	asked, result, err := t.CheckDefinitions(ctx, task.CheckOptions{Tables: req.Tables, Adopt: req.Adopt})
	switch {
	case err != nil:
		return 0, nil, taskProblem(err)
	case result == nil:
		return http.StatusAccepted, CheckResult{Task: r.PathValue("name"), Asked: asked}, nil
	}
	return http.StatusOK, checkResult(r.PathValue("name"), result), nil
}

func (s *Server) lastCheck(r *http.Request) (int, any, error) {
	t, err := s.findTask(r)
	if err != nil {
		return 0, nil, err
	}
	last := t.LastCheck()
	return http.StatusOK, checkResult(r.PathValue("name"), &last), nil
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

// taskProblem says what task's sentinels mean to the client.
func taskProblem(err error) error {
	switch {
	case errors.Is(err, task.ErrRunning):
		return problem(http.StatusConflict, CodeRunning, "%v", err)
	case errors.Is(err, task.ErrNotSkippable):
		return problem(http.StatusConflict, CodeNotSkippable, "%v", err)
	case errors.Is(err, task.ErrNotReading):
		return problem(http.StatusConflict, CodeNotReading, "%v", err)
	case errors.Is(err, task.ErrChecking):
		return problem(http.StatusConflict, CodeChecking, "%v", err)
	case errors.Is(err, task.ErrReplaced):
		return problem(http.StatusConflict, CodeReplaced, "%v", err)
	case errors.Is(err, task.ErrStart):
		return problem(http.StatusUnprocessableEntity, CodeInvalid, "%v", err)
	case errors.Is(err, task.ErrRefused):
		return problem(http.StatusUnprocessableEntity, CodeRefused, "%v", err)
	}
	return err
}
