package broker_test

import (
	"crypto/tls"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/broker"
)

// longPoll is a Fetch that waits for longer than any test.
func (c *cluster) longPoll() *kmsg.FetchRequest {
	req := c.fetchRequest(12, c.part.HighWatermark())
	req.MinBytes, req.MaxWaitMillis = 1, 30_000
	return req
}

// room logs in as soon as the principal's only connection has ended, which must
// be soon.
func (c *cluster) room(dial func() *client) *client {
	c.t.Helper()
	const soon = 5 * time.Second
	for start := time.Now(); ; time.Sleep(time.Millisecond) {
		cl := dial()
		if code := cl.authenticate(user, password); code == 0 {
			return cl
		}
		cl.Close()
		if time.Since(start) > soon {
			c.t.Fatalf("the server has not noticed for %v that the client is gone", soon)
		}
	}
}

// A client that leaves while its request waits is noticed at once, however it
// leaves, and whatever it has sent behind the request.
func TestClientLeavesWhileItsRequestWaits(t *testing.T) {
	tc := newTLSCluster(t, func(o *broker.Options) {
		o.MaxPerPrincipal = 1
		o.Listeners = append(o.Listeners, broker.Listener{Name: "plain", Address: "127.0.0.1:0"})
	})
	leave := map[string]func(cl *client){
		"close": func(cl *client) { cl.Close() },
		"cut off": func(cl *client) { // a reset, as of a process that is killed with bytes unread
			nc := cl.Conn
			if tc, ok := nc.(*tls.Conn); ok {
				nc = tc.NetConn()
			}
			must(t, nc.(*net.TCPConn).SetLinger(0))
			nc.Close()
		},
	}
	behind := map[string][]kmsg.Request{"nothing": nil, "others": {kmsg.NewPtrMetadataRequest(), kmsg.NewPtrHeartbeatRequest()}}
	for _, encrypted := range []bool{false, true} {
		for how, leave := range leave {
			for what, behind := range behind {
				t.Run(fmt.Sprintf("TLS %v/%s/%s behind", encrypted, how, what), func(t *testing.T) {
					c := *tc.cluster
					c.t = t
					dial := func() *client { return tc.dialBoth(t, encrypted) }
					cl := c.room(dial)
					cl.send(c.longPoll())
					for _, req := range behind {
						cl.send(req)
					}
					cl.settle()
					leave(cl)
					c.room(dial).Close()
				})
			}
		}
	}
}

// settle gives the server time to begin to wait; a test passes without it too.
func (c *client) settle() { time.Sleep(20 * time.Millisecond) }

// A new member that leaves while it waits for the others, and was not told its
// ID, is taken out at once; it would hold up the others for its session.
func TestJoiningClientLeaves(t *testing.T) {
	c := newCluster(t)
	member := c.login(user)
	member.join(3, groupID)
	joining := c.login(user)
	joining.send(joinRequest(3, groupID))
	c.wantMembers(2)
	joining.Close()
	c.wantMembers(1)
}

// wantMembers waits until the group has that many.
func (c *cluster) wantMembers(n int) {
	c.t.Helper()
	cl := c.login(user)
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = []string{groupID}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		got := len(ask[*kmsg.DescribeGroupsResponse](cl, req).Groups[0].Members)
		if got == n {
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("the group has %d members, want %d", got, n)
		}
	}
}

// What a client sends while its request waits is answered after it, in order,
// though it is more than the server reads meanwhile.
func TestPipeliningBehindAWait(t *testing.T) {
	c := newTLSCluster(t)
	encrypted, err := c.connect(c.trusting())
	must(t, err)
	for name, cl := range map[string]*client{"TLS": encrypted, "plain": newCluster(t).dial()} {
		if code := cl.authenticate(user, password); code != 0 {
			t.Fatalf("%s: error %d", name, code)
		}
		wait := c.longPoll()
		wait.MaxWaitMillis = 100
		var requests []kmsg.Request
		var bytes []byte
		for i := range 300 {
			var req kmsg.Request = kmsg.NewPtrMetadataRequest()
			if i%100 == 0 {
				req = wait
			}
			requests = append(requests, req)
			bytes = append(bytes, kmsg.NewRequestFormatter().AppendRequest(nil, req, int32(1000+i))...)
		}
		// In pieces, so that they end within requests.
		for i := 0; i < len(bytes); i += 1001 {
			_, err := cl.Write(bytes[i:min(i+1001, len(bytes))])
			must(t, err)
		}
		for i, req := range requests {
			cl.correlation = int32(1000 + i)
			cl.receive(req)
		}
	}
}

// A wait may be longer than a connection may be without a request, which only
// counts after it.
func TestWaitIsNotIdle(t *testing.T) {
	c := newCluster(t, func(o *broker.Options) { o.IdleTimeout = 200 * time.Millisecond })
	cl := c.login(user)
	req := c.longPoll()
	req.MaxWaitMillis = 600
	for range 2 {
		start := time.Now()
		ask[*kmsg.FetchResponse](cl, req)
		if d := time.Since(start); d < 600*time.Millisecond {
			t.Errorf("answered after %v", d)
		}
	}
	cl.wantClosed()
}
