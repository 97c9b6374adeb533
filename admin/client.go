package admin

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// What a call can fail with besides an *Error of the server.
var (
	// ErrUnreachable is returned if nobody answered.
	ErrUnreachable = errors.New("the admin API cannot be reached")
	// ErrUnanswered is returned if somebody was asked to change something and the
	// connection ended before the answer: it may be done, or saved, all the same.
	ErrUnanswered = errors.New("the connection to the admin API ended before it answered")
	// ErrNotDaybook is returned if what answered is not the admin API.
	ErrNotDaybook = errors.New("what answers there is not Daybook's admin API")
)

const (
	clientTimeout   = 30 * time.Second
	maxAnswerBytes  = 64 << 20
	maxForeignBytes = 200 // that are shown of an answer which is not Daybook's
)

// ClientOptions say which server to call.
type ClientOptions struct {
	URL   string // http://host:port or https://host:port
	Token string
	TLS   *tls.Config // for https; nil: the system's authorities
}

// Client calls a server's API. Its errors are an [*Error] that the server
// answered, ErrUnreachable, ErrUnanswered or ErrNotDaybook.
type Client struct {
	base  *url.URL
	token string
	http  *http.Client
}

// NewClient returns a client; it calls nobody yet.
func NewClient(o ClientOptions) (*Client, error) {
	base, err := url.Parse(o.URL)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || strings.Trim(base.Path, "/") != "" ||
		base.RawQuery != "" || base.Fragment != "" || base.User != nil {
		// Without the text: it may hold a password.
		return nil, errors.New("the URL is no address of an admin API: http://host:port or https://host:port is wanted, without user and password")
	}
	return &Client{base: base, token: o.Token, http: &http.Client{
		// No proxy: it would see the token of an http address.
		Transport: &http.Transport{TLSClientConfig: o.TLS, TLSHandshakeTimeout: clientTimeout},
		Timeout:   clientTimeout,
		// The token goes nowhere else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Close ends the connections that are kept open.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Status returns how Daybook itself is.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var s Status
	err := c.call(ctx, http.MethodGet, "status", nil, &s)
	return s, err
}

// Groups returns all groups in the order of task and group ID.
func (c *Client) Groups(ctx context.Context) ([]Group, error) {
	return pages(func(query string) ([]Group, string, error) {
		var list GroupList
		err := c.call(ctx, http.MethodGet, "groups"+query, nil, &list)
		return list.Groups, list.Next, err
	})
}

// Group returns one group.
func (c *Client) Group(ctx context.Context, id string) (Group, error) {
	var g Group
	err := c.call(ctx, http.MethodGet, pathOfGroup(id), nil, &g)
	return g, err
}

// CreateGroup creates a group with its account.
func (c *Client) CreateGroup(ctx context.Context, r CreateRequest) (Group, error) {
	var g Group
	err := c.call(ctx, http.MethodPost, "groups", r, &g)
	return g, err
}

// SetPassword changes the password of a group's account.
func (c *Client) SetPassword(ctx context.Context, id string, r PasswordRequest) error {
	return c.call(ctx, http.MethodPut, pathOfGroup(id)+"/password", r, nil)
}

// ResetGroup moves a group's checkpoint, or tells where it would move.
func (c *Client) ResetGroup(ctx context.Context, id string, r ResetRequest) (ResetResult, error) {
	var result ResetResult
	err := c.call(ctx, http.MethodPost, pathOfGroup(id)+"/reset", r, &result)
	return result, err
}

// DeleteGroup deletes a group with its account and checkpoint; by force, if it
// has consumers.
func (c *Client) DeleteGroup(ctx context.Context, id string, force bool) error {
	return c.call(ctx, http.MethodDelete, pathOfGroup(id)+"?force="+strconv.FormatBool(force), nil, nil)
}

// Tasks returns all tasks in the order of their names.
func (c *Client) Tasks(ctx context.Context) ([]Task, error) {
	return pages(func(query string) ([]Task, string, error) {
		var list TaskList
		err := c.call(ctx, http.MethodGet, "tasks"+query, nil, &list)
		return list.Tasks, list.Next, err
	})
}

// Task returns one task.
func (c *Client) Task(ctx context.Context, name string) (Task, error) {
	var t Task
	err := c.call(ctx, http.MethodGet, pathOfTask(name), nil, &t)
	return t, err
}

// CreateTask creates a task of a definition, whose precheck runs then.
func (c *Client) CreateTask(ctx context.Context, definition map[string]any) (Task, error) {
	var t Task
	err := c.call(ctx, http.MethodPost, "tasks", definition, &t)
	return t, err
}

// ChangeTask changes a task's definition by a merge patch.
func (c *Client) ChangeTask(ctx context.Context, name string, patch map[string]any) (Task, error) {
	var t Task
	err := c.call(ctx, http.MethodPatch, pathOfTask(name), patch, &t)
	return t, err
}

// DeleteTask deletes a task with all that it has. Not done: that goes on.
func (c *Client) DeleteTask(ctx context.Context, name string) (done bool, err error) {
	if err := c.call(ctx, http.MethodDelete, pathOfTask(name)+"?confirm="+url.QueryEscape(name), nil, nil); err != nil {
		return false, err
	}
	_, err = c.Task(ctx, name)
	var answered *Error
	if errors.As(err, &answered) && answered.Code == CodeUnknownTask {
		return true, nil
	}
	return false, err
}

// PrecheckTask runs the precheck of a task again.
func (c *Client) PrecheckTask(ctx context.Context, name string, r PrecheckRequest) (Task, error) {
	var t Task
	err := c.call(ctx, http.MethodPost, pathOfTask(name)+"/precheck", r, &t)
	return t, err
}

// StepTask has a task do an operation that needs no more than its name: start, pause or resume.
func (c *Client) StepTask(ctx context.Context, name, step string) (Task, error) {
	var t Task
	err := c.call(ctx, http.MethodPost, pathOfTask(name)+"/"+step, nil, &t)
	return t, err
}

// Databases lists the databases of a task's source.
func (c *Client) Databases(ctx context.Context, task string) ([]Database, error) {
	var list DatabaseList
	err := c.call(ctx, http.MethodGet, pathOfTask(task)+"/objects", nil, &list)
	return list.Databases, err
}

// Tables lists the tables of a database of a task's source.
func (c *Client) Tables(ctx context.Context, task, database string) ([]Table, error) {
	return pages(func(query string) ([]Table, string, error) {
		var list TableList
		err := c.call(ctx, http.MethodGet, pathOfTask(task)+"/objects/"+url.PathEscape(database)+query, nil, &list)
		return list.Tables, list.Next, err
	})
}

// Preview tells what patterns select of a task's source; without any, the task's own.
func (c *Client) Preview(ctx context.Context, task string, o Objects) (ObjectsPreview, error) {
	var p ObjectsPreview
	err := c.call(ctx, http.MethodPost, pathOfTask(task)+"/preview", o, &p)
	return p, err
}

// EventFilter says which events are wanted; what is zero does not matter.
type EventFilter struct {
	Task, Kind string
	Gone       bool      // the task may be gone; else it is an error
	Since      time.Time // not before
	After      string    // only from behind the event of this ID on
	Limit      int       // at most so many: all from behind After on, if that is given
}

func (f *EventFilter) query() url.Values {
	q := url.Values{"limit": {strconv.Itoa(f.Limit)}}
	for name, value := range map[string]string{"kind": f.Kind, "after": f.After} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if !f.Since.IsZero() {
		q.Set("since", f.Since.UTC().Format(time.RFC3339Nano))
	}
	return q
}

// Events returns the newest events, the newest first.
func (c *Client) Events(ctx context.Context, f EventFilter) ([]LogEvent, error) {
	path, query := "events", f.query()
	switch {
	case f.Gone && f.Task != "":
		query.Set("task", f.Task)
	case f.Task != "":
		path = pathOfTask(f.Task) + "/events"
	}
	var all []LogEvent
	for {
		var list LogEventList
		if err := c.call(ctx, http.MethodGet, path+"?"+query.Encode(), nil, &list); err != nil {
			return nil, err
		}
		all = append(all, list.Events...)
		if f.After == "" || list.Next == "" {
			return all, nil
		}
		query.Set("cursor", list.Next)
	}
}

// Tokens returns all tokens in the order of their names.
func (c *Client) Tokens(ctx context.Context) ([]Token, error) {
	return pages(func(query string) ([]Token, string, error) {
		var list TokenList
		err := c.call(ctx, http.MethodGet, "tokens"+query, nil, &list)
		return list.Tokens, list.Next, err
	})
}

// CreateToken creates a token.
func (c *Client) CreateToken(ctx context.Context, r TokenRequest) (NewToken, error) {
	var made NewToken
	err := c.call(ctx, http.MethodPost, "tokens", r, &made)
	return made, err
}

// DeleteToken deletes a token.
func (c *Client) DeleteToken(ctx context.Context, name string) error {
	return c.call(ctx, http.MethodDelete, "tokens/"+url.PathEscape(name), nil, nil)
}

// ChangeQuery says which of a task's changes are wanted; see ChangesWanted. Zero values are
// left out.
type ChangeQuery struct {
	From, Key                  string
	Tables, Ops                []string
	Limit, MaxValue, WaitLimit int
}

// Changes returns a page of a task's changes.
func (c *Client) Changes(ctx context.Context, task string, q ChangeQuery) (ChangePage, error) {
	query := url.Values{}
	for name, value := range map[string]string{"from": q.From, "key": q.Key, "table": strings.Join(q.Tables, ","), "op": strings.Join(q.Ops, ",")} {
		if value != "" {
			query.Set(name, value)
		}
	}
	for name, n := range map[string]int{"limit": q.Limit, "max_value": q.MaxValue, "wait": q.WaitLimit} {
		if n != 0 {
			query.Set(name, strconv.Itoa(n))
		}
	}
	var page ChangePage
	err := c.call(ctx, http.MethodGet, pathOfTask(task)+"/changes?"+query.Encode(), nil, &page)
	return page, err
}

// RotateKey changes the key of stored passwords, and returns how many were sealed anew.
func (c *Client) RotateKey(ctx context.Context) (int, error) {
	var r KeyRotation
	err := c.call(ctx, http.MethodPost, "key/rotate", nil, &r)
	return r.Sealed, err
}

// RestartTask has a task go on at another place.
func (c *Client) RestartTask(ctx context.Context, name string, r RestartRequest) (CommandResult, error) {
	var result CommandResult
	err := c.call(ctx, http.MethodPost, pathOfTask(name)+"/restart", r, &result)
	return result, err
}

// SkipGroup passes over the event group that a task cannot read.
func (c *Client) SkipGroup(ctx context.Context, name string, r SkipRequest) (CommandResult, error) {
	var result CommandResult
	err := c.call(ctx, http.MethodPost, pathOfTask(name)+"/skip", r, &result)
	return result, err
}

// CheckTask compares the tables' definitions with the source's. One without Ended
// goes on: LastCheck has it when it has ended.
func (c *Client) CheckTask(ctx context.Context, name string, r CheckRequest) (CheckResult, error) {
	var result CheckResult
	err := c.call(ctx, http.MethodPost, pathOfTask(name)+"/check", r, &result)
	return result, err
}

// LastCheck returns the check of the tables' definitions that ended last.
func (c *Client) LastCheck(ctx context.Context, name string) (CheckResult, error) {
	var result CheckResult
	err := c.call(ctx, http.MethodGet, pathOfTask(name)+"/check", nil, &result)
	return result, err
}

// pages collects a list, page by page.
func pages[T any](get func(query string) (items []T, next string, err error)) ([]T, error) {
	all, next, err := get("")
	for err == nil && next != "" {
		var more []T
		more, next, err = get("?cursor=" + url.QueryEscape(next))
		all = append(all, more...)
	}
	if err != nil {
		return nil, err
	}
	return all, nil
}

func pathOfTask(name string) string { return "tasks/" + url.PathEscape(name) }

func pathOfGroup(id string) string { return "groups/" + url.PathEscape(id) }

// call sends body, unless it is nil, and reads the answer into result, unless
// that is nil.
func (c *Client) call(ctx context.Context, method, path string, body, result any) error {
	var payload []byte
	if body != nil {
		var err error
		if payload, err = json.Marshal(body); err != nil {
			return fmt.Errorf("encode request: %w", err)
		}
	}
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { sent.Store(true) }})
	failed := func(err error) error {
		if sent.Load() && method != http.MethodGet {
			return fmt.Errorf("%w at %s: %w", ErrUnanswered, c.base, err)
		}
		return fmt.Errorf("%w at %s: %w", ErrUnreachable, c.base, err)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base.Scheme+"://"+c.base.Host+"/api/v1/"+path, bytes.NewReader(payload))
	if err != nil {
		return fmt.Errorf("make request: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := c.http.Do(req)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err // without the path
		}
		return failed(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes))
	if err != nil {
		return failed(err)
	}
	return c.read(resp, answer, result)
}

// read takes an answer apart.
func (c *Client) read(resp *http.Response, answer []byte, result any) error {
	if resp.StatusCode >= 300 {
		var e Error
		if json.Unmarshal(answer, &e) != nil || e.Code == "" {
			return c.foreign(resp, answer)
		}
		e.Status = resp.StatusCode
		return &e
	}
	if resp.Header.Get(headerVersion) == "" {
		return c.foreign(resp, answer)
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(answer, result); err != nil {
		return fmt.Errorf("read the answer of %s, Daybook %s: %w", c.base, resp.Header.Get(headerVersion), err)
	}
	return nil
}

func (c *Client) foreign(resp *http.Response, answer []byte) error {
	text := strings.TrimSpace(string(answer[:min(len(answer), maxForeignBytes)]))
	return fmt.Errorf("%w: %s: %s: %q", ErrNotDaybook, c.base, resp.Status, text)
}
