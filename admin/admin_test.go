package admin_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"daybook/admin"
	"daybook/auth"
	"daybook/group"
	"daybook/servertls"
	"daybook/servertls/certtest"
	"daybook/store"
	"daybook/store/storetest"
	"daybook/task"
)

const (
	topic    = "shop"
	password = "s3cret-word"
)

// server is an admin API with all that it needs, on a store in memory. The task
// shop exists and does not run; the configuration file declares the group
// declared.
type server struct {
	*admin.Client
	t        *testing.T
	api      *admin.Server
	o        admin.Options
	accounts *auth.Registry
	groups   *group.Coordinator
	store    *store.Store
	part     *store.Partition
	logs     *logBuffer
}

func start(t *testing.T, change ...func(*admin.Options)) *server {
	t.Helper()
	return startOn(t, storetest.OpenWith(t, store.Options{Dir: "data", FS: vfs.NewMem()}), change...)
}

func startOn(t *testing.T, st *store.Store, change ...func(*admin.Options)) *server {
	t.Helper()
	s := &server{t: t, store: st, logs: &logBuffer{}}
	log := slog.New(slog.NewTextHandler(s.logs, nil))
	var err error
	if s.part, err = st.EnsurePartition(topic); err != nil {
		t.Fatal(err)
	}
	s.groups = group.New(group.Options{Store: st, Logger: log})
	must(t, s.groups.Open(t.Context()))
	t.Cleanup(func() { must(t, s.groups.Close()) })
	s.accounts = auth.New(auth.Options{Store: st, Logger: log, MaxGroups: 4})
	must(t, s.accounts.Open(t.Context()))
	must(t, s.accounts.SetFile([]auth.Account{{Account: "app", Group: "declared", Topic: topic, Password: password}}))
	s.o = admin.Options{
		Address: "127.0.0.1:0", TokenFile: filepath.Join(t.TempDir(), "admin.token"),
		Store: st, Groups: s.groups, Accounts: s.accounts, Logger: log,
		Tasks:   task.NewManager([]task.Options{{Name: topic}}, st, log),
		Version: "v1.2.3", ConfigFile: "/etc/daybook.yaml",
	}
	for _, f := range change {
		f(&s.o)
	}
	s.api = admin.New(s.o)
	must(t, s.api.Open(t.Context()))
	t.Cleanup(func() { must(t, s.api.Close()) })
	s.Client = s.client(s.token())
	return s
}

func (s *server) token() string {
	s.t.Helper()
	token, err := admin.ReadToken(s.o.TokenFile)
	must(s.t, err)
	return token
}

func (s *server) url() string { return "http://" + s.api.Addr().String() }

func (s *server) client(token string) *admin.Client {
	s.t.Helper()
	c, err := admin.NewClient(admin.ClientOptions{URL: s.url(), Token: token})
	must(s.t, err)
	s.t.Cleanup(c.Close)
	return c
}

// do sends a request with the token, and headers in pairs of name and value.
func (s *server) do(method, path, body string, headers ...string) (status int, answer string) {
	s.t.Helper()
	resp, answer := s.send(method, path, body, headers...)
	return resp.StatusCode, answer
}

