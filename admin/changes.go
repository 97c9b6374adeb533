package admin

import (
	"cmp"
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"daybook/access"
	"daybook/change"
	"daybook/store"
	"daybook/tail"
	"daybook/task"
)

// Change is one of a task's changes, as people read it.
type Change = tail.Change

// The parts of a Change.
type (
	ChangeColumn = tail.Column
	ChangeField  = tail.Field
	ChangeValue  = tail.Value
)

// ChangePage is a part of a task's changes.
type ChangePage struct {
	Changes        []Change `json:"changes" nullable:"false" doc:"In the order of the log. None does not mean that there are no more: next tells."`
	Next           int64    `json:"next" doc:"Where the next page begins: ask again with from set to it. At high_watermark there is no more yet."`
	LogStartOffset int64    `json:"log_start_offset" doc:"Of the task's oldest record."`
	HighWatermark  int64    `json:"high_watermark" doc:"The offset that the next record will have."`
}

// ChangesWanted says which changes are wanted; it is exported for Huma to see its fields.
type ChangesWanted struct {
	Name     string `path:"name" doc:"The task's name." example:"shop"`
	From     string `query:"from" minLength:"1" maxLength:"200" doc:"Where to begin: earliest, latest, an offset, a time (2006-01-02T15:04:05Z), a duration before now (10m), or a GTID (uuid:n, domain-server-n), of which it is the first record, or that of the next one of the same origin. Without it: latest." example:"earliest"`
	Table    string `query:"table" minLength:"1" maxLength:"2000" doc:"Patterns of tables as in a task's objects, with commas between them; one without a dot is of any database." example:"shop.order*,users"`
	Op       string `query:"op" pattern:"^(insert|update|delete|ddl)(,(insert|update|delete|ddl))*$" doc:"Operations, with commas between them; without it: all. Gaps and lost records are told always." example:"insert,update"`
	Key      string `query:"key" minLength:"1" maxLength:"2000" doc:"Rows with this key only, and no DDL unless op names it: NAME=VALUE, several with commas between them, or VALUE for a key of one column. A value may be quoted as in SQL." example:"id=7"`
	MaxValue int    `query:"max_value" default:"65536" minimum:"16" maximum:"1048576" doc:"How many bytes a value may have before its end is cut off."`
}

type changesInput struct {
	ChangesWanted
	Limit int `query:"limit" default:"100" minimum:"1" maximum:"1000" doc:"How many there may be on the page."`
	Wait  int `query:"wait" default:"0" minimum:"0" maximum:"25" doc:"How many seconds to wait for changes, if there are none yet."`
}

type changeStreamInput struct {
	ChangesWanted
	Follow bool   `query:"follow" default:"true" doc:"false: the stream ends where the log ended when it began."`
	LastID string `header:"Last-Event-ID" pattern:"^[0-9]{1,19}$" doc:"The last ID that was received, of which a browser's EventSource tells by itself: it takes the place of from."`
}

func (a *api) changeOperations() {
	s, tags := a.s, []string{"tasks"}
	fails := []Code{CodeUnknownTask, CodeInvalid, CodeNotInLog, CodeTooManyReaders}
	register(a, operation{least: access.Admin, Operation: huma.Operation{
		OperationID: "list-changes", Method: http.MethodGet, Path: "/api/v1/tasks/{name}/changes", Tags: tags,
		Summary:     "List a task's changes as people read them",
		Description: "From any place of the task's log, by a reader of its own: no group is touched. A page ends early after much that is not wanted, or that is large.",
	}, fails: fails, long: true}, s.listChanges)
	register(a, operation{least: access.Admin, Operation: huma.Operation{
		OperationID: "stream-changes", Method: http.MethodGet, Path: "/api/v1/tasks/{name}/changes/stream", Tags: tags,
		Summary: "Follow a task's changes as server-sent events",
		Description: "An event `change` for each, with the change of list-changes as data, whose ID is the offset behind it; `end` with an error as data when there will be no more, after which a client must not come again. " +
			"A stream without `end` is gone on with: by the last ID, nothing is missing or comes twice. Each lasts ten minutes at most.",
	}, fails: fails, long: true, events: true}, func(ctx context.Context, in *changeStreamInput) (*huma.StreamResponse, error) {
		return a.streamChanges(ctx, in)
	})
}

