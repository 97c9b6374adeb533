package admin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"daybook/admin"
)

func TestTokenIsNeeded(t *testing.T) {
	s := start(t)
	for _, path := range []string{"/api/v1/groups", "/api/v1/groups/declared", "/metrics", "/", "/api/v2/x"} {
		for _, given := range []string{"", "Bearer", "Bearer ", "Bearer wrong", "Basic " + s.token(), s.token(), "Bearer " + s.token() + "x"} {
			resp, answer := s.send(http.MethodGet, path, "", "Authorization", given)
			if resp.StatusCode != http.StatusUnauthorized || !strings.Contains(answer, `"unauthorized"`) || resp.Header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s with %q: %d %s", path, given, resp.StatusCode, answer)
			}
			if resp.Header.Get("Daybook-Version") != "" {
				t.Error("the version is told to anybody")
			}
			if len(given) > len("Bearer ") {
				break // the other guesses would be slowed from here on
			}
		}
	}
	if status, answer := s.do(http.MethodGet, "/healthz", "", "Authorization", ""); status != http.StatusOK || answer != "{\"status\":\"ok\"}\n" {
		t.Errorf("healthz: %d %s", status, answer)
	}
	if status, _ := s.do(http.MethodGet, "/api/v1/groups", "", "Authorization", "bearer "+s.token()); status != http.StatusOK {
		t.Errorf("the right token: %d", status)
	}
}

// A new token is in force, and the old one is not, from the moment it is written.
func TestTokenRotation(t *testing.T) {
	s := start(t)
	_, err := s.Groups(t.Context())
	must(t, err)
	next := strings.Repeat("n", 40)
	must(t, os.WriteFile(s.tokenFile, []byte(next+"\r\n"), 0o600))
	_, err = s.Groups(t.Context())
	wantError(t, err, http.StatusUnauthorized, admin.CodeUnauthorized, "the token is wrong")
	_, err = s.client(next).Groups(t.Context())
	must(t, err)

	// A file that cannot be used lets nobody in: whoever took it away meant that.
	for name, spoil := range map[string]func() error{
		"gone":  func() error { return os.Remove(s.tokenFile) },
		"short": func() error { return os.WriteFile(s.tokenFile, []byte("short"), 0o600) },
		"readable": func() error {
			return errors.Join(os.WriteFile(s.tokenFile, []byte(next), 0o600), os.Chmod(s.tokenFile, 0o644))
		},
		"directory": func() error { return errors.Join(os.Remove(s.tokenFile), os.Mkdir(s.tokenFile, 0o700)) },
	} {
		must(t, spoil())
		_, err := s.client(next).Groups(t.Context())
		wantError(t, err, http.StatusServiceUnavailable, admin.CodeNoToken, "its log says which and why")
		must(t, errors.Join(os.RemoveAll(s.tokenFile), os.WriteFile(s.tokenFile, []byte(next), 0o600)))
		if _, err := s.client(next).Groups(t.Context()); err != nil {
			t.Errorf("after the file was %s and mended: %v", name, err)
		}
	}
	if logs := s.logs.String(); !strings.Contains(logs, "lets nobody in by it") || strings.Contains(logs, next) {
		t.Errorf("log:\n%s", logs)
	}
}

