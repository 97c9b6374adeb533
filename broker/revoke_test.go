package broker_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"daybook/auth"
	"daybook/broker"
)

// guest is an account that comes and goes.
var guest = auth.Account{Account: "app", Group: "guests", Topic: topic, Password: "Passing-By"}

// newRevokeCluster has a listener with TLS and one without, and the guest.
func newRevokeCluster(t *testing.T) (*tlsCluster, *auth.Registry) {
	t.Helper()
	var accounts *auth.Registry
	c := newTLSCluster(t, func(o *broker.Options) {
		accounts = o.Accounts
		o.Listeners = append(o.Listeners, broker.Listener{Name: "plain", Address: "127.0.0.1:0"})
	})
	_, err := accounts.Create(guest)
	must(t, err)
	return c, accounts
}

// dialBoth returns a connection to the listener with TLS, or that without.
func (c *tlsCluster) dialBoth(t *testing.T, encrypted bool) *client {
	t.Helper()
	var nc net.Conn
	var err error
	if encrypted {
		nc, err = tls.Dial("tcp", c.addr(), c.trusting())
	} else {
		nc, err = net.Dial("tcp", c.server.Addrs()[1].String())
	}
	must(t, err)
	t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	return &client{Conn: nc, t: t}
}

// busy is what a connection can be in the middle of.
var busy = map[string]func(c *cluster, cl *client){
	"idle":    func(*cluster, *client) {},
	"waiting": func(c *cluster, cl *client) { cl.send(c.longPoll()) },
	"joining": func(c *cluster, cl *client) {
		cl.join(3, guest.Group)
		cl.send(joinRequest(3, guest.Group)) // waits for the first member, who does not come
	},
	"not reading": func(c *cluster, cl *client) {
		for range 50 {
			req := c.fetchRequest(12, 0)
			req.MaxBytes, req.Topics[0].Partitions[0].PartitionMaxBytes = 4<<20, 4<<20
			cl.send(req)
		}
		_, err := cl.Read(make([]byte, 1)) // the server is writing
		must(cl.t, err)
	},
	"in the middle of a request": func(c *cluster, cl *client) {
		_, err := cl.Write([]byte{0, 0, 1, 0, 0})
		must(cl.t, err)
	},
}

// The connections of a deleted account, and those of a changed password if that
// is asked for, end at once, whatever they are doing; those of others go on.
func TestRevokedLogins(t *testing.T) {
	ways := map[string]struct {
		revoke func(*auth.Registry) error
		reason string
	}{
		"deleted":          {func(r *auth.Registry) error { return r.Delete(guest.Group) }, "the account was deleted"},
		"another password": {func(r *auth.Registry) error { return r.SetPassword(guest.Group, "Other-Word-2", true) }, "the password was changed"},
	}
	for _, encrypted := range []bool{false, true} {
		for way, test := range ways {
			t.Run(fmt.Sprintf("%s, TLS %v", way, encrypted), func(t *testing.T) {
				c, accounts := newRevokeCluster(t)
				c.produceBytes(4 << 20)
				var doomed []*client
				for _, begin := range busy {
					cl := c.dialBoth(t, encrypted)
					if code := cl.authenticate("app-guests", guest.Password); code != 0 {
						t.Fatalf("error %d", code)
					}
					begin(c.cluster, cl)
					doomed = append(doomed, cl)
				}
				other := c.dialBoth(t, encrypted)
				if code := other.authenticate(user, password); code != 0 {
					t.Fatalf("error %d", code)
				}
				time.Sleep(20 * time.Millisecond) // for the server to be in the middle of all that
				must(t, test.revoke(accounts))
				start := time.Now()
				must(t, c.server.AwaitEnd(t.Context(), guest.Group))
				if d := time.Since(start); d > 5*time.Second {
					t.Errorf("the last connection ended after %v", d)
				}
				for _, cl := range doomed {
					for { // what was sent before the end may still be read
						if _, err := cl.frame(); errors.Is(err, os.ErrDeadlineExceeded) {
							t.Fatal("the client does not see the end")
						} else if err != nil {
							break
						}
					}
				}
				ask[*kmsg.MetadataResponse](other, kmsg.NewPtrMetadataRequest())
				waitLog(t, c.cluster, "the login has ended: "+test.reason)
				if code := c.dialBoth(t, encrypted).authenticate("app-guests", guest.Password); code != kerr.SaslAuthenticationFailed.Code {
					t.Errorf("a new login: error %d", code)
				}
			})
		}
	}
}

// A password that is changed without more ends nothing.
func TestPasswordChangeLeavesConnections(t *testing.T) {
	c, accounts := newRevokeCluster(t)
	cl := c.dialBoth(t, false)
	if code := cl.authenticate("app-guests", guest.Password); code != 0 {
		t.Fatalf("error %d", code)
	}
	must(t, accounts.SetPassword(guest.Group, "Other-Word-2", false))
	ask[*kmsg.MetadataResponse](cl, kmsg.NewPtrMetadataRequest())
	if code := c.dialBoth(t, false).authenticate("app-guests", "Other-Word-2"); code != 0 {
		t.Errorf("the new password: error %d", code)
	}
}

// A stock client that consumes is ended, and told why it cannot come back.
func TestConsumerIsRevoked(t *testing.T) {
	for _, encrypted := range []bool{false, true} {
		t.Run(fmt.Sprintf("TLS %v", encrypted), func(t *testing.T) {
			c, accounts := newRevokeCluster(t)
			c.produce(100)
			opts := []kgo.Opt{
				kgo.SeedBrokers(c.server.Addrs()[1].String()),
				kgo.SASL(plain.Auth{User: "app-guests", Pass: guest.Password}.AsMechanism()),
				kgo.ConsumerGroup(guest.Group), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
			}
			if encrypted {
				opts = append(opts, kgo.SeedBrokers(c.addr()), kgo.DialTLSConfig(c.trusting()))
			}
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			cl, err := kgo.NewClient(opts...)
			must(t, err)
			defer cl.Close()
			consume(t, ctx, cl, 0, 100)
			must(t, accounts.Delete(guest.Group))
			for {
				err := cl.PollFetches(ctx).Err()
				if errors.Is(err, kerr.SaslAuthenticationFailed) || err != nil && strings.Contains(err.Error(), "SASL") {
					return
				}
				if ctx.Err() != nil {
					t.Fatalf("the last error is %v", err)
				}
			}
		})
	}
}
