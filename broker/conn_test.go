package broker_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/broker"
)

// sendFrame writes bytes with their length before them.
func (c *client) sendFrame(b []byte) {
	c.t.Helper()
	_, err := c.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))
	must(c.t, err)
}

func TestApiVersions(t *testing.T) {
	c := newCluster(t)
	for name, cl := range map[string]*client{"before login": c.dial(), "after login": c.login(user)} {
		for v := range int16(6) {
			req := kmsg.NewPtrApiVersionsRequest()
			req.Version = v
			req.ClientSoftwareName, req.ClientSoftwareVersion = "raw", "1"
			resp := ask[*kmsg.ApiVersionsResponse](cl, req)
			if resp.ErrorCode != 0 || len(resp.ApiKeys) < 17 {
				t.Errorf("%s, version %d: error %d, %d keys", name, v, resp.ErrorCode, len(resp.ApiKeys))
			}
		}
	}
}

func TestApiVersionsWithBadNames(t *testing.T) {
	cl := newCluster(t).dial()
	for name, want := range map[string]int16{
		"librdkafka": 0, "a": 0, "apache-kafka-java": 0, "v1.2-RC.3": 0,
		"": 42, "-a": 42, "a.": 42, "a b": 42, "Zoë": 42, "a_b": 42,
	} {
		for _, v := range []int16{2, 3, 4, 5} {
			req := kmsg.NewPtrApiVersionsRequest()
			req.Version, req.ClientSoftwareName, req.ClientSoftwareVersion = v, name, "1"
			if v == 4 {
				req.ClientSoftwareName, req.ClientSoftwareVersion = "test", name
			}
			got := ask[*kmsg.ApiVersionsResponse](cl, req)
			if v < 3 && got.ErrorCode != 0 || v >= 3 && got.ErrorCode != want || (got.ErrorCode == 0) != (len(got.ApiKeys) > 0) {
				t.Errorf("version %d, name %q: error %d, %d keys", v, name, got.ErrorCode, len(got.ApiKeys))
			}
		}
	}
}

func TestApiVersionsOfTheWrongBroker(t *testing.T) {
	c := newCluster(t)
	cl := c.dial()
	right, wrong := kmsg.StringPtr(c.store.ClusterID()), kmsg.StringPtr("another")
	for _, test := range []struct {
		cluster *string
		node    int32
		want    int16
	}{
		{nil, -1, 0}, {right, 0, 0},
		{wrong, 0, kerr.RebootstrapRequired.Code}, {right, 1, kerr.RebootstrapRequired.Code},
		{nil, 0, kerr.InvalidRequest.Code}, {right, -1, kerr.InvalidRequest.Code},
	} {
		req := kmsg.NewPtrApiVersionsRequest()
		req.Version, req.ClusterID, req.NodeID = 5, test.cluster, test.node
		req.ClientSoftwareName, req.ClientSoftwareVersion = "test", "1.0"
		if got := ask[*kmsg.ApiVersionsResponse](cl, req).ErrorCode; got != test.want {
			t.Errorf("cluster %v node %d: error %d, want %d", test.cluster, test.node, got, test.want)
		}
	}
}

// A version above the maximum is answered in version 0, with error 35 and the
// one key that matters; then the connection goes on.
func TestApiVersionsAboveTheMaximum(t *testing.T) {
	c := newCluster(t)
	cl := c.dial()
	_, high := cl.served(int16(kmsg.ApiVersions))
	for _, v := range []int16{high + 1, 99, -1} {
		cl.correlation++
		frame := binary.BigEndian.AppendUint16(nil, uint16(kmsg.ApiVersions))
		frame = binary.BigEndian.AppendUint16(frame, uint16(v))
		frame = binary.BigEndian.AppendUint32(frame, uint32(cl.correlation))
		frame = append(frame, 0, 1, 'x')
		frame = append(frame, "whatever a later version has"...)
		cl.sendFrame(frame)
		resp := cl.receive(kmsg.NewPtrApiVersionsRequest()).(*kmsg.ApiVersionsResponse)
		if k := resp.ApiKeys; resp.ErrorCode != kerr.UnsupportedVersion.Code || len(k) != 1 || k[0].ApiKey != int16(kmsg.ApiVersions) || k[0].MaxVersion != high {
			t.Errorf("version %d: %+v", v, resp)
		}
	}
	cl.served(0)
}

