package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"daybook/access"
	"daybook/journal"
	"daybook/store"
	"daybook/task"
)

// taskPath names a task.
type taskPath struct {
	Name string `path:"name" doc:"The task's name." example:"shop"`
}

// taskInput is a request about a task with a body.
type taskInput[B any] struct {
	Name string `path:"name" doc:"The task's name." example:"shop"`
	Body B
}

func (a *api) taskOperations() {
	s, tags := a.s, []string{"tasks"}
	register(a, operation{least: access.Viewer, Operation: huma.Operation{
		OperationID: "list-tasks", Method: http.MethodGet, Path: "/api/v1/tasks", Tags: tags,
		Summary: "List the tasks", Description: "All tasks, without their events.",
	}, fails: []Code{CodeInvalid},
		leads: links("name", "$response.body#/tasks/0/name", "get-task", "restart-task", "skip-event-group", "check-definitions", "get-check")}, s.listTasks)
	register(a, operation{least: access.Viewer, Operation: huma.Operation{
		OperationID: "get-task", Method: http.MethodGet, Path: "/api/v1/tasks/{name}", Tags: tags,
		Summary: "Show a task", Description: "Its state, since when and why, its place in the source, and its newest events.",
	}, fails: []Code{CodeUnknownTask}}, s.showTask)
}

func (s *Server) listTasks(ctx context.Context, in *listInput) (*body[TaskList], error) {
	statuses := s.o.Tasks.Statuses()
	slices.SortFunc(statuses, func(a, b task.Status) int { return cmp.Compare(a.Name, b.Name) })
	found, next, err := page(statuses, func(st task.Status) string { return st.Name }, in)
	if err != nil {
		return nil, err
	}
	list := TaskList{Tasks: []Task{}, Next: next} // which JSON shows as a list
	for _, st := range found {
		list.Tasks = append(list.Tasks, s.task(ctx, st))
	}
	return &body[TaskList]{list}, nil
}

func (s *Server) showTask(ctx context.Context, in *taskPath) (*body[Task], error) {
	t, err := s.findTask(in.Name)
	if err != nil {
		return nil, err
	}
	st := t.Status()
	shown := s.task(ctx, st)
	if shown.Events, err = s.noticed(in.Name); err != nil {
		return nil, err
	}
	return &body[Task]{shown}, nil
}

// shownNotices is how many of what a task noticed are shown with it.
const shownNotices = 50

// noticed returns the newest of what a task noticed, the oldest of them first.
func (s *Server) noticed(name string) ([]Event, error) {
	found, err := s.o.Journal.List(journal.Query{Task: name, Notices: true, Limit: shownNotices})
	if err != nil {
		return nil, err
	}
	var list []Event
	for _, e := range slices.Backward(found) {
		file, pos, _ := strings.Cut(e.Place, ":") // a binlog's name has none
		at, _ := strconv.ParseUint(pos, 10, 64)
		list = append(list, Event{Time: e.Time, Kind: e.Kind, Table: e.Table, Text: e.Text, File: file, Pos: at})
	}
	return list, nil
}

func (s *Server) findTask(name string) (*task.Task, error) {
	t, ok := s.o.Tasks.Task(name)
	if !ok {
		return nil, unknownTask(name)
	}
	return t, nil
}

func unknownTask(name string) error {
	return problem(CodeUnknownTask, "there is no task %q", name)
}

// task puts together what is known of a task, as far as who asks may see it.
func (s *Server) task(ctx context.Context, st task.Status) Task {
	t := Task{
		State: string(st.State), Since: st.Since.UTC(), Owner: string(st.Owner), Reason: st.Reason, Retry: st.Retry.UTC(), Command: st.Command,
		Allowed: []string{},
	}
	if err := json.Unmarshal(st.Definition, &t.Definition); err != nil && st.Definition != nil {
		s.o.Logger.Error("a task's definition cannot be shown", "task", st.Name, "error", err)
	}
	t.Name = st.Name
	if c := t.Source.PasswordCommand; len(c) > 0 && !tokenOf(ctx).Role.Covers(access.Admin) {
		t.Source.PasswordCommand = c[:1] // a secret may be among its arguments
	}
	for _, o := range st.Phase.Allowed {
		t.Allowed = append(t.Allowed, string(o))
	}
	for _, c := range st.Checks {
		t.Checks = append(t.Checks, Check{Name: c.Name, Status: string(c.Status), Skippable: c.Status == task.Warn, Detail: c.Detail, Fix: c.Fix})
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
		t.Log = s.log(p)
	}
	return t
}

// log tells what is kept of a topic's records.
func (s *Server) log(p *store.Partition) Log {
	r := p.Retention()
	l := Log{Bytes: p.StoredBytes(), Age: r.Age.String(), MaxBytes: r.Bytes}
	switch age, err := p.OldestAge(); {
	case err != nil:
		s.o.Logger.Warn("cannot tell how old a log is", "task", p.Topic(), "error", err)
	case age > 0:
		l.Oldest = time.Now().Add(-age).UTC().Truncate(time.Second)
	}
	return l
}

// taskProblem says what task's sentinels mean to the client.
func taskProblem(err error) error {
	switch {
	case errors.Is(err, task.ErrRunning):
		return problem(CodeRunning, "%v", err)
	case errors.Is(err, task.ErrNoDatabase):
		return problem(CodeUnknownDatabase, "%v", err)
	case errors.Is(err, task.ErrSource):
		return problem(CodeSource, "%v", err)
	case errors.Is(err, task.ErrUnknown):
		return problem(CodeUnknownTask, "%v", err)
	case errors.Is(err, task.ErrExists):
		return problem(CodeExists, "%v", err)
	case errors.Is(err, task.ErrOwnedByFile):
		return problem(CodeOwnedByFile, "%v", err)
	case errors.Is(err, task.ErrTooMany):
		return problem(CodeTooManyTasks, "%v", err)
	case errors.Is(err, task.ErrInvalid):
		return problem(CodeInvalid, "%v", err)
	case errors.Is(err, task.ErrPrecheck):
		return problem(CodePrecheck, "%v", err)
	case errors.Is(err, task.ErrNotAllowed):
		return problem(CodeNotAllowed, "%v", err)
	case errors.Is(err, task.ErrNotSkippable):
		return problem(CodeNotSkippable, "%v", err)
	case errors.Is(err, task.ErrNotReading):
		return problem(CodeNotReading, "%v", err)
	case errors.Is(err, task.ErrChecking):
		return problem(CodeChecking, "%v", err)
	case errors.Is(err, task.ErrReplaced):
		return problem(CodeReplaced, "%v", err)
	case errors.Is(err, task.ErrStart):
		return problem(CodeInvalid, "%v", err)
	case errors.Is(err, task.ErrRefused):
		return problem(CodeRefused, "%v", err)
	}
	return err
}
