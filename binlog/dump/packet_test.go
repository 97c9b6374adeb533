package dump

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"
)

// makeEvent builds an event as a server sends it.
func makeEvent(t EventType, flags uint16, body []byte, checksum bool) []byte {
	size := HeaderSize + len(body)
	if checksum {
		size += checksumSize
	}
	b := binary.LittleEndian.AppendUint32(nil, 1700000000)
	b = append(b, byte(t))
	b = binary.LittleEndian.AppendUint32(b, 1)
	b = binary.LittleEndian.AppendUint32(b, uint32(size))
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint16(b, flags)
	b = append(b, body...)
	if checksum {
		b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	}
	return b
}

// makeFormat builds the format description of a MySQL 8.0 server.
func makeFormat(checksum bool) []byte {
	body := make([]byte, 2+50+4+1, 200)
	body[0], body[56] = 4, HeaderSize
	copy(body[2:], "8.0.31")
	body = append(body, make([]byte, 41)...)
	body[57+int(EvTableMap)-1] = 8
	algorithm := byte(0)
	if checksum {
		algorithm = 1
	}
	// The algorithm is followed by a checksum in any case.
	return makeEvent(EvFormatDescription, 0, append(body, algorithm), true)
}

// packets wraps payloads into packets, splitting large ones.
func packets(payloads ...[]byte) []byte {
	var b []byte
	seq := byte(1)
	for _, p := range payloads {
		for {
			n := min(len(p), maxPayload)
			b = append(b, byte(n), byte(n>>8), byte(n>>16), seq)
			b = append(b, p[:n]...)
			p = p[n:]
			seq++
			if n < maxPayload {
				break
			}
		}
	}
	return b
}

func eventPayload(e []byte) []byte { return append([]byte{0}, e...) }

// piecemeal is a connection that gives its bytes in pieces of random sizes.
type piecemeal struct {
	net.Conn
	b      []byte
	random *rand.Rand
	most   int
}

func (p *piecemeal) SetReadDeadline(time.Time) error { return nil }

func (p *piecemeal) Read(b []byte) (int, error) {
	if len(p.b) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), 1+p.random.IntN(p.most))], p.b)
	p.b = p.b[n:]
	return n, nil
}

// frame runs the framer over the bytes and returns the events' bodies.
func frame(t *testing.T, stream []byte, random *rand.Rand, most int) (bodies [][]byte, err error) {
	t.Helper()
	pool := newPool(1<<20, func(bool) {})
	f := framer{conn: &piecemeal{b: stream, random: random, most: most}, pool: pool, seq: 1}
	f.push = func(_ context.Context, c chunk) error {
		defer c.release()
		for b := c.next(); b != nil; b = c.next() {
			e, err := ParseEvent(b, c.checksum)
			if err != nil {
				return err
			}
			bodies = append(bodies, bytes.Clone(e.Body))
		}
		return nil
	}
	err = f.run(t.Context())
	if !pool.budget.TryAcquire(pool.total) {
		t.Error("the framer kept buffers")
	}
	return bodies, err
}

func TestFramerJoinsPackets(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	noise := rand.NewChaCha8([32]byte{byte(seed)})
	for _, checksum := range []bool{true, false} {
		rotate := append(binary.LittleEndian.AppendUint64(nil, 4), "binlog.000001"...)
		payloads := [][]byte{
			eventPayload(makeEvent(EvRotate, FlagArtificial, rotate, true)),
			eventPayload(makeFormat(checksum)),
		}
		var want [][]byte
		for _, size := range []int{1, 10, 100, blockSize - 100, blockSize, 5, 3 * blockSize, maxPayload - HeaderSize - 1, maxPayload - HeaderSize, 1, 2*maxPayload + 77, 3} {
			body := make([]byte, size)
			_, _ = noise.Read(body)
			want = append(want, body)
			payloads = append(payloads, eventPayload(makeEvent(EvQuery, 0, body, checksum)))
		}
		if checksum { // an event that is a header alone has none
			want = append(want, nil)
			payloads = append(payloads, eventPayload(makeEvent(EvIgnorable, FlagIgnorable, nil, false)))
		}
		for range 3000 {
			body := make([]byte, random.IntN(2000))
			want = append(want, body)
			payloads = append(payloads, eventPayload(makeEvent(EvQuery, 0, body, checksum)))
		}
		got, err := frame(t, packets(payloads...), random, 200<<10)
		if !IsTransient(err) {
			t.Errorf("the end of the connection: %v", err)
		}
		if len(got) != len(want)+2 || !bytes.Equal(got[0], rotate) {
			t.Fatalf("%d events came in place of %d", len(got), len(want)+2)
		}
		for i := range want {
			if !bytes.Equal(got[i+2], want[i]) {
				t.Fatalf("event %d of %d bytes differs", i, len(want[i]))
			}
		}
	}
}

