// Package servers gives tests real MySQL and MariaDB servers.
//
// [Each] runs a test against every server in DAYBOOK_TEST_SERVERS, a list such
// as "mysql-8.0=127.0.0.1:3380,mariadb-10.11=127.0.0.1:3311"; without it,
// against one server of each of [Names] that it starts. [Get] gives one of them, or of
// any other version. These servers are shared: a test works in databases of its own
// ([Server.Database]) and leaves global settings and binlogs alone. [Start] gives a test a server to itself, with the
// options it wants, to stop, kill and restart.
//
// Every server listens on 127.0.0.1 and has the accounts [Admin] and [Repl].
// Those started here come from scripts/mysql-server.sh and end with the test
// process at the latest, however it ends. A server that cannot be had fails the
// test with the way to get it. All functions may be called from the goroutine
// that runs the test, and only from it.
package servers

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"
)

// The accounts of every server; each password is the name. Admin may do
// everything, Repl has REPLICATION SLAVE, REPLICATION CLIENT, SELECT and TRIGGER.
const (
	Admin = "admin"
	Repl  = "repl"
)

// Env names the variable that lists servers that already run.
const Env = "DAYBOOK_TEST_SERVERS"

// Names are the servers that every server test runs against, in this order.
var Names = []string{"mysql-5.6", "mysql-5.7", "mysql-8.0", "mariadb-10.11"}

// Server is one running server.
type Server struct {
	Name    string // such as mysql-8.0 or mariadb-10.11
	Address string // host:port
	dir     string // "": not started by Start
	conns   []*Conn
}

// MariaDB tells whether the server is a MariaDB.
func (s *Server) MariaDB() bool { return strings.HasPrefix(s.Name, "mariadb") }

// Each runs fn as a subtest named after the server, for each server.
func Each(t *testing.T, fn func(t *testing.T, s *Server)) {
	t.Helper()
	list, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		t.Run(s.Name, func(t *testing.T) { fn(t, s) })
	}
}

// Get returns the shared server of that name; with options for mysqld, one that has them and
// that all tests share which ask for the same. One that is not among those of Each is
// started for the first test of the process that asks.
func Get(t *testing.T, name string, options ...string) *Server {
	t.Helper()
	list, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		if s.Name == name && len(options) == 0 {
			return s
		}
	}
	s, err := others.get(name, options)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// others are the shared servers that Each leaves out.
var others onDemand

// onDemand are servers that are started when they are first asked for.
type onDemand struct {
	mu      sync.Mutex
	servers map[string]func() (*Server, error) // by version and options
}

func (o *onDemand) get(version string, options []string) (*Server, error) {
	key := strings.Join(append([]string{version}, options...), " ")
	o.mu.Lock()
	start := o.servers[key]
	if start == nil {
		if o.servers == nil {
			o.servers = map[string]func() (*Server, error){}
		}
		start = sync.OnceValues(func() (*Server, error) { return startShared(version, options...) })
		o.servers[key] = start
	}
	o.mu.Unlock()
	return start()
}

var shared = sync.OnceValues(func() ([]*Server, error) {
	if list := os.Getenv(Env); list != "" {
		return parse(list)
	}
	list := make([]*Server, len(Names))
	var group errgroup.Group
	for i, name := range Names {
		group.Go(func() (err error) {
			list[i], err = startShared(name)
			return err
		})
	}
	return list, group.Wait()
})

// startShared starts a server that ends with the process.
func startShared(version string, options ...string) (*Server, error) {
	dir, err := os.MkdirTemp("", "daybook-"+version+"-")
	if err != nil {
		return nil, err
	}
	address, err := script(append([]string{"start", "--owner", strconv.Itoa(os.Getpid()), version, dir, "--"}, options...)...)
	return &Server{Name: version, Address: address}, err
}

func parse(list string) ([]*Server, error) {
	var servers []*Server
	for item := range strings.SplitSeq(list, ",") {
		name, address, ok := strings.Cut(strings.TrimSpace(item), "=")
		if !ok || name == "" || !strings.Contains(address, ":") {
			return nil, fmt.Errorf("%s: %q is not name=host:port", Env, item)
		}
		servers = append(servers, &Server{Name: name, Address: address})
	}
	return servers, nil
}

// Start starts a server of the test's own, with options for mysqld after the
// usual ones; it ends with the test. Versions are those of scripts/mysql-server.sh.
func Start(t *testing.T, version string, options ...string) *Server {
	t.Helper()
	s, err := start(t, version, options...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func start(t *testing.T, version string, options ...string) (*Server, error) {
	dir := filepath.Join(t.TempDir(), version)
	address, err := script(append([]string{"start", "--owner", strconv.Itoa(os.Getpid()), version, dir, "--"}, options...)...)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { must(t, "kill", dir) })
	return &Server{Name: version, Address: address, dir: dir}, nil
}

// Data returns the data directory of a server that Start gave. What is in it may
// be changed while the server is stopped.
func (s *Server) Data() string { return filepath.Join(s.dir, "data") }

// Stop ends the server in order, and waits; its data stays for Restart. It ends
// the connections that Connect gave, since MySQL 5.7 and later wait 10 s for idle
// ones to end by themselves.
func (s *Server) Stop(t *testing.T) { t.Helper(); s.disconnect(); s.control(t, "stop") }

// Kill ends the server with SIGKILL, and waits; its data stays for Restart.
func (s *Server) Kill(t *testing.T) { t.Helper(); s.control(t, "kill") }

// Restart stops the server, as Stop does, if it runs, and starts it at the same
// address, from now on with these options too.
func (s *Server) Restart(t *testing.T, options ...string) {
	t.Helper()
	s.disconnect()
	s.control(t, "restart", append([]string{"--"}, options...)...)
}

// Upgrade stops the server, as Stop does, and starts a newer version with its data
// at the same address, with options.
func (s *Server) Upgrade(t *testing.T, version string, options ...string) {
	t.Helper()
	s.Stop(t)
	_, port, _ := net.SplitHostPort(s.Address)
	must(t, append([]string{"start", "--owner", strconv.Itoa(os.Getpid()), version, s.dir, port, "--"}, options...)...)
	s.Name = version
}

func (s *Server) disconnect() {
	for _, c := range s.conns {
		c.Close()
	}
	s.conns = nil
}

func (s *Server) control(t *testing.T, command string, options ...string) {
	t.Helper()
	if s.dir == "" {
		t.Fatalf("%s is shared with other tests: %s one that servers.Start gave", s.Name, command)
	}
	must(t, append([]string{command, s.dir}, options...)...)
}

func must(t *testing.T, args ...string) string {
	t.Helper()
	out, err := script(args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func script(args ...string) (string, error) {
	_, file, _, _ := runtime.Caller(0)
	path := filepath.Join(filepath.Dir(file), "..", "..", "scripts", "mysql-server.sh")
	cmd := exec.Command(path, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("scripts/mysql-server.sh %s: %w (or set %s to servers that run already)\n%s",
			strings.Join(args, " "), err, Env, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
}
