//go:build servers

package takeover

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"daybook/e2e/harness"
	"daybook/e2e/puppet"
	"daybook/e2e/servers"
)

// The test needs links that it can take down, so it runs in a user and a
// network namespace of its own, which an ordinary user may have too, and each
// consumer in another one below. None has a name: the kernel removes them and
// their links when their last process ends, however it ends. What is outside,
// MySQL, is reached through a Unix socket, which a network namespace does not
// hide.
const (
	socketEnv = "DAYBOOK_TAKEOVER_SOCKET" // set in the process that is inside
	source    = "mysql-8.0"
	host      = "10.99.0.1" // where Daybook listens
)

// isolated says if this is the process inside; else it runs the same test there
// and reports how it ended.
func isolated(t *testing.T, clients []string) bool {
	t.Helper()
	if socket := os.Getenv(socketEnv); socket != "" {
		ip(t, "link", "set", "lo", "up")
		ip(t, "address", "add", host+"/32", "dev", "lo")
		t.Setenv(servers.Env, source+"="+forward(t, "tcp", "127.0.0.1:0", "unix", socket))
		return true
	}
	puppet.Commands(t, clients...)           // gets what is missing while there is a network
	dir, err := os.MkdirTemp("", "takeover") // t.TempDir's would be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	socket := forward(t, "unix", filepath.Join(dir, "mysql"), "tcp", servers.Get(t, source).Address)
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v=true", "-test.parallel=1000", "-only="+*only)
	if deadline, ok := t.Deadline(); ok {
		cmd.Args = append(cmd.Args, "-test.timeout="+time.Until(deadline.Add(-10*time.Second)).String())
	}
	cmd.Env = append(os.Environ(), socketEnv+"="+socket, "DAYBOOK_BINARY="+harness.Binary(t))
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
		Pdeathsig:   syscall.SIGKILL,
	}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if testing.Verbose() {
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	}
	var exit *exec.ExitError
	if err := cmd.Run(); errors.As(err, &exit) {
		t.Errorf("inside: %v\n%s", err, out.Bytes())
	} else if err != nil {
		t.Errorf("no user and network namespaces here: %v\nA container has to be started with them allowed; "+
			"else see user.max_user_namespaces and kernel.apparmor_restrict_unprivileged_userns in sysctl", err)
	}
	return false
}

// network runs ip and returns what it says if it fails.
func network(args ...string) error {
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("ip %v (Debian's iproute2): %w %s", args, err, out)
	}
	return nil
}

func ip(t *testing.T, args ...string) {
	t.Helper()
	if err := network(args...); err != nil {
		t.Fatal(err)
	}
}

// link is the wire between Daybook and one consumer.
type link struct{ name, address string }

func newLink(n int) link {
	return link{fmt.Sprint("wire", n), fmt.Sprintf("10.99.%d.%d", 1+n/250, 1+n%250)}
}

// prefix is the words that run a command in a network namespace of its own, at
// the end of the link. Every step is an exec, so the process ID stays the
// command's.
func (l link) prefix() []string {
	const script = `
ip link add eth0 type veth peer name "$1" netns "$2"
ip address add "$3" peer "$4" dev eth0
ip link set eth0 up
until ip -o link show dev eth0 | grep -q LOWER_UP; do sleep 0.05; done
shift 4
exec "$@"`
	return []string{"unshare", "--net", "sh", "-ec", script, "sh", l.name, fmt.Sprint(os.Getpid()), l.address, host}
}

// plug connects this end of the link as soon as the other one is there.
func (l link) plug() error {
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := network("address", "add", host, "peer", l.address, "dev", l.name)
		if err == nil {
			return network("link", "set", l.name, "up")
		}
		if time.Now().After(deadline) {
			return err
		}
	}
}

func (l link) cut() error     { return network("link", "set", l.name, "down") }
func (l link) restore() error { return network("link", "set", l.name, "up") }

// forward listens at from and connects each connection with one to to. It
// returns the address it listens at.
func forward(t *testing.T, fromNetwork, from, toNetwork, to string) string {
	t.Helper()
	l, err := net.Listen(fromNetwork, from)
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	over := make(chan struct{})
	t.Cleanup(func() { close(over); l.Close(); running.Wait() })
	running.Go(func() {
		for {
			a, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer a.Close()
				b, err := net.Dial(toNetwork, to)
				if err != nil {
					return
				}
				defer b.Close()
				done := make(chan struct{}, 2)
				for _, pair := range [][2]net.Conn{{a, b}, {b, a}} {
					running.Go(func() {
						_, _ = io.Copy(pair[0], pair[1]) // the end of one is the end of both
						done <- struct{}{}
					})
				}
				select {
				case <-done:
				case <-over:
				}
			})
		}
	})
	return l.Addr().String()
}