// A thousand wrong tokens at once are slowed, are no thousand lines in the log,
// and do not hold up who has the right one.
func TestWrongTokensAreSlowed(t *testing.T) {
	s := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	var looked, slowed, others atomic.Int64
	var wg sync.WaitGroup
	for i := range 1000 {
		guess := s.client(fmt.Sprintf("guess %d", i))
		wg.Go(func() {
			_, err := guess.Groups(ctx)
			var e *admin.Error
			switch errors.As(err, &e); {
			case e == nil:
				others.Add(1) // the connection was refused, or this test has ended
			case e.Code == admin.CodeUnauthorized:
				looked.Add(1)
			case e.Code == admin.CodeSlowed:
				slowed.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	right, began := 0, time.Now()
	for time.Since(began) < 3*time.Second {
		asked := time.Now()
		_, err := s.Groups(ctx)
		switch {
		case errors.Is(err, admin.ErrUnreachable): // there are too many connections for a moment
		case err != nil:
			t.Error(err)
		case time.Since(asked) < time.Second: // who is slowed waits for two at least
			right++
		}
	}
	cancel()
	wg.Wait()
	if right == 0 {
		t.Error("the right token was never served at once")
	}
	if n, most := looked.Load(), 11+int64(time.Since(began)/(2*time.Second)); n < 10 || n > most {
		t.Errorf("%d wrong tokens were looked at, want the ten free ones, and %d at most", n, most)
	}
	if lines := strings.Count(s.logs.String(), "level=WARN"); lines > 3 {
		t.Errorf("%d lines in the log:\n%s", lines, s.logs)
	}
	t.Logf("%d looked at, %d slowed, %d without an answer; the right token was served %d times", looked.Load(), slowed.Load(), others.Load(), right)
}

func TestWhatBrowsersSendIsRefused(t *testing.T) {
	s := start(t, func(o *admin.Options) { o.Hosts = []string{"daybook.example.com"} })
	const create = `{"group": "g", "task": "none", "account": "app", "password": "s3cret-word"}`
	for _, test := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
		message                  string
	}{
		{"another's name", "GET", "/healthz", "", []string{"Host", "evil.example"}, 421, `"evil.example\" is not one of this server's`},
		{"another's name and port", "GET", "/api/v1/groups", "", []string{"Host", "evil.example:8378"}, 421, "host_refused"},
		{"no name", "GET", "/api/v1/groups", "", []string{"Host", ":8378"}, 421, "host_refused"},
		{"localhost", "GET", "/api/v1/groups", "", []string{"Host", "LOCALHOST:1"}, 200, ""},
		{"an address", "GET", "/api/v1/groups", "", []string{"Host", "[::1]"}, 200, ""},
		{"a configured name", "GET", "/api/v1/groups", "", []string{"Host", "daybook.example.com"}, 200, ""},
		{"another origin", "POST", "/api/v1/groups", create, []string{"Origin", "https://evil.example"}, 403, "cross_origin"},
		{"another site", "DELETE", "/api/v1/groups/g", "", []string{"Sec-Fetch-Site", "cross-site"}, 403, "cross_origin"},
		{"no origin", "POST", "/api/v1/groups", create, []string{"Origin", "null"}, 403, "cross_origin"},
		{"a form", "POST", "/api/v1/groups", create, []string{"Content-Type", "text/plain"}, 415, "must be application/json"},
		{"no type", "POST", "/api/v1/groups", create, []string{"Content-Type", ""}, 415, "must be application/json"},
		{"a preflight", "OPTIONS", "/api/v1/groups", "", []string{"Origin", "https://evil.example", "Authorization", ""}, 401, "unauthorized"},
		{"a charset", "POST", "/api/v1/groups", create, []string{"Content-Type", "application/json; charset=utf-8"}, 404, "unknown_task"},
	} {
		t.Run(test.name, func(t *testing.T) {
			resp, answer := s.send(test.method, test.path, test.body, test.headers...)
			if resp.StatusCode != test.status || !strings.Contains(answer, test.message) {
				t.Errorf("%d %s, want %d with %q", resp.StatusCode, answer, test.status, test.message)
			}
			for name := range resp.Header {
				if strings.HasPrefix(name, "Access-Control") || name == "Set-Cookie" {
					t.Errorf("the answer has %s", name)
				}
			}
		})
	}
}

func TestRequestsAreStrict(t *testing.T) {
	s := start(t)
	for _, test := range []struct {
		name, method, path, body string
		status                   int
		message                  string
	}{
		{"unknown field", "POST", "/api/v1/groups", `{"grop": "g"}`, 400, `unknown field \"grop\"`},
		{"wrong kind", "POST", "/api/v1/groups", `{"group": 1}`, 400, "the field group cannot be a JSON number"},
		{"no object", "POST", "/api/v1/groups", `[]`, 400, "a JSON object is wanted, not a JSON array"},
		{"null", "POST", "/api/v1/groups/declared/reset", `null`, 400, "not a JSON null"},
		{"a null", "POST", "/api/v1/groups/declared/reset", `{"to_offset": null}`, 400, "body.to_offset is null"},
		{"a null in a list", "POST", "/api/v1/tasks/shop/check", `{"tables": [null]}`, 400, "body.tables[0] is null"},
		{"twice", "POST", "/api/v1/groups/declared/reset", `{"to_offset": 1, "to_offset": 2}`, 400, "to_offset is given twice"},
		{"other letters", "POST", "/api/v1/groups/declared/reset", `{"To_Offset": 1}`, 400, "unknown field; there are"},
		{"no table", "POST", "/api/v1/tasks/shop/check", `{"tables": ["t"]}`, 422, "body.tables[0]: must be database.table"},
		{"missing", "POST", "/api/v1/groups", `{"group": "g", "task": "shop", "account": "app"}`, 422, "body: password is missing"},
		{"no JSON", "POST", "/api/v1/groups", `group=g`, 400, "not JSON"},
		{"nothing", "POST", "/api/v1/groups", ``, 400, "the JSON ends too early"},
		{"nothing, where nothing is needed", "POST", "/api/v1/tasks/none/precheck", ``, 404, "there is no task"},
		{"unknown, where nothing is needed", "POST", "/api/v1/tasks/none/precheck", `{"skipp": []}`, 400, "unknown field"},
		{"half", "POST", "/api/v1/groups", `{"group": "g`, 400, "the JSON ends too early"},
		{"two", "POST", "/api/v1/groups", `{"group": "g"} {}`, 400, "something behind the JSON object"},
		{"no time", "POST", "/api/v1/groups/declared/reset", `{"to_time": "yesterday"}`, 400, "a time is not of the form"},
		{"too large", "POST", "/api/v1/groups", `{"group": "` + strings.Repeat("g", 64<<10) + `"}`, 413, "more than 65536 bytes"},
		{"too large, of a definition", "PATCH", "/api/v1/tasks/shop", `{"objects": {"include": ["` + strings.Repeat("g", 64<<10) + `.*"]}}`, 413, "longer lists of patterns is one for the configuration file"},
		{"a body where none is wanted", "POST", "/api/v1/tasks/none/start", `{"force": true}`, 400, `unknown field \"force\"; there are none`},
		{"no object where nothing is wanted", "POST", "/api/v1/tasks/none/pause", `[]`, 400, "a JSON object is wanted, not a JSON array"},
		{"no JSON where nothing is wanted", "DELETE", "/api/v1/groups/declared", `force`, 400, "not JSON"},
		{"a large body where none is wanted", "GET", "/api/v1/groups", `{"group": "` + strings.Repeat("g", 64<<10) + `"}`, 400, "takes no body"},
		{"an empty object where nothing is wanted", "POST", "/api/v1/tasks/none/resume", ` {} `, 404, "there is no task"},
		{"no force", "DELETE", "/api/v1/groups/declared?force=yes", ``, 400, "force is true or false"},
		{"method", "PATCH", "/api/v1/groups/declared", ``, 405, "GET DELETE"},
		{"path", "GET", "/api/v1/topics", ``, 404, "Daybook v1.2.3 has no /api/v1/topics"},
		{"long field", "POST", "/api/v1/groups", `{"` + strings.Repeat("é", 1000) + `": 1}`, 400, "unknown field; there are account"},
		{"long path", "GET", "/api/v1/" + strings.Repeat("x", 1000), ``, 404, "xx…"},
		{"header", "GET", "/api/v1/groups?" + strings.Repeat("x", 32<<10), ``, 431, "Too Large"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if status, answer := s.do(test.method, test.path, test.body); status != test.status || !strings.Contains(answer, test.message) {
				t.Errorf("%d %s, want %d with %q", status, answer, test.status, test.message)
			}
		})
	}
}
