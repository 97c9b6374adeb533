package broker_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/broker"
)

// wire is a connection whose client has sent all that it will ever send, in
// pieces of at most step bytes.
type wire struct {
	in   []byte
	step int
	from net.IP
	out  bytes.Buffer
}

func (w *wire) Read(b []byte) (int, error) {
	n := copy(b[:min(len(b), w.step)], w.in)
	w.in = w.in[n:]
	if n == 0 {
		return 0, net.ErrClosed
	}
	return n, nil
}

func (w *wire) Write(b []byte) (int, error)      { return w.out.Write(b) }
func (w *wire) Close() error                     { return nil }
func (w *wire) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 9092} }
func (w *wire) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: w.from, Port: 1} }
func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// exchange serves a client that sends these bytes, and returns the bodies of
// the frames that it gets within the time.
func (c *cluster) exchange(sent []byte, step int, within time.Duration) (frames [][]byte) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	// Any address, since one that fails again and again is slowed.
	from := binary.BigEndian.AppendUint32(nil, rand.Uint32())
	w := &wire{in: sent, step: step, from: from}
	c.server.ServeConn(ctx, w)
	if logs := c.logs.take(); strings.Contains(logs, "panic") {
		c.t.Fatal(logs)
	}
	for answer := w.out.Bytes(); len(answer) > 0; {
		if len(answer) < 4 || int(binary.BigEndian.Uint32(answer)) > len(answer)-4 {
			c.t.Fatalf("a broken frame: %x", answer)
		}
		n := 4 + binary.BigEndian.Uint32(answer)
		frames = append(frames, answer[4:n])
		answer = answer[n:]
	}
	return frames
}

func request(req kmsg.Request, correlation int32) []byte {
	return kmsg.NewRequestFormatter().AppendRequest(nil, req, correlation)
}

// loginFrames are the requests of a login.
func loginFrames(user, password string) []byte {
	auth := kmsg.NewPtrSASLAuthenticateRequest()
	auth.SASLAuthBytes = []byte("\x00" + user + "\x00" + password)
	return append(request(handshake(1, "PLAIN"), 1), request(auth, 2)...)
}

// FuzzStranger: whatever a client sends before it has logged in, and in
// whatever pieces, it gets well-formed frames of ApiVersions and SASL, and at
// most 64 bytes are allocated for each that it sends.
func FuzzStranger(f *testing.F) {
	c := newCluster(f, func(o *broker.Options) { o.DenyDelay = time.Nanosecond })
	c.produce(3)
	api := request(kmsg.NewPtrApiVersionsRequest(), 1)
	raw := request(handshake(0, "PLAIN"), 2)
	f.Add(api, byte(1))
	f.Add(append(api, raw...), byte(255))
	for _, test := range tokens[1:] {
		frame := binary.BigEndian.AppendUint32(nil, uint32(len(test.token)))
		f.Add(append(append(raw[:len(raw):len(raw)], frame...), test.token...), byte(7))
	}
	f.Add([]byte("\x16\x03\x01\x02\x00"), byte(3))
	f.Add([]byte("\x00\x00\x1f\xff\x00\x12\x00\x00"), byte(0))
	f.Fuzz(func(t *testing.T, b []byte, step byte) {
		c := *c
		c.t = t
		if bytes.Contains(b, []byte(password)) {
			return // it is no stranger
		}
		// The buffers of a connection and a response of ApiVersions, which a
		// request of 14 bytes gets, are not small.
		broker.Allocates(t, 64*len(b)+1<<16, func() {
			for _, frame := range c.exchange(b, int(step)+1, time.Minute) {
				if len(frame) > 4096 {
					t.Fatalf("an answer of %d bytes", len(frame))
				}
			}
		})
	})
}

