package admin_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"daybook/access"
	"daybook/admin"
	"daybook/auth"
	"daybook/binlog"
	"daybook/group"
	"daybook/journal"
	"daybook/seal"
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
	// tokenFile has the token of the role admin; that of a viewer is beside it.
	tokenFile string
	// All answers are compared with it.
	description *description
}

// silent is a source that never answers.
var silent = binlog.Source{Address: "192.0.2.1:3306", Dial: func(ctx context.Context, _ string) (net.Conn, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}}

// compile reads the name of a definition, and has all of them read from silent.
func compile(definition json.RawMessage, password string) (task.Options, string, error) {
	var d struct {
		Name   string
		Source struct{ Password string }
	}
	if err := json.Unmarshal(definition, &d); err != nil {
		return task.Options{}, "", err
	}
	if d.Name == "none" {
		return task.Options{}, "", errors.New("name: it is none")
	}
	return task.Options{Name: d.Name, Source: silent, Definition: json.RawMessage(`{"name":"` + d.Name + `","source":{"address":"192.0.2.1:3306","user":"daybook"}}`)}, cmp.Or(d.Source.Password, password), nil
}

func sealed(t *testing.T) *seal.Box {
	t.Helper()
	box, err := seal.Open(filepath.Join(t.TempDir(), "secret.key"), true)
	must(t, err)
	return box
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
		Address: "127.0.0.1:0",
		Store:   st, Groups: s.groups, Accounts: s.accounts, Logger: log,
		Tasks:   task.NewManager(task.ManagerOptions{Store: st, Logger: log, Declared: []task.Options{{Name: topic, Source: silent, Definition: json.RawMessage(`{"name":"shop","source":{"address":"192.0.2.1:3306","user":"daybook"}}`)}}, Compile: compile, Sealed: sealed(t), Journal: journal.New(st)}),
		Journal: journal.New(st), Refusals: journal.NewRefusals(journal.New(st), log),
		Version: "v1.2.3", ConfigFile: "/etc/daybook.yaml",
	}
	s.tokenFile = filepath.Join(t.TempDir(), "admin.token")
	s.o.Tokens = access.New(access.Options{Store: st, Logger: log, Files: []access.File{{Name: "admin", Role: access.Admin, Path: s.tokenFile}, {Name: "grafana", Role: access.Viewer, Path: s.tokenFile + ".viewer"}}})
	for _, f := range change {
		f(&s.o)
	}
	must(t, s.o.Tokens.Open(t.Context()))
	must(t, s.o.Tasks.Open(t.Context()))
	t.Cleanup(func() { must(t, s.o.Tasks.Close()) })
	s.api = admin.New(s.o)
	must(t, s.api.Open(t.Context()))
	t.Cleanup(func() { must(t, s.api.Close()) })
	s.description = s.describe()
	s.Client = s.client(s.token())
	return s
}

// describe gets the description.
func (s *server) describe() *description {
	s.t.Helper()
	if s.o.TLS != nil {
		return nil
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get(s.url() + "/openapi.json")
	must(s.t, err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	must(s.t, err)
	return describedBy(s.t, text)
}

// through has a client's answers compared with the description.
func (s *server) through(next http.RoundTripper) http.RoundTripper {
	if s.description == nil {
		return next
	}
	return &conforming{s.t, s.description, next}
}

func (s *server) token() string {
	s.t.Helper()
	token, err := access.ReadToken(s.tokenFile)
	must(s.t, err)
	return token
}

func (s *server) url() string { return "http://" + s.api.Addr().String() }

func (s *server) client(token string) *admin.Client {
	s.t.Helper()
	c, err := admin.NewClient(admin.ClientOptions{URL: s.url(), Token: token})
	must(s.t, err)
	s.t.Cleanup(c.Close)
	c.Through(s.through)
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
	resp, err := s.through(&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
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
	if !errors.As(err, &e) || e.Status != status || e.Code != code || !strings.Contains(e.Detail, message) {
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
