package broker_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/auth"
	"daybook/broker"
	"daybook/group"
	"daybook/recordbatch"
	"daybook/store"
)

const (
	topic      = "shop"
	otherTopic = "bank"
	groupID    = "cache"
	user       = "app-cache"
	otherUser  = "app-ledger"
	password   = "s3cret-word"
	readers    = 8 // more groups of topic
)

// reader is the user of one of the other groups of topic.
func reader(i int) string { return fmt.Sprint("app-reader", i) }

// cluster is a server with all that it needs, on a store in memory, with one
// account for each of two topics, and more groups of the first.
type cluster struct {
	t      testing.TB
	store  *store.Store
	part   *store.Partition // of topic
	server *broker.Server
	logs   *syncBuffer
}

// newCluster starts a server on a free port of the loopback interface. Change
// may alter its options.
func newCluster(t testing.TB, change ...func(*broker.Options)) *cluster {
	t.Helper()
	c := &cluster{t: t, logs: &syncBuffer{}}
	log := slog.New(slog.NewTextHandler(c.logs, nil))
	c.store = store.New(store.Options{Dir: "data", FS: vfs.NewMem(), Logger: log})
	ctx := context.Background()
	must(t, c.store.Open(ctx))
	t.Cleanup(func() {
		must(t, c.store.Check(ctx))
		must(t, c.store.Close())
	})
	for _, name := range []string{topic, otherTopic} {
		if _, err := c.store.EnsurePartition(name); err != nil {
			t.Fatal(err)
		}
	}
	c.part, _ = c.store.Partition(topic)
	groups := group.New(group.Options{Store: c.store, Logger: log})
	must(t, groups.Open(ctx))
	t.Cleanup(func() { must(t, groups.Close()) })
	accounts := auth.New(auth.Options{Store: c.store, Logger: log})
	must(t, accounts.Open(ctx))
	of := func(group, topic string) auth.Account {
		return auth.Account{Account: "app", Group: group, Topic: topic, Password: password}
	}
	file := []auth.Account{of(groupID, topic), of("ledger", otherTopic), of("waiting", "not-yet")}
	for i := range readers {
		file = append(file, of(fmt.Sprint("reader", i), topic))
	}
	must(t, accounts.SetFile(file))
	o := broker.Options{
		Listeners: []broker.Listener{{Name: "test", Address: "127.0.0.1:0"}},
		Store:     c.store, Groups: groups, Accounts: accounts, Logger: log,
		DenyDelay: time.Millisecond, Linger: time.Millisecond, RefusalLines: 1 << 20,
	}
	for _, f := range change {
		f(&o)
	}
	c.server = broker.New(o)
	must(t, c.server.Open(ctx))
	t.Cleanup(func() { must(t, c.server.Close()) })
	return c
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (c *cluster) addr() string { return c.server.Addrs()[0].String() }

// timeOf is the timestamp of the record at an offset, in milliseconds: two
// seconds apart, so that seconds and milliseconds can be told from each other.
func timeOf(offset int64) int64 { return 1_700_000_000_000 + 2000*offset }

func valueOf(offset int64) string { return fmt.Sprintf("value %d", offset) }

// produce appends batches with that many records each to the topic.
func (c *cluster) produce(batches ...int) {
	c.t.Helper()
	for _, n := range batches {
		var b recordbatch.Builder
		b.Reset()
		for i := range int64(n) {
			offset := c.part.HighWatermark() + i
			b.Append(timeOf(offset), fmt.Appendf(nil, "key %d", offset), []byte(valueOf(offset)))
		}
		if _, err := c.part.Append(b.Finish(), store.State{}); err != nil {
			c.t.Fatal(err)
		}
	}
}

// produceBytes appends one record of that size.
func (c *cluster) produceBytes(n int) {
	c.t.Helper()
	var b recordbatch.Builder
	b.Reset()
	b.Append(0, nil, make([]byte, n))
	if _, err := c.part.Append(b.Finish(), store.State{}); err != nil {
		c.t.Fatal(err)
	}
}

// client is a raw connection.
type client struct {
	net.Conn
	t           testing.TB
	correlation int32
}

func (c *cluster) dial() *client { return c.dialFrom("127.0.0.1") }

// dialFrom connects from an address of the loopback network.
func (c *cluster) dialFrom(address string) *client {
	c.t.Helper()
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	nc, err := from.Dial("tcp", c.addr())
	must(c.t, err)
	c.t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	return &client{Conn: nc, t: c.t}
}

// login returns an authenticated connection.
func (c *cluster) login(user string) *client {
	c.t.Helper()
	cl := c.dial()
	if code := cl.authenticate(user, password); code != 0 {
		c.t.Fatalf("authentication of %s: error %d", user, code)
	}
	return cl
}

func (c *client) authenticate(user, password string) int16 {
	c.t.Helper()
	handshake := kmsg.NewPtrSASLHandshakeRequest()
	handshake.Version, handshake.Mechanism = 1, "PLAIN"
	if resp := do(c, handshake).(*kmsg.SASLHandshakeResponse); resp.ErrorCode != 0 {
		return resp.ErrorCode
	}
	auth := kmsg.NewPtrSASLAuthenticateRequest()
	auth.Version, auth.SASLAuthBytes = 2, []byte("\x00"+user+"\x00"+password)
	return do(c, auth).(*kmsg.SASLAuthenticateResponse).ErrorCode
}

// send writes a request.
func (c *client) send(req kmsg.Request) {
	c.t.Helper()
	c.correlation++
	f := kmsg.NewRequestFormatter(kmsg.FormatterClientID("raw"))
	_, err := c.Write(f.AppendRequest(nil, req, c.correlation))
	must(c.t, err)
}

// receive reads the answer to req, in whose version it must parse.
func (c *client) receive(req kmsg.Request) kmsg.Response {
	c.t.Helper()
	frame, err := c.frame()
	must(c.t, err)
	if got := int32(binary.BigEndian.Uint32(frame)); got != c.correlation {
		c.t.Fatalf("correlation ID %d, want %d", got, c.correlation)
	}
	body := frame[4:]
	resp := req.ResponseKind()
	resp.SetVersion(req.GetVersion())
	if resp.IsFlexible() && resp.Key() != int16(kmsg.ApiVersions) {
		if body[0] != 0 {
			c.t.Fatalf("header of %T has tags", resp)
		}
		body = body[1:]
	}
	if err := resp.ReadFrom(body); err != nil {
		c.t.Fatalf("%T version %d: %v in %x", resp, req.GetVersion(), err, body)
	}
	// What kmsg makes of it must be all of it.
	if again := resp.AppendTo(nil); !bytes.Equal(again, body) {
		c.t.Fatalf("%T version %d: the body is\n%x; parsed and written again it is\n%x", resp, req.GetVersion(), body, again)
	}
	return resp
}

func (c *client) frame() ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return nil, err
	}
	frame := make([]byte, binary.BigEndian.Uint32(size[:]))
	_, err := io.ReadFull(c, frame)
	return frame, err
}