// FuzzSASL: a client is authenticated by the one right token, with or without
// the authorization identity, after the handshake that goes with it, and by
// nothing else. One that is not gets no answer to what it asks next.
func FuzzSASL(f *testing.F) {
	c := newCluster(f, func(o *broker.Options) { o.DenyDelay = time.Nanosecond })
	right := []string{"\x00" + user + "\x00" + password, user + "\x00" + user + "\x00" + password}
	for _, version := range []int16{0, 1} {
		for _, token := range right {
			f.Add(version, "PLAIN", []byte(token))
		}
		for _, test := range tokens {
			f.Add(version, "PLAIN", []byte(test.token))
		}
		f.Add(version, "SCRAM-SHA-256", []byte("n,,n=user,r=nonce"))
		f.Add(version, "plain", []byte(right[0]))
	}
	others := []string{"\x00" + otherUser + "\x00" + password, otherUser + "\x00" + otherUser + "\x00" + password,
		"\x00app-waiting\x00" + password, "app-waiting\x00app-waiting\x00" + password}
	f.Fuzz(func(t *testing.T, version int16, mechanism string, token []byte) {
		c := *c
		c.t = t
		version &= 1
		if len(mechanism) > math.MaxInt16 || len(token) > 4096 {
			return
		}
		sent := request(handshake(version, mechanism), 1)
		if version == 0 {
			sent = append(binary.BigEndian.AppendUint32(sent, uint32(len(token))), token...)
		} else {
			auth := kmsg.NewPtrSASLAuthenticateRequest()
			auth.Version, auth.SASLAuthBytes = 2, token
			sent = append(sent, request(auth, 2)...)
		}
		metadata := kmsg.NewPtrMetadataRequest()
		frames := c.exchange(append(sent, request(metadata, 77)...), 100, time.Minute)
		in := len(frames) > 0 && binary.BigEndian.Uint32(append(frames[len(frames)-1], 0, 0, 0, 0)) == 77
		want := false
		for _, r := range append(others, right...) {
			want = want || mechanism == "PLAIN" && string(token) == r
		}
		if in != want {
			t.Errorf("handshake version %d, %q, token %q: authenticated %v, want %v", version, mechanism, token, in, want)
		}
	})
}

// FuzzHandlers sends one request of any API and version after login, with any
// body: the answer parses in that version, or the connection ends; at most
// 1000 bytes are allocated for each byte of the request.
func FuzzHandlers(f *testing.F) {
	c := newCluster(f)
	c.produce(3, 3)
	probe := c.login(user) // the first one, which costs some time
	served := ask[*kmsg.ApiVersionsResponse](probe, kmsg.NewPtrApiVersionsRequest()).ApiKeys
	for _, k := range served {
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
	for _, w := range writes {
		req := w.req(c)
		req.SetVersion(1)
		f.Add(req.Key(), int16(1), req.AppendTo(nil))
	}
	find := kmsg.NewPtrFindCoordinatorRequest()
	find.Version, find.CoordinatorKeys = 6, make([]string, 9999) // the most answer for the fewest bytes
	f.Add(int16(kmsg.FindCoordinator), find.Version, find.AppendTo(nil))
	describe := kmsg.NewPtrDescribeGroupsRequest()
	describe.Version, describe.Groups = 6, make([]string, 9999)
	f.Add(int16(kmsg.DescribeGroups), describe.Version, describe.AppendTo(nil))
	f.Fuzz(func(t *testing.T, key, version int16, body []byte) {
		c := *c
		c.t = t
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
		sent := append(loginFrames(user, password), binary.BigEndian.AppendUint32(nil, uint32(len(frame)))...)
		sent = append(sent, frame...)
		var frames [][]byte
		// What waits, for members or records, is given up soon.
		broker.Allocates(t, 1000*len(sent)+1<<18, func() { frames = c.exchange(sent, 1<<16, 50*time.Millisecond) })
		switch {
		case len(frames) <= 2: // those of the login
			return
		case len(frames) != 3 || binary.BigEndian.Uint32(frames[2]) != 9:
			t.Fatalf("broken frames: %x", frames)
		}
		answer := frames[2][4:]
		resp := req.ResponseKind()
		resp.SetVersion(version)
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
