package admin_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"daybook/admin"
	"daybook/recordbatch"
	"daybook/store"
	"daybook/store/storetest"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// inserted is a record of an INSERT.
func inserted(id int, name string) string {
	return fmt.Sprintf(`{"before":null,"after":{"id":%d,"name":%q},"source":{"ts_us":1795378656000000,"db":"shop","table":"orders","gtid":"0-1-%d","file":"b.1","pos":4,"row":0,"query":null},"op":"c"}`, id, name, id)
}

func (s *server) insert(values ...string) {
	s.t.Helper()
	var b recordbatch.Builder
	for _, v := range values {
		_, id, _ := strings.Cut(v, `"after":`)
		id, _, _ = strings.Cut(id, ",")
		b.End(append(b.Begin(1795378656000, []byte(id+"}"), len(v)), v...))
	}
	_, err := s.part.Append(b.Finish(), store.State{})
	must(s.t, err)
}

func (s *server) page(q admin.ChangeQuery) admin.ChangePage {
	s.t.Helper()
	page, err := s.Changes(s.t.Context(), topic, q)
	must(s.t, err)
	return page
}

func TestChangesInPages(t *testing.T) {
	s := start(t)
	s.insert(inserted(0, "a"), inserted(1, "b"))
	s.insert(inserted(2, "c"))
	page := s.page(admin.ChangeQuery{From: "earliest", Limit: 2})
	if len(page.Changes) != 2 || page.Next != 2 || page.HighWatermark != 3 || page.Changes[1].Columns[1].After.Text != "b" {
		t.Errorf("the first page is %+v", page)
	}
	if page = s.page(admin.ChangeQuery{From: "2"}); len(page.Changes) != 1 || page.Next != 3 {
		t.Errorf("the second page is %+v", page)
	}
	if page = s.page(admin.ChangeQuery{From: "0-1-1", Tables: []string{"shop.*"}, Ops: []string{"insert", "ddl"}, Key: "id=1"}); len(page.Changes) != 1 || page.Changes[0].GTID != "0-1-1" {
		t.Errorf("from a GTID: %+v", page)
	}
	for query, want := range map[string]struct {
		code    admin.Code
		message string
	}{
		"from=yesterday":  {admin.CodeInvalid, "from is none of earliest"},
		"from=9":          {admin.CodeNotInLog, "the log has 0 to 3"},
		"from=0-1-9":      {admin.CodeNotInLog, "neither GTID 0-1-9 nor a later one"},
		"op=drop":         {admin.CodeInvalid, "op"},
		"table=/(/":       {admin.CodeInvalid, "table"},
		"key=a=1,2":       {admin.CodeInvalid, "NAME=VALUE"},
		"wait=26":         {admin.CodeInvalid, "at most"},
		"limit=1&limit=2": {admin.CodeBadRequest, "given 2 times"},
	} {
		if _, answer := s.do("GET", "/api/v1/tasks/shop/changes?"+query, ""); !strings.Contains(answer, string(want.code)) || !strings.Contains(answer, want.message) {
			t.Errorf("%s: %s, want %v", query, answer, want)
		}
	}
	_, err := s.Changes(t.Context(), "none", admin.ChangeQuery{})
	wantError(t, err, 404, admin.CodeUnknownTask, "none")
}

// TestChangesAreWaitedFor asks for changes that come while it is asked, and for such as do not come.
func TestChangesAreWaitedFor(t *testing.T) {
	s := start(t)
	go func() {
		time.Sleep(200 * time.Millisecond)
		s.insert(inserted(0, "unwanted"))
		s.insert(inserted(1, "wanted"))
	}()
	if page := s.page(admin.ChangeQuery{Key: "id=1", From: "latest", WaitLimit: 20}); len(page.Changes) != 1 {
		t.Errorf("got %+v", page)
	}
	if page := s.page(admin.ChangeQuery{Tables: []string{"other"}, From: "earliest", WaitLimit: 1}); len(page.Changes) != 0 || page.Next != 2 {
		t.Errorf("got %+v", page)
	}
}

// TestLongWait waits longer than a request may take to arrive.
func TestLongWait(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("17 seconds")
	}
	s := start(t)
	go func() {
		time.Sleep(17 * time.Second)
		s.insert(inserted(0, "late"))
	}()
	if page := s.page(admin.ChangeQuery{WaitLimit: 25}); len(page.Changes) != 1 {
		t.Errorf("got %+v", page)
	}
}

// sse is a client of a stream.
type sse struct {
	t *testing.T
	*bufio.Scanner
	body io.Closer
}

func (s *server) stream(query string, headers ...string) *sse {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	s.t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url()+"/api/v1/tasks/shop/changes/stream?"+query, nil)
	must(s.t, err)
	req.Header.Set("Authorization", "Bearer "+s.token())
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	must(s.t, err)
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" || resp.Header.Get("Cache-Control") != "no-store" {
		s.t.Fatalf("%d %v", resp.StatusCode, resp.Header)
	}
	s.t.Cleanup(func() { _ = resp.Body.Close() })
	return &sse{s.t, bufio.NewScanner(resp.Body), resp.Body}
}

