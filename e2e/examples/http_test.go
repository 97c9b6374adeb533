//go:build servers

package examples

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"daybook/e2e/harness"
	"daybook/e2e/oracle"
)

// An event is one that the HTTP bridge sends.
type event struct {
	id   string
	data struct {
		Offset     int64
		Key, Value string // a tombstone's value is null
	}
}

func TestHTTPBridgeServesRecordsAndGoesOnWhereTheClientWas(t *testing.T) {
	bridge := program{"kafka-sse", script(t, "example", "kafka-sse-0.4.2")}
	db, d := start(t, []program{bridge})
	n := change(db, 0)
	var offset int64 // of the first record that is as young as the middle one
	var millis int64
	for r := range oracle.Records(t, d.Daybook, int64(n/2+1)) {
		if r.Timestamp.UnixMilli() > millis {
			offset, millis = r.Offset, r.Timestamp.UnixMilli()
		}
	}
	want := model(t, d, n)
	for _, tls := range []bool{false, true} {
		url := bridge.serve(t, d, tls)
		all := take(t, url, "", n)
		for i, e := range all {
			if got := fmt.Sprintf("%d\t%s\t%s", e.data.Offset, e.data.Key, e.data.Value); got != want[i] {
				t.Fatalf("record %d: got %.200s\nwant %.200s", i, got, want[i])
			}
		}
		if got := take(t, url, all[n/2].id, 1)[0].data.Offset; got != int64(n/2+1) {
			t.Errorf("behind the event of offset %d comes %d", n/2, got)
		}
		if got := take(t, fmt.Sprint(url, "?timestamp=", millis), "", 1)[0].data.Offset; got != offset {
			t.Errorf("at the time of record %d begins %d", offset, got)
		}
	}
}

// The bridge assigns, so its clients take turns: the second one receives when
// the first has gone.
func TestHTTPBridgeServesOneClientAtATime(t *testing.T) {
	bridge := program{"kafka-sse", script(t, "example", "kafka-sse-0.4.2")}
	db, d := start(t, []program{bridge})
	url := bridge.serve(t, d, false)
	n := change(db, 0)
	first := open(t, url, "")
	first.read(n)
	second := open(t, url, "")
	received := make(chan []event)
	go func() { received <- second.read(1) }()
	first.read(change(db, 1)) // the first one goes on
	select {
	case e := <-received:
		t.Errorf("the second client received offset %d while the first was there", e[0].data.Offset)
	default:
	}
	first.body.Close()
	select {
	case e := <-received:
		if len(e) == 1 && e[0].data.Offset != 0 {
			t.Errorf("the second client began at offset %d", e[0].data.Offset)
		}
	case <-time.After(30 * time.Second):
		t.Error("the second client received nothing after the first had gone")
	}
}

// serve runs the bridge until the test ends and returns its address.
func (p program) serve(t *testing.T, d *daybook, tls bool) string {
	t.Helper()
	address := harness.FreeAddress(t)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), p.command[0], p.command[1:]...)
	cmd.Env, cmd.Stderr = append(p.env(d, tls), "PORT="+port), os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		c, err := net.Dial("tcp", address)
		if err == nil {
			c.Close()
			return "http://" + address + "/"
		}
		if time.Now().After(deadline) {
			t.Fatalf("the bridge does not listen: %v", err)
		}
	}
}

// stream is one HTTP request whose answer goes on.
type stream struct {
	t    *testing.T
	body io.ReadCloser
	scan *bufio.Scanner
}

func open(t *testing.T, url, lastEventID string) *stream {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if lastEventID != "" {
		request.Header.Set("Last-Event-ID", lastEventID)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { response.Body.Close() })
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", url, response.Status)
	}
	return &stream{t, response.Body, bufio.NewScanner(response.Body)}
}

// take reads n events and closes the connection, so that the next one is served.
func take(t *testing.T, url, lastEventID string, n int) []event {
	t.Helper()
	s := open(t, url, lastEventID)
	defer s.body.Close()
	events := s.read(n)
	if t.Failed() {
		t.FailNow()
	}
	return events
}

// read returns the next n events. It may be called from any goroutine.
func (s *stream) read(n int) []event {
	timeout := time.AfterFunc(time.Minute, func() { s.body.Close() })
	defer timeout.Stop()
	var events []event
	var e event
	for len(events) < n && s.scan.Scan() {
		line := s.scan.Text()
		if id, ok := strings.CutPrefix(line, "id: "); ok {
			e.id = id
		} else if data, ok := strings.CutPrefix(line, "data: "); ok {
			if err := json.Unmarshal([]byte(data), &e.data); err != nil {
				s.t.Errorf("event %s: %v", e.id, err)
			}
			events, e = append(events, e), event{}
		}
	}
	if len(events) < n {
		s.t.Errorf("received %d events, want %d: %v", len(events), n, s.scan.Err())
	}
	return events
}