// changeReader reads a task's changes for one request.
type changeReader struct {
	s    *Server
	name string
	q    tail.Query
	next int64
	// until is where reading ends; without it, it goes on.
	until int64
	log   *tail.Log // nil: the task has no log yet
}

// logPoll is how often a log is looked for that a task has not begun.
const logPoll = 500 * time.Millisecond

// findLimit bounds the search for a GTID, within the time that clients wait.
const findLimit = 25 * time.Second

// openChanges begins to read. Close the reader.
func (s *Server) openChanges(ctx context.Context, in *ChangesWanted, from string, limit int) (*changeReader, error) {
	if _, err := s.findTask(in.Name); err != nil {
		return nil, err
	}
	filter, err := tail.NewFilter(list(in.Table), list(in.Op), in.Key)
	if err != nil {
		return nil, problem(CodeInvalid, "%v", err)
	}
	select {
	case s.readers <- struct{}{}:
	default:
		return nil, problem(CodeTooManyReaders, "%d read changes already, as many as may at a time: end another 'daybook tail', or try again later", cap(s.readers))
	}
	r := &changeReader{s: s, name: in.Name, q: tail.Query{Filter: filter, Limit: limit, MaxValue: in.MaxValue}, until: math.MaxInt64}
	r.look()
	if r.log == nil {
		return r, nil // from the first record on, whatever was asked for
	}
	find, cancel := context.WithTimeout(ctx, findLimit)
	defer cancel()
	if r.next, err = r.log.Find(find, from); err != nil {
		r.close()
		return nil, r.problem(ctx, err)
	}
	return r, nil
}

func (r *changeReader) close() { <-r.s.readers }

// list takes a list with commas apart.
func list(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

// look looks for the task's log.
func (r *changeReader) look() {
	if p, ok := r.s.o.Store.Partition(r.name); ok {
		r.log = &tail.Log{Partition: p, Turn: r.s.turn, TableAt: func(database, table string, offset int64) (*change.Table, int64, error) {
			return task.TableAt(p, database, table, offset)
		}}
	}
}

// read returns what comes next; if nothing is there yet, it waits until ctx ends, and
// returns nothing then.
func (r *changeReader) read(ctx context.Context) ([]Change, error) {
	for {
		var changed <-chan struct{}
		if r.log != nil {
			changed = r.log.Partition.Changed()
			page, err := r.log.Read(ctx, r.next, r.q)
			if err != nil && ctx.Err() != nil {
				return nil, nil
			}
			if err != nil {
				return nil, r.problem(ctx, err)
			}
			more := page.Next > r.next
			r.next = page.Next
			if len(page.Changes) > 0 || r.next >= r.until {
				return page.Changes, nil
			}
			if more && ctx.Err() == nil && r.next < r.log.Partition.HighWatermark() {
				continue
			}
		}
		if !r.wait(ctx, changed) {
			return nil, nil
		}
		if _, err := r.s.findTask(r.name); err != nil {
			return nil, deletedTask(r.name)
		}
		if r.log == nil {
			r.look()
		}
	}
}

// wait waits for the log to change, or to come.
func (r *changeReader) wait(ctx context.Context, changed <-chan struct{}) bool {
	var poll <-chan time.Time
	if changed == nil {
		poll = time.After(logPoll)
	}
	select {
	case <-changed:
	case <-poll:
	case <-ctx.Done():
		return false
	}
	return true
}

func deletedTask(name string) *Error {
	return problem(CodeUnknownTask, "the task %q was deleted, and its changes with it", name)
}

// problem says what tail's errors mean to the client.
func (r *changeReader) problem(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, store.ErrDeleted):
		return deletedTask(r.name)
	case errors.Is(err, tail.ErrPlace):
		return wrongAt(CodeInvalid, "query.from", "%v", err)
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
		return problem(CodeNotInLog, "the GTID was not found in %v: name a time, or an offset, in its place", findLimit)
	case errors.Is(err, tail.ErrNotHere), errors.Is(err, tail.ErrBeyond):
		return problem(CodeNotInLog, "%v", err)
	}
	return err
}