func (s *server) send(method, path, body string, headers ...string) (*http.Response, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url()+path, strings.NewReader(body))
	must(s.t, err)
	req.Header.Set("Authorization", "Bearer "+s.token())
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
			continue
		}
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	must(s.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(s.t, err)
	return resp, string(b)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantError wants an error that the server answered.
func wantError(t *testing.T, err error, status int, code admin.Code, message string) {
	t.Helper()
	var e *admin.Error
	if !errors.As(err, &e) || e.Status != status || e.Code != code || !strings.Contains(e.Message, message) {
		t.Errorf("got %#v (%v), want %d %s with %q", e, err, status, code, message)
	}
}

// logBuffer collects a log.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

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
	must(t, os.WriteFile(s.o.TokenFile, []byte(next+"\r\n"), 0o600))
	_, err = s.Groups(t.Context())
	wantError(t, err, http.StatusUnauthorized, admin.CodeUnauthorized, "the token is wrong")
	_, err = s.client(next).Groups(t.Context())
	must(t, err)

	// A file that cannot be used lets nobody in: whoever took it away meant that.
	for name, spoil := range map[string]func() error{
		"gone":  func() error { return os.Remove(s.o.TokenFile) },
		"short": func() error { return os.WriteFile(s.o.TokenFile, []byte("short"), 0o600) },
		"readable": func() error {
			return errors.Join(os.WriteFile(s.o.TokenFile, []byte(next), 0o600), os.Chmod(s.o.TokenFile, 0o644))
		},
		"directory": func() error { return errors.Join(os.Remove(s.o.TokenFile), os.Mkdir(s.o.TokenFile, 0o700)) },
	} {
		must(t, spoil())
		_, err := s.client(next).Groups(t.Context())
		wantError(t, err, http.StatusServiceUnavailable, admin.CodeNoToken, "its log says why")
		must(t, errors.Join(os.RemoveAll(s.o.TokenFile), os.WriteFile(s.o.TokenFile, []byte(next), 0o600)))
		if _, err := s.client(next).Groups(t.Context()); err != nil {
			t.Errorf("after the file was %s and mended: %v", name, err)
		}
	}
	if logs := s.logs.String(); !strings.Contains(logs, "the admin API refuses everybody") || strings.Contains(logs, next) {
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
	right := 0
	for began := time.Now(); time.Since(began) < 3*time.Second; {
		asked := time.Now()
		_, err := s.Groups(ctx)
		switch d := time.Since(asked); {
		case errors.Is(err, admin.ErrUnreachable): // there are too many connections for a moment
		case err != nil:
			t.Error(err)
		case d > time.Second:
			t.Errorf("the right token was held up for %v", d)
		default:
			right++
		}
	}
	cancel()
	wg.Wait()
	if right == 0 {
		t.Error("the right token was never served")
	}
	if n := looked.Load(); n < 10 || n > 12 {
		t.Errorf("%d wrong tokens were looked at in three seconds, want the ten free ones and one or two", n)
	}
	if lines := strings.Count(s.logs.String(), "level=WARN"); lines > 3 {
		t.Errorf("%d lines in the log:\n%s", lines, s.logs)
	}
	t.Logf("%d looked at, %d slowed, %d without an answer; the right token was served %d times", looked.Load(), slowed.Load(), others.Load(), right)
}

func TestWhatBrowsersSendIsRefused(t *testing.T) {
	s := start(t, func(o *admin.Options) { o.Hosts = []string{"daybook.example.com"} })
	const create = `{"group": "g"}`
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
		{"null", "POST", "/api/v1/groups/declared/reset", `null`, 400, "exactly one of"},
		{"no JSON", "POST", "/api/v1/groups", `group=g`, 400, "not JSON"},
		{"nothing", "POST", "/api/v1/groups", ``, 400, "the JSON ends too early"},
		{"half", "POST", "/api/v1/groups", `{"group": "g`, 400, "the JSON ends too early"},
		{"two", "POST", "/api/v1/groups", `{"group": "g"} {}`, 400, "something behind the JSON object"},
		{"no time", "POST", "/api/v1/groups/declared/reset", `{"to_time": "yesterday"}`, 400, "is not a time of the form"},
		{"too large", "POST", "/api/v1/groups", `{"group": "` + strings.Repeat("g", 64<<10) + `"}`, 413, "more than 65536 bytes"},
		{"no force", "DELETE", "/api/v1/groups/declared?force=yes", ``, 400, "force is true or false"},
		{"method", "PATCH", "/api/v1/groups/declared", ``, 405, "GET DELETE"},
		{"path", "GET", "/api/v1/tasks", ``, 404, "Daybook v1.2.3 has no /api/v1/tasks"},
		{"header", "GET", "/api/v1/groups?" + strings.Repeat("x", 32<<10), ``, 431, "Too Large"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if status, answer := s.do(test.method, test.path, test.body); status != test.status || !strings.Contains(answer, test.message) {
				t.Errorf("%d %s, want %d with %q", status, answer, test.status, test.message)
			}
		})
	}
}