func TestBadFrames(t *testing.T) {
	c := newCluster(t, func(o *broker.Options) { o.MaxRequestBytes = 40 << 10 })
	heartbeat := kmsg.NewPtrHeartbeatRequest()
	heartbeat.Version = 99
	for _, test := range []struct {
		name  string
		bytes []byte
		login bool
		log   string
	}{
		{"TLS", []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), false, "bytes; the limit is 8192"},
		{"HTTP", []byte("GET / HTTP/1.1\r\n\r\n"), false, "bytes; the limit is 8192"},
		{"large before login", []byte("\x00\x00\x20\x01"), false, "8193 bytes; the limit is 8192"},
		{"large after login", []byte("\x00\x00\xa0\x01"), true, "40961 bytes; the limit is 40960"},
		{"negative", []byte("\xff\xff\xff\xff"), true, "bytes; the limit is 40960"},
		{"empty", []byte("\x00\x00\x00\x00"), true, "0 bytes hold no header"},
		{"short", []byte("\x00\x00\x00\x02\x00\x03"), true, "2 bytes hold no header"},
		{"client ID cut off", []byte("\x00\x00\x00\x0b\x00\x03\x00\x00\x00\x00\x00\x00\x7f\xffx"), true, "it is cut off"},
		{"unknown key", []byte("\x00\x00\x00\x0a\x7f\xff\x00\x00\x00\x00\x00\x00\xff\xff"), true, "API key 32767"},
		{"unknown version", kmsg.NewRequestFormatter().AppendRequest(nil, heartbeat, 1), true, "Heartbeat version 99; versions 0 to 4 are served"},
		{"4 billion tags", []byte("\x00\x00\x00\x17\x00\x0c\x00\x04\x00\x00\x00\x00\xff\xff\x00\x01\x00\x00\x00\x00\x01\x00\xff\xff\xff\xff\x0f"), true, "bad varint"},
		{"2 billion topics", []byte("\x00\x00\x00\x0e\x00\x03\x00\x00\x00\x00\x00\x00\xff\xff\x7f\xff\xff\xff"), true, "it has more than 10000 elements"},
		{"20,000 topics", append([]byte("\x00\x00\x9c\x4e\x00\x03\x00\x00\x00\x00\x00\x00\xff\xff\x00\x00\x4e\x20"), make([]byte, 40_000)...), true, "it has more than 10000 elements"},
	} {
		t.Run(test.name, func(t *testing.T) {
			cl := c.dial()
			cl.t = t
			if test.login {
				cl.authenticate(user, password)
			}
			_, err := cl.Write(test.bytes)
			must(t, err)
			cl.wantClosed()
			// The log line is written before the connection is closed.
			if !strings.Contains(c.logs.String(), test.log) {
				t.Errorf("the log has no %q:\n%s", test.log, c.logs)
			}
		})
	}
}

// librdkafka keeps four bytes for the count of topics, and for all topics
// leaves three of them in the request; Kafka does not mind.
func TestBytesBehindARequestAreIgnored(t *testing.T) {
	c := newCluster(t)
	cl := c.login(user)
	cl.correlation++
	frame := []byte("\x00\x03\x00\x0d\x00\x00\x00\x00\x00\x01x\x00" + // Metadata 13
		"\x00\x00\x00\x00" + "\x01\x00\x00") // the count, no auto creation, no operations, no tags
	binary.BigEndian.PutUint32(frame[4:], uint32(cl.correlation))
	cl.sendFrame(frame)
	req := kmsg.NewPtrMetadataRequest()
	req.Version = 13
	resp := cl.receive(req).(*kmsg.MetadataResponse)
	if len(resp.Topics) != 1 || resp.Topics[0].ErrorCode != 0 {
		t.Errorf("all topics: %+v", resp)
	}
}