func TestFramerRefuses(t *testing.T) {
	format := eventPayload(makeFormat(true))
	good := eventPayload(makeEvent(EvQuery, 0, make([]byte, 50), true))
	flipped := bytes.Clone(good)
	flipped[30] ^= 4
	large := eventPayload(makeEvent(EvQuery, 0, make([]byte, 2*blockSize), true))
	flippedLarge := bytes.Clone(large)
	flippedLarge[blockSize] ^= 4
	wrongSize := bytes.Clone(large)
	wrongSize[1+9]++
	skipped := packets(format, good, good)
	skipped[len(skipped)-len(good)-1]++
	failure := func(code uint16, text string) []byte {
		return append(binary.LittleEndian.AppendUint16([]byte{0xff}, code), text...)
	}
	for name, c := range map[string]struct {
		stream []byte
		want   error // nil: transient
	}{
		"wrong checksum":         {packets(format, flipped), ErrChecksum},
		"no checksum":            {packets(format, eventPayload(makeEvent(EvQuery, 0, nil, false))), ErrChecksum},
		"wrong checksum, large":  {packets(format, flippedLarge), ErrChecksum},
		"wrong size, large":      {packets(format, wrongSize), ErrEvent},
		"short event":            {packets(format, []byte{0, 1, 2}), ErrEvent},
		"skipped packet":         {skipped, nil},
		"cut":                    {packets(format, good)[:len(format)+20], nil},
		"end of dump":            {packets(format, []byte{0xfe, 0, 0, 2, 0}), nil},
		"purged":                 {packets(failure(1236, "#HY000Could not find first log file name in binary log index file")), ErrPurged},
		"server ID in use":       {packets(failure(1236, "#HY000A slave with the same server_uuid/server_id as this slave has connected to the master")), ErrServerID},
		"no server ID":           {packets(failure(1236, "#HY000Misconfigured master - master server_id is 0")), errNoServerID},
		"shutdown":               {packets(failure(1053, "#08S01Server shutdown in progress")), nil},
		"no such event checksum": {packets(eventPayload(makeEvent(EvFormatDescription, 0, []byte{9, 9}, true))), ErrEvent},
	} {
		_, err := frame(t, c.stream, rand.New(rand.NewPCG(1, 1)), 1000)
		if c.want == nil && !IsTransient(err) || c.want != nil && (!errors.Is(err, c.want) || IsTransient(err)) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func FuzzFramer(f *testing.F) {
	f.Add(packets(eventPayload(makeFormat(true)), eventPayload(makeEvent(EvQuery, 0, []byte("x"), true))), 7)
	f.Fuzz(func(t *testing.T, stream []byte, most int) {
		bodies, err := frame(t, stream, rand.New(rand.NewPCG(1, 1)), 1+max(0, most%1000))
		total := 0
		for _, b := range bodies {
			total += len(b)
		}
		if err == nil || total > len(stream) {
			t.Errorf("%d bytes of events from %d, error %v", total, len(stream), err)
		}
	})
}

func FuzzEvents(f *testing.F) {
	f.Add(byte(EvGTID), make([]byte, 42))
	f.Add(byte(EvGTIDTagged), []byte{2, 4, 6, 0, 0, 2})
	f.Fuzz(func(t *testing.T, typ byte, body []byte) {
		switch EventType(typ) {
		case EvRotate:
			_, _, _ = ParseRotate(body)
		case EvGTID:
			_, _ = parseGTID(body)
		case EvGTIDTagged:
			if g, err := parseTaggedGTID(body); err == nil && g.GTID.GNO < 1 {
				t.Errorf("GTID %s", &g.GTID)
			}
		case EvMariaGTID:
			_, _ = parseMariaGTID(body, 1)
		case EvMariaGTIDList:
			_, _ = parseGTIDList(body)
		case EvFormatDescription:
			_, _ = ParseFormat(body)
		}
	})
}