// next returns the next event; all are empty at the stream's end.
func (c *sse) next() (id, event, data string) {
	for c.Scan() {
		name, value, _ := strings.Cut(c.Text(), ": ")
		switch name {
		case "id":
			id = value
		case "event":
			event = value
		case "data":
			data = value
		case "":
			if event != "" {
				return id, event, data
			}
		}
	}
	return "", "", ""
}

func (c *sse) want(id, event, data string) {
	c.t.Helper()
	if gotID, gotEvent, gotData := c.next(); gotID != id || gotEvent != event || !strings.Contains(gotData, data) {
		c.t.Errorf("got %q %q %q, want %q %q with %q", gotID, gotEvent, gotData, id, event, data)
	}
}

func TestStreamOfChanges(t *testing.T) {
	s := start(t)
	s.insert(inserted(0, "a"), inserted(1, "b\n\nevent: x"))
	c := s.stream("from=earliest")
	c.want("1", "change", `"text":"a"`)
	c.want("2", "change", `b\n\nevent: x`)
	s.insert(inserted(2, "later"))
	c.want("3", "change", "later")
	c = s.stream("from=earliest", "Last-Event-ID", "1")
	c.want("2", "change", `b\n`)
	c = s.stream("from=earliest&follow=false&op=delete")
	c.want("", "", "")
	c = s.stream("from=1&follow=false")
	c.want("2", "change", "b")
	c.want("3", "change", "later")
	c.want("", "", "")
	req, err := http.NewRequestWithContext(t.Context(), http.MethodHead, s.url()+"/api/v1/tasks/shop/changes/stream", nil)
	must(t, err)
	req.Header.Set("Authorization", "Bearer "+s.token())
	resp, err := (&http.Client{Timeout: 5 * time.Second}).Do(req)
	must(t, err)
	must(t, resp.Body.Close())
	if _, answer := s.do("GET", "/api/v1/tasks/shop/changes/stream?from=x", ""); !strings.Contains(answer, `"code":"invalid"`) {
		t.Errorf("a place that is none: %s", answer)
	}
}

// TestStreamsEnd wants streams to end with the client, the task and the server, and to leave no goroutine.
func TestStreamsEnd(t *testing.T) {
	s := start(t)
	before := runtime.NumGoroutine()
	var streams []*sse
	for range 32 {
		streams = append(streams, s.stream(""))
	}
	_, err := s.Changes(t.Context(), topic, admin.ChangeQuery{})
	wantError(t, err, 429, admin.CodeTooManyReaders, "end another 'daybook tail'")
	for _, c := range streams[1:] {
		must(t, c.body.Close())
	}
	must(t, waitFor(func() error { _, err := s.Changes(t.Context(), topic, admin.ChangeQuery{}); return err }))
	s.Close()
	must(t, waitFor(func() error {
		if n := runtime.NumGoroutine(); n > before+15 {
			return fmt.Errorf("%d goroutines, %d before", n, before)
		}
		return nil
	}))
	ended := make(chan time.Duration)
	go func() {
		began := time.Now()
		streams[0].next()
		ended <- time.Since(began)
	}()
	began := time.Now()
	must(t, s.api.Close())
	<-ended
	if d := time.Since(began); d > time.Second {
		t.Errorf("the server ended after %v", d)
	}
}

func TestStreamOfADeletedTask(t *testing.T) {
	s := start(t)
	s.insert(inserted(0, "a"))
	c := s.stream("from=earliest")
	c.want("1", "change", "a")
	must(t, s.store.DeletePartition(topic))
	c.want("", "end", `the task \"shop\" was deleted`)
	c.want("", "", "")
}

// TestStreamEndsWithItsToken wants a token that was deleted to show nothing more, on streams and to who waits.
func TestStreamEndsWithItsToken(t *testing.T) {
	s := start(t)
	made, err := s.CreateToken(t.Context(), admin.TokenRequest{Name: "guest", Role: "admin"})
	must(t, err)
	s.insert(inserted(0, "a"))
	c := s.stream("from=earliest", "Authorization", "Bearer "+made.Secret)
	c.want("1", "change", "a")
	waits := make(chan error)
	go func() {
		guest, err := admin.NewClient(admin.ClientOptions{URL: s.url(), Token: made.Secret})
		if err == nil {
			defer guest.Close()
			_, err = guest.Changes(t.Context(), topic, admin.ChangeQuery{From: "1", WaitLimit: 20})
		}
		waits <- err
	}()
	time.Sleep(1100 * time.Millisecond) // the token is looked at each second
	must(t, s.DeleteToken(t.Context(), "guest"))
	s.insert(inserted(1, "b"))
	c.want("", "end", "not in force any more")
	c.want("", "", "")
	wantError(t, <-waits, 401, admin.CodeUnauthorized, "not in force any more")
}

// TestRetentionOvertakesAReader wants to be told of what was removed before it was read.
func TestRetentionOvertakesAReader(t *testing.T) {
	s := startOn(t, storetest.OpenWith(t, store.Options{Dir: "data", FS: vfs.NewMem(), RetentionBytes: 1}))
	s.insert(inserted(0, "old"))
	s.insert(inserted(1, "new"))
	must(t, s.store.Retain(t.Context()))
	page := s.page(admin.ChangeQuery{From: "0"})
	if c := page.Changes[0]; c.Op != "lost" || c.Offset != 0 || c.Next != s.part.LogStartOffset() || !strings.Contains(c.Reason, "retention") {
		t.Errorf("got %+v", page)
	}
}