// A large request is served, and its bytes arrive in as many pieces as TCP
// likes.
func TestLargeRequest(t *testing.T) {
	c := newCluster(t)
	cl := c.login(user)
	req := kmsg.NewPtrMetadataRequest()
	req.Version = 12
	for i := range 5000 {
		rt := kmsg.NewMetadataRequestTopic()
		rt.Topic = kmsg.StringPtr(fmt.Sprint(i, strings.Repeat("n", 100)))
		req.Topics = append(req.Topics, rt)
	}
	if resp := ask[*kmsg.MetadataResponse](cl, req); len(resp.Topics) != 5000 {
		t.Errorf("%d topics", len(resp.Topics))
	}
}

// Requests that are sent without waiting are answered in their order, also
// when an early one takes longer than a later one.
func TestPipelining(t *testing.T) {
	c := newCluster(t)
	cl := c.login(user)
	fetch := c.fetchRequest(12, 0)
	fetch.MinBytes, fetch.MaxWaitMillis = 1, 200
	metadata := kmsg.NewPtrMetadataRequest()
	find := kmsg.NewPtrFindCoordinatorRequest()
	find.CoordinatorKey = groupID
	requests := []kmsg.Request{metadata, fetch, find, joinRequest(0, groupID), listRequest(3, topic, 0, -1), fetch, metadata}
	var bytes []byte
	format := kmsg.NewRequestFormatter()
	for i, req := range requests {
		bytes = append(bytes, format.AppendRequest(nil, req, int32(i+100))...)
	}
	_, err := cl.Write(bytes)
	must(t, err)
	for i, req := range requests {
		cl.correlation = int32(i + 100)
		cl.receive(req) // checks the correlation ID, and that it parses as the answer to req
	}
}

func TestConnectionsOfOneAddress(t *testing.T) {
	c := newCluster(t, func(o *broker.Options) { o.MaxPerAddress = 2 })
	c.login(user)
	second := c.dial()
	second.served(0)
	c.dial().wantClosed()
	if want := "there are 2 connections from this address already"; !strings.Contains(c.logs.String(), want) {
		t.Errorf("the log has no %q:\n%s", want, c.logs)
	}
	c.dialFrom("127.0.0.2").served(0)
}

func TestConnectionLimits(t *testing.T) {
	c := newCluster(t, func(o *broker.Options) { o.MaxConnections, o.MaxPerPrincipal = 3, 2 })
	first, second := c.login(user), c.login(user)
	third := c.dial()
	if code := third.authenticate(user, password); code != kerr.SaslAuthenticationFailed.Code {
		t.Errorf("the third connection of an account: error %d, want %d", code, kerr.SaslAuthenticationFailed.Code)
	}
	third.wantClosed()
	fourth := c.login(otherUser)
	c.dial().wantClosed()
	first.served(0)
	fourth.served(0)
	// A connection that ends makes room.
	second.Close()
	c.waitForRoom()
}

// waitForRoom connects until it is answered.
func (c *cluster) waitForRoom() {
	c.t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		nc, err := net.Dial("tcp", c.addr())
		must(c.t, err)
		nc.Write(kmsg.NewRequestFormatter().AppendRequest(nil, kmsg.NewPtrApiVersionsRequest(), 1))
		_, err = (&client{Conn: nc, t: c.t}).frame()
		nc.Close()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			c.t.Fatal("there is no room after a connection ended")
		}
	}
}

// Who connects and does not log in cannot keep others out, and cannot take the
// place of those who have.
func TestStrangersMakeRoom(t *testing.T) {
	c := newCluster(t, func(o *broker.Options) { o.MaxConnections = 10 })
	first := c.login(user)
	guessing := c.dial()
	ask[*kmsg.SASLHandshakeResponse](guessing, handshake(1, "SCRAM-SHA-256"))
	var strangers []*client
	for range 30 {
		strangers = append(strangers, c.dial())
	}
	second := c.login(otherUser)
	guessing.wantClosed()
	for _, cl := range strangers[:20] {
		cl.wantClosed()
	}
	first.served(0)
	second.served(0)
	strangers[29].served(0)
	waitLog(t, c, "there are too many connections, and this one has not logged in")
}