func (r *changeReader) bounds() (start, end int64) {
	if r.log == nil {
		return 0, 0
	}
	return r.log.Partition.LogStartOffset(), r.log.Partition.HighWatermark()
}

func (s *Server) listChanges(ctx context.Context, in *changesInput) (*body[ChangePage], error) {
	r, err := s.openChanges(ctx, &in.ChangesWanted, in.From, in.Limit)
	if err != nil {
		return nil, err
	}
	defer r.close()
	page := ChangePage{Changes: []Change{}}
	if in.Wait == 0 && r.log != nil {
		found, err := r.log.Read(ctx, r.next, r.q)
		if err != nil {
			return nil, r.problem(ctx, err)
		}
		page.Changes, r.next = append(page.Changes, found.Changes...), found.Next
	} else {
		ctx, cancel := context.WithTimeout(ctx, time.Duration(in.Wait)*time.Second)
		defer cancel()
		found, err := r.read(ctx)
		if err != nil {
			return nil, err
		}
		if err := stillAllowed(ctx); err != nil { // it has waited
			return nil, err
		}
		page.Changes = append(page.Changes, found...)
	}
	page.Next = r.next
	page.LogStartOffset, page.HighWatermark = r.bounds()
	return &body[ChangePage]{page}, nil
}

// streamed is how many changes are read at a time for a stream.
const streamed = 100

func (a *api) streamChanges(ctx context.Context, in *changeStreamInput) (*huma.StreamResponse, error) {
	r, err := a.s.openChanges(ctx, &in.ChangesWanted, cmp.Or(in.LastID, in.From), streamed)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(hc huma.Context) {
		defer r.close()
		e := a.events(hc)
		ctx, cancel := context.WithTimeout(hc.Context(), streamLife)
		defer cancel()
		if e.head {
			return
		}
		if err := e.changes(ctx, r, in.Follow); err != nil {
			a.s.o.Logger.Debug("a stream of changes ended", "task", r.name, "error", err)
		}
	}}, nil
}

// changes sends changes until the client is gone, ctx ends, or there will be no more.
func (e *eventStream) changes(ctx context.Context, r *changeReader, follow bool) error {
	if err := e.begin(); err != nil {
		return err
	}
	if !follow {
		_, r.until = r.bounds()
	}
	for ctx.Err() == nil && r.next < r.until {
		found, err := e.next(ctx, r)
		if err != nil {
			return e.send("", "end", r.s.answerable(http.MethodGet, "changes/stream", err))
		}
		for i := range found {
			if found[i].Offset >= r.until {
				return nil
			}
			if err := e.send(strconv.FormatInt(found[i].Next, 10), "change", &found[i]); err != nil {
				return err
			}
		}
		if len(found) > 0 {
			continue
		}
		if err := e.beat(strconv.FormatInt(r.next, 10)); err != nil {
			return err
		}
	}
	return nil
}

// next waits for changes until it is time for a beat, and then wants the token to be in force still; of those
// that come at a time, each second.
func (e *eventStream) next(ctx context.Context, r *changeReader) ([]Change, error) {
	waiting, cancel := context.WithTimeout(ctx, eventBeat)
	defer cancel()
	found, err := r.read(waiting)
	if now := time.Now(); err == nil && now.Sub(e.allowed) >= time.Second {
		e.allowed, err = now, stillAllowed(ctx)
	}
	return found, err
}