// do sends a request and returns its answer.
func do(c *client, req kmsg.Request) kmsg.Response {
	c.t.Helper()
	c.send(req)
	return c.receive(req)
}

// ask is do with the type of the answer.
func ask[R kmsg.Response](c *client, req kmsg.Request) R {
	c.t.Helper()
	return do(c, req).(R)
}

// wantClosed fails unless the server ends the connection without an answer.
func (c *client) wantClosed() {
	c.t.Helper()
	if frame, err := c.frame(); err == nil {
		c.t.Fatalf("the connection is not closed: the answer is %x", frame)
	}
}

// versions runs f for each version of req's API that the server advertises.
func (c *cluster) versions(req kmsg.Request, f func(t *testing.T, cl *client, version int16)) {
	t := c.t.(*testing.T)
	t.Helper()
	cl := c.login(user)
	low, high := cl.served(req.Key())
	if high < 0 {
		t.Fatalf("%s is not served", kmsg.NameForKey(req.Key()))
	}
	for v := low; v <= high; v++ {
		t.Run(fmt.Sprintf("v%d", v), func(t *testing.T) {
			cl.t = t
			f(t, cl, v)
		})
	}
}

// served returns the versions of an API that the server advertises; -1, -1 if
// none.
func (c *client) served(key int16) (low, high int16) {
	for _, k := range ask[*kmsg.ApiVersionsResponse](c, kmsg.NewPtrApiVersionsRequest()).ApiKeys {
		if k.ApiKey == key {
			return k.MinVersion, k.MaxVersion
		}
	}
	return -1, -1
}