func TestSilentConnections(t *testing.T) {
	c := newCluster(t, func(o *broker.Options) { o.IdleTimeout, o.LoginTimeout = 100*time.Millisecond, 50*time.Millisecond })
	c.dial().wantClosed()
	c.login(user).wantClosed()
	if !strings.Contains(c.logs.String(), "silent for too long") {
		t.Errorf("the log does not tell:\n%s", c.logs)
	}
}

// A client that sends its request drop by drop has no more time than another.
func TestTricklingConnection(t *testing.T) {
	c := newCluster(t, func(o *broker.Options) { o.IdleTimeout = 200 * time.Millisecond })
	cl := c.login(user)
	request := kmsg.NewRequestFormatter(kmsg.FormatterClientID(strings.Repeat("x", 8000))).AppendRequest(nil, kmsg.NewPtrMetadataRequest(), 1)
	stop := make(chan struct{})
	sent := make(chan int)
	go func() {
		n := 0
		defer func() { sent <- n }()
		for ; n < len(request); n++ {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
			}
			if _, err := cl.Write(request[n : n+1]); err != nil {
				return
			}
		}
	}()
	cl.wantClosed()
	close(stop)
	if n := <-sent; n == len(request) {
		t.Error("the whole request was taken")
	}
}

// A client that begins a large request, of which only some are read at once,
// and does not go on with it is cut off.
func TestUnfinishedLargeRequest(t *testing.T) {
	c := newCluster(t, func(o *broker.Options) { o.TransferTimeout = 50 * time.Millisecond })
	cl := c.login(user)
	_, err := cl.Write([]byte("\x00\x00\x80\x00\x00\x03"))
	must(t, err)
	cl.wantClosed()
}

