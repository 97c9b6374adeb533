package broker_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"daybook/broker"
)

// mechanisms are the ways to log in, as clients do it.
var mechanisms = map[string]func(user, password string) sasl.Mechanism{
	"PLAIN": func(u, p string) sasl.Mechanism { return plain.Auth{User: u, Pass: p}.AsMechanism() },
	"SCRAM-SHA-256": func(u, p string) sasl.Mechanism {
		return scram.Auth{User: u, Pass: p}.AsSha256Mechanism()
	},
	"SCRAM-SHA-512": func(u, p string) sasl.Mechanism {
		return scram.Auth{User: u, Pass: p}.AsSha512Mechanism()
	},
}

const (
	denied = "authentication failed: unknown username or wrong password"
	slowed = "authentication failed: too many logins from this address have failed: try again later"
)

// guesser tries passwords from one address until the time is up, on that many
// connections at once, and counts those that were looked at.
type guesser struct {
	mechanism string
	address   string
	conns     int
	looked    atomic.Int32
	tenth     time.Duration // from the start, when the tenth was refused
}

func (g *guesser) run(c *cluster, victim string, d time.Duration) {
	start := time.Now()
	var all sync.WaitGroup
	for range g.conns {
		all.Go(func() {
			for time.Since(start) < d {
				cl := c.dialFrom(g.address)
				cl.SetDeadline(start.Add(d))
				switch failure := cl.try(mechanisms[g.mechanism](victim, fmt.Sprint("Guess-", time.Since(start)))); failure {
				case denied:
					if g.looked.Add(1) == 10 {
						g.tenth = time.Since(start)
					}
				case slowed, noAnswer:
				default:
					c.t.Errorf("%s: the answer is %q", g.mechanism, failure)
				}
				cl.Close()
			}
		})
	}
	all.Wait()
}

const noAnswer = "no answer in time"

// try logs in, and returns what the client is told; "" is success.
func (c *client) try(m sasl.Mechanism) (failure string) {
	session, token, err := m.Authenticate(c.t.Context(), "")
	if err != nil {
		return err.Error()
	}
	if _, err := c.answer(handshake(1, m.Name())); err != nil {
		return noAnswer
	}
	for done := false; !done; {
		req := kmsg.NewPtrSASLAuthenticateRequest()
		req.Version, req.SASLAuthBytes = 1, token
		resp, err := c.answer(req)
		if err != nil {
			return noAnswer
		}
		if resp := resp.(*kmsg.SASLAuthenticateResponse); resp.ErrorCode != 0 {
			return *resp.ErrorMessage
		}
		if done, token, err = session.Challenge(resp.(*kmsg.SASLAuthenticateResponse).SASLAuthBytes); err != nil {
			return err.Error()
		}
	}
	return ""
}

// answer is do for a goroutine that is not the test's, and a version without
// tags.
func (c *client) answer(req kmsg.Request) (kmsg.Response, error) {
	if _, err := c.Write(kmsg.NewRequestFormatter().AppendRequest(nil, req, 1)); err != nil {
		return nil, err
	}
	frame, err := c.frame()
	if err != nil {
		return nil, err
	}
	resp := req.ResponseKind()
	resp.SetVersion(req.GetVersion())
	return resp, resp.ReadFrom(frame[4:])
}

// Who guesses passwords, one after the other or on many connections, by any
// mechanism, has ten looked at as fast as they come and then one in two
// seconds. Others are not held up: the rightful user
// elsewhere, and who has logged in from the same address before.
func TestGuessingIsSlowed(t *testing.T) {
	const window = 7 * time.Second
	const most = 10 + int32(window/(2*time.Second))
	c := newCluster(t)
	var guessers []*guesser
	for name := range mechanisms {
		for _, conns := range []int{1, 20} {
			guessers = append(guessers, &guesser{mechanism: name, address: fmt.Sprintf("127.0.5.%d", 1+len(guessers)), conns: conns})
		}
	}
	login := func(address, user string) (failure string) {
		cl := c.dialFrom(address)
		defer cl.Close()
		cl.SetDeadline(time.Now().Add(window))
		return cl.try(mechanisms["SCRAM-SHA-256"](user, password))
	}
	var all sync.WaitGroup
	for _, g := range guessers {
		if failure := login(g.address, otherUser); failure != "" {
			t.Fatalf("before the guesses: %s", failure)
		}
		all.Go(func() { g.run(c, user, window) })
	}
	time.Sleep(window / 2) // into the slow part
	for _, g := range guessers {
		if failure := login(g.address, otherUser); failure != "" {
			t.Errorf("who is known at %s: %s", g.address, failure)
		}
	}
	if failure := login("127.0.6.1", user); failure != "" {
		t.Errorf("the rightful user elsewhere: %s", failure)
	}
	all.Wait()
	for _, g := range guessers {
		n := g.looked.Load()
		t.Logf("%-13s on %2d connections: 10 in %v, then %.2f/s", g.mechanism, g.conns, g.tenth, float64(n-10)/(window-g.tenth).Seconds())
		if n == 0 || n > most {
			t.Errorf("%s on %d connections: %d passwords were looked at in %v; want at most %d", g.mechanism, g.conns, n, window, most)
		}
	}
}

// The answer to a wrong password comes as soon as that to an unknown username,
// even without the delay that covers small differences.
func TestTimeDoesNotTellNames(t *testing.T) {
	c := newCluster(t, func(o *broker.Options) { o.DenyDelay = time.Nanosecond })
	c.login(user) // so that its right password needs no rounds any more
	names := []string{user, "app-nobody", otherUser, "nobody-cache"}
	address := 0
	for name, mechanism := range mechanisms {
		took := make([][]time.Duration, len(names))
		for range 25 {
			for i, user := range names {
				address++ // one that owes nothing
				cl := c.dialFrom(fmt.Sprintf("127.1.%d.%d", address/200, 1+address%200))
				start := time.Now()
				failure := cl.try(mechanism(user, "Wrong-Word"))
				took[i] = append(took[i], time.Since(start))
				cl.Close()
				if failure != denied {
					t.Fatalf("%s, %s: %q", name, user, failure)
				}
			}
		}
		var least []time.Duration // which a busy machine disturbs least
		for _, t := range took {
			least = append(least, slices.Min(t))
		}
		t.Logf("%s: %v for %v", name, least, names)
		if slices.Max(least) > 3*slices.Min(least) {
			t.Errorf("%s: refused after %v; of %v", name, least, names)
		}
	}
}
