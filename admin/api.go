package admin

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"daybook/access"
	"daybook/store"
)

// api is what the server serves, and the description of it: both are made from
// the same operations, so they cannot differ. Each resource has a file with its
// operations and their handlers; add a function to operations for a new one.
type api struct {
	huma.API
	s       *Server
	open    routes // need no token
	guarded routes

	least  map[string]access.Role // that an operation needs, by method and path
	faults []error
}

// operations registers all that the server serves.
func (a *api) operations() error {
	a.groupOperations()
	a.taskOperations()
	a.lifeOperations()
	a.objectOperations()
	a.eventOperations()
	a.changeOperations()
	a.commandOperations()
	a.checkOperations()
	a.tokenOperations()
	a.statusOperations()
	a.serverOperations()
	return a.describe() // the last, as it serves the description of the others
}

func newAPI(s *Server) (*api, error) {
	a := &api{s: s, open: routes{ServeMux: http.NewServeMux()}, guarded: routes{ServeMux: http.NewServeMux()}, least: map[string]access.Role{}}
	a.API = humago.New(&a.guarded, huma.Config{
		OpenAPI: overview(),
		Formats: map[string]huma.Format{
			"application/json": {Marshal: a.write, Unmarshal: json.Unmarshal},
			"json":             {Marshal: a.write}, // of application/problem+json
		},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{ownProblem},
	})
	err := a.operations()
	if err = errors.Join(append(a.faults, err)...); err != nil {
		return nil, fmt.Errorf("describe the admin API: %w", err)
	}
	return a, nil
}

// routes is a mux that can tell its patterns.
type routes struct {
	*http.ServeMux
	patterns []string
}

// HandleFunc registers a handler.
func (r *routes) HandleFunc(pattern string, h func(http.ResponseWriter, *http.Request)) {
	r.patterns = append(r.patterns, pattern)
	r.ServeMux.HandleFunc(pattern, h)
}

// operation is an operation of the API.
type operation struct {
	huma.Operation
	least  access.Role           // that it needs
	fails  []Code                // what its handler answers, besides what any may
	waits  string                // what 202 means, if it is answered; the body is that of 200
	leads  map[string]*huma.Link // to other operations, from the answer
	long   bool                  // it may wait longer than the server does for a request
	events bool                  // 200 is a stream of server-sent events
}

// register adds an operation: its handler takes an I, of which Huma fills the
// fields from the path, the query and the body, and returns an O.
func register[I, O any](a *api, op operation, h func(context.Context, *I) (*O, error)) {
	body := bodyOf[I]()
	fails := append(op.fails, CodeUnauthorized, CodeSlowed, CodeNoToken, CodeRole, CodeHostRefused, CodeInternal, CodeBadRequest)
	if op.Method != http.MethodGet {
		fails = append(fails, CodeCrossOrigin, CodeDiskFull)
	}
	if body != nil {
		fails = append(fails, CodeInvalid, CodeMediaType, CodeTooLarge)
	}
	op.Responses = a.failures(fails)
	if op.waits != "" {
		op.Responses["202"] = &huma.Response{Description: op.waits, Content: map[string]*huma.MediaType{
			"application/json": {Schema: a.OpenAPI().Components.Schemas.Schema(bodyOf[O](), true, "")},
		}}
	}
	if op.leads != nil {
		status := cmp.Or(op.DefaultStatus, http.StatusOK)
		op.Responses[strconv.Itoa(status)] = &huma.Response{Description: http.StatusText(status), Links: op.leads}
	}
	if op.events {
		op.Responses["200"] = content(contentEvents, eventSchema())["200"]
	}
	a.needs(&op.Operation, op.least)
	op.MaxBodyBytes = maxRequestBytes
	op.Middlewares = huma.Middlewares{a.strict(body, op.long)}
	huma.Register(a.API, op.Operation, func(ctx context.Context, in *I) (*O, error) {
		if op.Method != http.MethodGet {
			if err := a.s.writable(); err != nil {
				return nil, a.s.answerable(op.Method, op.Path, err)
			}
		}
		out, err := h(ctx, in)
		if err != nil {
			return nil, a.s.answerable(op.Method, op.Path, err)
		}
		return out, nil
	})
}

// bodyOf returns the type of T's body, nil if it has none.
func bodyOf[T any]() reflect.Type {
	if f, ok := reflect.TypeFor[T]().FieldByName("Body"); ok {
		return f.Type
	}
	return nil
}