// A client that asks and does not read is cut off.
func TestStuckConnection(t *testing.T) {
	c := newCluster(t, func(o *broker.Options) { o.TransferTimeout = 50 * time.Millisecond })
	c.produceBytes(32 << 20) // more than the buffers of both sockets
	c.login(user).send(c.fetchRequest(12, 0))
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(c.logs.String(), "did not take its response for 50ms"); {
		if time.Now().After(deadline) {
			t.Fatalf("the log does not tell:\n%s", c.logs)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestOpenFails(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer taken.Close()
	for _, test := range []struct {
		name     string
		listener broker.Listener
		message  string
	}{
		{"port in use", broker.Listener{Name: "b", Address: taken.Addr().String()}, `listener "b": ` + taken.Addr().String() + ": address already in use: stop the process"},
		{"wildcard without advertised", broker.Listener{Name: "b", Address: "0.0.0.0:0"}, `"0.0.0.0:0": clients cannot connect to it: set an advertised`},
		{"advertised without port", broker.Listener{Name: "b", Address: "127.0.0.1:0", Advertised: "host"}, "missing port"},
		{"advertised with a bad port", broker.Listener{Name: "b", Address: "127.0.0.1:0", Advertised: "host:66000"}, "the port is no number from 0 to 65535"},
		{"bad address", broker.Listener{Name: "b", Address: "127.0.0.1"}, "missing port"},
	} {
		t.Run(test.name, func(t *testing.T) {
			free, err := net.Listen("tcp", "127.0.0.1:0")
			must(t, err)
			first := free.Addr().String()
			free.Close()
			s := broker.New(broker.Options{Listeners: []broker.Listener{{Name: "a", Address: first}, test.listener}})
			err = s.Open(context.Background())
			if err == nil || !strings.Contains(err.Error(), test.message) {
				t.Errorf("Open: %v, want an error with %q", err, test.message)
			}
			if test.name == "port in use" && !errors.Is(err, broker.ErrPortInUse) {
				t.Errorf("Open: %v is not ErrPortInUse", err)
			}
			must(t, s.Close())
			again, err := net.Listen("tcp", first)
			if err != nil {
				t.Fatalf("the other listener is still open: %v", err)
			}
			again.Close()
		})
	}
}

// Clients are told the advertised address of the listener that they came by.
func TestAdvertised(t *testing.T) {
	c := newCluster(t, func(o *broker.Options) {
		o.Listeners = []broker.Listener{
			{Name: "local", Address: "127.0.0.1:0"},
			{Name: "outside", Address: "127.0.0.1:0", Advertised: "db.example.com:9093"},
		}
	})
	nc, err := net.Dial("tcp", c.server.Addrs()[1].String())
	must(t, err)
	defer nc.Close()
	cl := &client{Conn: nc, t: t}
	cl.authenticate(user, password)
	for i, want := range []string{"127.0.0.1", "db.example.com"} {
		cl := []*client{c.login(user), cl}[i]
		metadata := ask[*kmsg.MetadataResponse](cl, kmsg.NewPtrMetadataRequest())
		find := kmsg.NewPtrFindCoordinatorRequest()
		find.CoordinatorKey = groupID
		coordinator := ask[*kmsg.FindCoordinatorResponse](cl, find)
		if metadata.Brokers[0].Host != want || coordinator.Host != want {
			t.Errorf("told %q and %q, want %q", metadata.Brokers[0].Host, coordinator.Host, want)
		}
	}
}

// Close ends connections in every state, soon, and leaves no goroutine.
func TestClose(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("with waiting clients", func(t *testing.T) {
		c := newCluster(t)
		c.produce(1)
		var waiting []*client
		for range 100 {
			cl := c.login(user)
			req := c.fetchRequest(12, 1)
			req.MaxWaitMillis = 30_000
			cl.send(req)
			waiting = append(waiting, cl)
		}
		joining := c.login(otherUser)
		joining.send(joinRequest(5, "ledger"))
		c.dial() // says nothing
		c.login("app-waiting")
		half := c.dial() // is in the middle of a request
		_, err := half.Write([]byte{0, 0, 1, 0, 0})
		must(t, err)
		time.Sleep(50 * time.Millisecond)
		start := time.Now()
		must(t, c.server.Close())
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("Close took %v", d)
		}
		for _, cl := range waiting {
			for {
				if _, err := cl.frame(); err != nil {
					break
				}
			}
		}
		if _, err := net.Dial("tcp", c.addr()); err == nil {
			t.Error("the listener is still open")
		}
	})
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; {
		if time.Now().After(deadline) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// A client that does not take its response cannot hold up Close.
func TestCloseWithAStuckClient(t *testing.T) {
	c := newCluster(t)
	c.produceBytes(32 << 20) // more than the buffers of both sockets
	cl := c.login(user)
	cl.send(c.fetchRequest(12, 0))
	_, err := cl.Read(make([]byte, 4)) // the server is writing
	must(t, err)
	start := time.Now()
	must(t, c.server.Close())
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("Close took %v", d)
	}
}

// Who swaps user and password does not get the password into the log.
func TestPasswordInPlaceOfTheUser(t *testing.T) {
	c := newCluster(t, func(o *broker.Options) { o.DenyDelay = time.Nanosecond })
	cl := c.dial()
	cl.authenticate("swapped word", user)
	cl.wantClosed()
	must(t, c.server.Close())
	if logs := c.logs.String(); !strings.Contains(logs, "authentication failed") || strings.Contains(logs, "swapped") {
		t.Errorf("the log is\n%s", logs)
	}
}

// A flood of connections that are refused, and of logins that fail, does not
// fill the log: some lines, none of them long, and a count.
func TestFloodsInTheLog(t *testing.T) {
	c := newCluster(t, func(o *broker.Options) { o.RefusalLines, o.MaxPerAddress, o.DenyDelay = 3, 1, time.Nanosecond })
	guess := func(from string) {
		cl := c.dialFrom(from)
		cl.authenticate("app-"+strings.Repeat("x", 4000), "a guess")
		cl.wantClosed()
	}
	for range 8 {
		guess("127.0.0.2")
	}
	c.dial().served(0) // takes this address's only place
	for range 100 {
		c.dial().wantClosed()
	}
	must(t, c.server.Close())
	logs := c.logs.String()
	for text, want := range map[string]int{
		"authentication failed": 3, "connection refused": 3,
		"address=127.0.0.2 count=5": 1, "address=127.0.0.1 count=97": 1,
	} {
		if n := strings.Count(logs, text); n != want {
			t.Errorf("%q is there %d times, want %d:\n%s", text, n, want, logs)
		}
	}
	for line := range strings.Lines(logs) {
		if len(line) > 1000 {
			t.Errorf("a line of %d bytes: %s", len(line), line)
		}
	}
}
