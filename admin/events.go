package admin

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"daybook/access"
	"daybook/journal"
	"daybook/store"
)

// LogEvent is something that happened: a state that changed, what somebody asked for, or what a task noticed.
type LogEvent struct {
	ID    string `json:"id" doc:"Later events have greater ones." example:"00064a1b2c3d4e5f"`
	Time  string `json:"time" format:"date-time" doc:"When."`
	Task  string `json:"task,omitempty" doc:"The task that it is of." example:"shop"`
	Kind  string `json:"kind" doc:"Such as state, create, reconfigure, pause, command_done, or definition_differs." example:"state"`
	Text  string `json:"text" doc:"What happened."`
	By    string `json:"by,omitempty" doc:"Who asked for it: which token, and the address."`
	Table string `json:"table,omitempty" doc:"database.table, if it is about one."`
	Place string `json:"place,omitempty" doc:"Where in the source's binlog, if anywhere: FILE:OFFSET."`
}

// LogEventList is a page of events.
type LogEventList struct {
	Events []LogEvent `json:"events" nullable:"false" doc:"The newest first."`
	Next   string     `json:"next,omitempty" doc:"The cursor of the next page, of older ones; absent on the last one."`
}

// eventsInput asks for a page of events.
type eventsInput struct {
	Task string `query:"task" minLength:"1" maxLength:"249" doc:"Only those of this task, which may be gone." example:"shop"`
	EventsQuery
}

// taskEventsInput asks for those of a task.
type taskEventsInput struct {
	Name string `path:"name" doc:"The task's name." example:"shop"`
	EventsQuery
}

// EventsQuery is what both have. It is exported for Huma, which looks into no other.
type EventsQuery struct {
	Kind   string    `query:"kind" minLength:"1" maxLength:"64" doc:"Only those of this kind." example:"state"`
	Since  time.Time `query:"since" doc:"Only those of that time and later." example:"2026-01-31T12:00:00Z"`
	After  string    `query:"after" pattern:"^[0-9a-f]{16}$" doc:"Only those that came after the event of this id."`
	Limit  int       `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"How many there may be on the page."`
	Cursor string    `query:"cursor" pattern:"^[0-9a-f]{16}$" doc:"next of the page before; without it the newest are answered."`
}

func (a *api) eventOperations() {
	s := a.s
	register(a, operation{least: access.Viewer, Operation: huma.Operation{
		OperationID: "list-events", Method: http.MethodGet, Path: "/api/v1/events", Tags: []string{"server"},
		Summary: "List what happened", Description: "Events of the last seven days, the newest first: those of tasks that are gone, too.",
	}, fails: []Code{CodeInvalid}}, func(_ context.Context, in *eventsInput) (*body[LogEventList], error) {
		return s.events(in.Task, &in.EventsQuery)
	})
	register(a, operation{least: access.Viewer, Operation: huma.Operation{
		OperationID: "list-task-events", Method: http.MethodGet, Path: "/api/v1/tasks/{name}/events", Tags: []string{"tasks"},
		Summary: "List what happened to a task", Description: "Its events of the last seven days, the newest first.",
	}, fails: []Code{CodeUnknownTask, CodeInvalid}}, func(_ context.Context, in *taskEventsInput) (*body[LogEventList], error) {
		if _, err := s.findTask(in.Name); err != nil {
			return nil, err
		}
		return s.events(in.Name, &in.EventsQuery)
	})
}

func (s *Server) events(task string, in *EventsQuery) (*body[LogEventList], error) {
	found, err := s.o.Journal.List(journal.Query{
		Task: task, Kind: in.Kind, Since: in.Since, After: in.After, Before: in.Cursor, Limit: in.Limit,
	})
	if err != nil {
		return nil, err
	}
	list := LogEventList{Events: []LogEvent{}}
	for _, e := range found {
		list.Events = append(list.Events, logEvent(&e))
	}
	if len(found) == in.Limit {
		list.Next = found[len(found)-1].ID
	}
	return &body[LogEventList]{list}, nil
}

// happened keeps what somebody has done.
func (s *Server) happened(ctx context.Context, kind, task, text string) {
	err := s.o.Journal.Add(journal.Event{Kind: kind, Task: task, Text: text, By: journal.Actor(ctx)})
	if err != nil && !errors.Is(err, store.ErrClosed) {
		s.o.Logger.Error("an event cannot be kept", "kind", kind, "error", err)
	}
}

func logEvent(e *journal.Event) LogEvent {
	return LogEvent{e.ID, e.Time.Format("2006-01-02T15:04:05.000000Z07:00"), e.Task, e.Kind, e.Text, e.By, e.Table, e.Place}
}
