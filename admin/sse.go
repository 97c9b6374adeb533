package admin

import (
	"bytes"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

const (
	contentEvents = "text/event-stream"
	// eventBeat is how often a stream says that it is there, so that a dead connection
	// is noticed at both ends.
	eventBeat = 10 * time.Second
	// eventTimeout is how long a client may take to receive one event.
	eventTimeout = 30 * time.Second
	// streamLife is how long a stream lasts. Who reads goes on in another one, for which its
	// token is looked at again.
	streamLife = 10 * time.Minute
	// eventRetry is what a client waits before that.
	eventRetry = time.Second
)

// eventStream writes server-sent events (the HTML standard, 9.2), which the EventSource of
// browsers reads. An operation that answers one returns a huma.StreamResponse and is
// registered with events and long. Writes fail once the client is gone
// or does not receive; it belongs to one goroutine.
type eventStream struct {
	w    http.ResponseWriter
	rc   *http.ResponseController
	api  *api
	head bool // nothing but the headers is asked for

	allowed time.Time // when the token was last looked at
}

func (a *api) events(ctx huma.Context) *eventStream {
	r, w := humago.Unwrap(ctx)
	ctx.SetHeader("Content-Type", contentEvents)
	ctx.SetHeader("X-Accel-Buffering", "no") // of nginx, which would keep them back
	return &eventStream{w: w, rc: http.NewResponseController(w), api: a, head: r.Method == http.MethodHead}
}

// eventSchema describes one event, as descriptions do that have a stream's media type. The data is JSON.
func eventSchema() *huma.Schema {
	text := &huma.Schema{Type: "string"}
	return &huma.Schema{Type: "object", AdditionalProperties: false, Properties: map[string]*huma.Schema{
		"id": text, "event": text, "data": text, "retry": {Type: "integer", Minimum: new(float64)},
	}}
}

// begin sends the headers, and how soon a client may come again.
func (e *eventStream) begin() error {
	return e.write(fmt.Appendf(nil, "retry: %d\n\n", eventRetry.Milliseconds()))
}

// send sends an event. A client that comes again names the last ID that it has got.
func (e *eventStream) send(id, name string, data any) error {
	var b bytes.Buffer
	if id != "" {
		fmt.Fprintf(&b, "id: %s\n", id)
	}
	fmt.Fprintf(&b, "event: %s\ndata: ", name)
	if err := writeJSON(&b, data); err != nil { // a line without line breaks in it, and its end
		return err
	}
	b.WriteByte('\n')
	return e.write(b.Bytes())
}

// beat moves the last ID on without an event.
func (e *eventStream) beat(id string) error {
	if id == "" {
		return e.write([]byte(":\n\n"))
	}
	return e.write(fmt.Appendf(nil, "id: %s\n\n", id))
}

func (e *eventStream) write(b []byte) error {
	if err := e.rc.SetWriteDeadline(time.Now().Add(eventTimeout)); err != nil {
		return err
	}
	if _, err := e.w.Write(b); err != nil {
		return err
	}
	return e.rc.Flush()
}
