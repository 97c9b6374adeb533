package broker_test

import (
	"encoding/binary"
	"io"
	"math"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// alive fails unless the server still serves a new client.
func (c *cluster) alive(t *testing.T) {
	t.Helper()
	nc, err := net.Dial("tcp", c.addr())
	must(t, err)
	defer nc.Close()
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	cl := &client{Conn: nc, t: t}
	cl.served(0)
}

// exchange sends bytes, ends the sending side, and returns what comes back
// until the server has ended its own. A request that may wait is given up soon.
func exchange(t *testing.T, nc net.Conn, b []byte, mayWait bool) []byte {
	t.Helper()
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	if mayWait {
		nc.SetDeadline(time.Now().Add(100 * time.Millisecond))
	}
	nc.Write(b) // the server may have closed it before the end
	nc.(*net.TCPConn).CloseWrite()
	answer, err := io.ReadAll(io.LimitReader(nc, 64<<20))
	if ne, ok := err.(net.Error); ok && ne.Timeout() {
		if !mayWait {
			t.Fatalf("neither answered nor closed: %x", b)
		}
		return nil
	}
	return answer
}

// FuzzStranger: whatever a client sends before it has logged in, it gets
// well-formed frames and no records, and the server goes on.
func FuzzStranger(f *testing.F) {
	c := newCluster(f)
	c.produce(3)
	format := kmsg.NewRequestFormatter()
	api := format.AppendRequest(nil, kmsg.NewPtrApiVersionsRequest(), 1)
	raw := format.AppendRequest(nil, handshake(0, "PLAIN"), 2)
	f.Add(api)
	f.Add(append(api, raw...))
	for _, test := range tokens[1:] {
		frame := binary.BigEndian.AppendUint32(nil, uint32(len(test.token)))
		f.Add(append(append(raw[:len(raw):len(raw)], frame...), test.token...))
	}
	f.Add([]byte("\x16\x03\x01\x02\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		nc, err := net.Dial("tcp", c.addr())
		must(t, err)
		defer nc.Close()
		answer := exchange(t, nc, b, false)
		for len(answer) > 0 {
			if len(answer) < 4 || int(binary.BigEndian.Uint32(answer)) > len(answer)-4 {
				t.Fatalf("a broken frame: %x", answer)
			}
			answer = answer[4+binary.BigEndian.Uint32(answer):]
		}
		c.alive(t)
	})
}

// FuzzHandlers sends one request of any API and version after login, with any
// body: the answer parses in that version, or the connection ends.
func FuzzHandlers(f *testing.F) {
	c := newCluster(f)
	c.produce(3, 3)
	probe := c.dial()
	for _, k := range ask[*kmsg.ApiVersionsResponse](probe, kmsg.NewPtrApiVersionsRequest()).ApiKeys {
		for _, v := range []int16{k.MinVersion, k.MaxVersion} {
			req := kmsg.RequestForKey(k.ApiKey)
			req.SetVersion(v)
			f.Add(k.ApiKey, v, req.AppendTo(nil))
		}
	}
	f.Add(int16(kmsg.Fetch), int16(12), c.fetchRequest(12, 2).AppendTo(nil))
	f.Add(int16(kmsg.Fetch), int16(2), c.fetchRequest(2, 2).AppendTo(nil))
	f.Add(int16(kmsg.JoinGroup), int16(0), joinRequest(0, groupID).AppendTo(nil))
	f.Add(int16(kmsg.OffsetCommit), int16(9), commitRequest(9, commitTopic(topic, noID, 0, 1)).AppendTo(nil))
	f.Add(int16(kmsg.ListOffsets), int16(0), listRequest(0, topic, 0, math.MinInt64).AppendTo(nil))
	f.Fuzz(func(t *testing.T, key, version int16, body []byte) {
		mayWait := false
		switch kmsg.Key(key) {
		case kmsg.JoinGroup, kmsg.SyncGroup, kmsg.Fetch:
			mayWait = true
		}
		nc, err := net.Dial("tcp", c.addr())
		must(t, err)
		defer nc.Close()
		cl := &client{Conn: nc, t: t}
		cl.authenticate(user, password)
		req := kmsg.RequestForKey(key)
		frame := binary.BigEndian.AppendUint16(nil, uint16(key))
		frame = binary.BigEndian.AppendUint16(frame, uint16(version))
		frame = append(frame, 0, 0, 0, 9, 0xff, 0xff)
		if req != nil {
			req.SetVersion(version)
			if req.IsFlexible() {
				frame = append(frame, 0)
			}
		}
		frame = append(frame, body...)
		answer := exchange(t, nc, append(binary.BigEndian.AppendUint32(nil, uint32(len(frame))), frame...), mayWait)
		if len(answer) == 0 {
			return
		}
		if size := binary.BigEndian.Uint32(answer); int(size) != len(answer)-4 || binary.BigEndian.Uint32(answer[4:]) != 9 {
			t.Fatalf("a broken frame: %x", answer)
		}
		resp := req.ResponseKind()
		resp.SetVersion(version)
		answer = answer[8:]
		if kmsg.Key(key) == kmsg.ApiVersions && answer[1] == 35 {
			resp.SetVersion(0)
		}
		if resp.IsFlexible() && kmsg.Key(key) != kmsg.ApiVersions {
			answer = answer[1:]
		}
		if err := resp.ReadFrom(answer); err != nil {
			t.Fatalf("%T version %d: %v in %x", resp, version, err, answer)
		}
	})
}