// A client that sends slowly is cut off.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	s := start(t)
	c, err := net.Dial("tcp", s.api.Addr().String())
	must(t, err)
	defer c.Close()
	began := time.Now()
	go func() {
		for _, b := range []byte(strings.Repeat("GET / HTTP/1.1\r\nX: y\r\n", 100)) {
			if _, err := c.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(200 * time.Millisecond)
		}
	}()
	must(t, c.SetReadDeadline(began.Add(20*time.Second)))
	_, err = io.Copy(io.Discard, bufio.NewReader(c))
	if d := time.Since(began); d > 10*time.Second {
		t.Errorf("a slow client was served for %v: %v", d, err)
	}
}

// TestConnectionsAreBounded holds idle connections, one more than there may be.
func TestConnectionsAreBounded(t *testing.T) {
	s := start(t)
	var held []net.Conn
	defer func() {
		for _, c := range held {
			c.Close()
		}
	}()
	for range 256 {
		c, err := net.Dial("tcp", s.api.Addr().String())
		must(t, err)
		held = append(held, c)
	}
	must(t, waitFor(func() error {
		if _, err := s.Groups(t.Context()); err == nil {
			return errors.New("one connection more was served")
		}
		return nil
	}))
	held[0].Close()
	must(t, waitFor(func() error { _, err := s.Groups(t.Context()); return err }))
}

// waitFor calls f until it returns nil, for ten seconds at most.
func waitFor(f func() error) error {
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if err := f(); err == nil || time.Now().After(end) {
			return err
		}
	}
}

func TestTLS(t *testing.T) {
	ca := certtest.NewCA(t, "test authority")
	cert, key := ca.Issue("admin").Write(t, t.TempDir(), "server")
	s := start(t, func(o *admin.Options) { o.TLS = &servertls.Files{CertFile: cert, KeyFile: key} })
	https := "https://" + s.api.Addr().String()

	trusting, err := admin.NewClient(admin.ClientOptions{URL: https, Token: s.token(), TLS: &tls.Config{RootCAs: ca.Pool()}})
	must(t, err)
	defer trusting.Close()
	_, err = trusting.Groups(t.Context())
	must(t, err)
	stranger, err := admin.NewClient(admin.ClientOptions{URL: https, Token: s.token()})
	must(t, err)
	if _, err := stranger.Groups(t.Context()); !errors.Is(err, admin.ErrUnreachable) || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("an unknown certificate: %v", err)
	}
	if _, err := s.Groups(t.Context()); !errors.Is(err, admin.ErrNotDaybook) || !strings.Contains(err.Error(), "HTTP request to an HTTPS server") {
		t.Errorf("without TLS: %v", err)
	}
}

func TestPortInUse(t *testing.T) {
	s := start(t)
	o := s.o
	o.Address = s.api.Addr().String()
	if err := admin.New(o).Open(t.Context()); !errors.Is(err, admin.ErrPortInUse) || !strings.Contains(err.Error(), "change admin.address") {
		t.Errorf("Open: %v", err)
	}
}

func TestClientAddresses(t *testing.T) {
	for _, url := range []string{"", "127.0.0.1:8378", "ftp://h:1", "http://", "http://h:1/path", "http://h:1?x=y", "http://%"} {
		if _, err := admin.NewClient(admin.ClientOptions{URL: url}); err == nil || !strings.Contains(err.Error(), "http://host:port") {
			t.Errorf("%q: %v", url, err)
		}
	}
}

// TestClientMeetsOthers lets the client talk to what is not Daybook.
func TestClientMeetsOthers(t *testing.T) {
	for _, test := range []struct {
		answer string
		want   error
	}{
		{"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnope", admin.ErrNotDaybook},
		{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", admin.ErrNotDaybook},
		{"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", admin.ErrNotDaybook},
		{"SSH-2.0-OpenSSH_9.2\r\n", admin.ErrUnreachable},
		{"", admin.ErrUnreachable},
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		must(t, err)
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			_, _ = http.ReadRequest(bufio.NewReader(c))
			_, _ = io.WriteString(c, test.answer)
		}()
		c, err := admin.NewClient(admin.ClientOptions{URL: "http://" + l.Addr().String()})
		must(t, err)
		if _, err := c.Groups(t.Context()); !errors.Is(err, test.want) {
			t.Errorf("%q: %v, want %v", test.answer, err, test.want)
		}
		c.Close()
		l.Close()
	}
}