// strict refuses what Huma would pass over: unknown and repeated parameters, other
// content types, unknown and repeated keys, what stands behind the body, and a body where none is wanted.
func (a *api) strict(body reflect.Type, long bool) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humago.Unwrap(ctx)
		if err := checkQuery(r.URL.RawQuery, ctx.Operation().Parameters); err != nil {
			a.s.fail(w, r, err)
			return
		}
		if body == nil && !bodiless(r) {
			if err := readNothing(r); err != nil {
				a.s.fail(w, r, err)
				return
			}
		}
		if long { // else the deadline of reading the request would end it, too
			_ = http.NewResponseController(w).SetReadDeadline(time.Time{}) // which HTTP/1 can
		}
		read := &readRequest{humaContext: ctx}
		if body != nil && !(body.Kind() == reflect.Pointer && bodiless(r)) {
			content, err := readObject(r, reflect.New(body).Interface())
			if err != nil {
				a.s.fail(w, r, err)
				return
			}
			read.body = content
		}
		next(read)
	}
}

// bodiless tells that a request has no body.
func bodiless(r *http.Request) bool {
	return r.ContentLength == 0
}

type humaContext = huma.Context

// readRequest is a request whose body has been read.
type readRequest struct {
	humaContext
	body []byte
}

// BodyReader returns the body.
func (r *readRequest) BodyReader() io.Reader { return bytes.NewReader(r.body) }

// Unwrap returns the context that it was made from.
func (r *readRequest) Unwrap() huma.Context { return r.humaContext }

// SetReadDeadline does nothing: the server's own deadline holds, and one that
// Huma sets would end the request's context while its handler waits.
func (r *readRequest) SetReadDeadline(time.Time) error { return nil }

// ownProblem has an error of Huma's answered as one of ours, without the values
// that it would repeat: a password may be among them.
func ownProblem(_ huma.Context, _ string, v any) (any, error) {
	theirs, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	switch theirs.Status {
	case http.StatusBadRequest:
		return validation(CodeBadRequest, theirs), nil
	case http.StatusUnprocessableEntity:
		return validation(CodeInvalid, theirs), nil
	}
	e := problem(CodeInternal, "%s", theirs.Detail)
	e.Status = theirs.Status
	return e, nil
}

// validation tells what Huma has found, and where.
func validation(code Code, theirs *huma.ErrorModel) *Error {
	e := problem(code, "%s", theirs.Detail)
	var all []string
	for _, d := range theirs.Errors {
		wrong := FieldError{d.Location, inWords(d.Message)}
		e.Errors = append(e.Errors, wrong)
		all = append(all, wrong.Location+": "+wrong.Message)
	}
	if len(all) > 0 {
		e.Detail = strings.Join(all, "; ")
	}
	return e
}

// inWords says what Huma says, as it is said elsewhere.
func inWords(message string) string {
	for _, form := range []struct{ theirs, ours string }{
		{"expected string to be %s", "must be %s"},
		{"expected length >= %s", "must have %s characters or more"},
		{"expected length <= %s", "must have %s characters at most"},
		{"expected number >= %s", "must be at least %s"},
		{"expected number <= %s", "must be at most %s"},
		{"expected required property %s to be present", "%s is missing"},
	} {
		before, after, _ := strings.Cut(form.theirs, "%s")
		if rest, ok := strings.CutPrefix(message, before); ok {
			return fmt.Sprintf(form.ours, strings.TrimSuffix(rest, after))
		}
	}
	return message
}

// writable refuses what changes something while nothing can be written: it would wait without an answer.
func (s *Server) writable() error {
	if s.o.Store == nil { // which nothing here asks for then
		return nil
	}
	err := s.o.Store.Writable()
	if errors.Is(err, store.ErrDiskFull) {
		return problem(CodeDiskFull, "%v: nothing can be changed until then", err)
	}
	return err
}

// answerable makes an error one of ours; one that is none is the server's fault.
func (s *Server) answerable(method, path string, err error) *Error {
	var e *Error
	if !errors.As(err, &e) {
		s.o.Logger.Error("the admin API could not answer", "method", method, "path", path, "error", err)
		e = problem(CodeInternal, "%s %s failed: %v", method, path, err)
	}
	return e
}
