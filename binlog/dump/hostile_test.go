package dump_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"daybook/binlog/dump"
)

// short are times for servers that never answer.
var short = dump.Times{Login: 300 * time.Millisecond, Answer: 300 * time.Millisecond, Long: 20 * time.Second, Silence: 150 * time.Millisecond}

func (f *fake) dial(t *testing.T, times dump.Times) (*dump.Conn, error) {
	c, err := dump.Dial(t.Context(), dump.Source{Address: f.address, User: "u", Password: "p", Times: times})
	if err == nil {
		t.Cleanup(func() { _ = c.Close() })
	}
	return c, err
}

// bounded runs fn and fails if it allocates more than so many bytes, or takes
// seconds.
func bounded(t *testing.T, most uint64, fn func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	fn()
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > most {
		t.Errorf("%d MB were allocated", n>>20)
	}
}

// TestHostileGreeting logs in to servers that are none, or worse.
func TestHostileGreeting(t *testing.T) {
	say := func(b []byte) func(net.Conn) { return func(c net.Conn) { _, _ = c.Write(b) } }
	packet := func(b []byte) []byte { return append([]byte{byte(len(b)), byte(len(b) >> 8), 0, 0}, b...) }
	good := greetingOf(1)
	for name, greet := range map[string]func(net.Conn){
		"silence":                  say(nil),
		"an empty packet":          say([]byte{0, 0, 0, 0}),
		"16 MiB announced":         say([]byte{0xff, 0xff, 0xff, 0, 10}),
		"SSH":                      say([]byte("SSH-2.0-OpenSSH_9.2\r\n")),
		"HTTP":                     say([]byte("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")),
		"a byte":                   say(packet([]byte{10})),
		"a version without an end": say(packet([]byte("\x0a5.7.1"))),
		"cut in the salt":          say(packet(good[:20])),
		"cut before the plugin":    say(packet(good[:40])),
		"a salt of 255":            say(packet(append(append(bytes.Clone(good[:len("\n5.7.99-fake")+1+4+9+2+5]), 0xff), make([]byte, 10)...))),
		"an error of one byte":     say(packet([]byte{0xff, 1})),
		"a byte every 50 ms": func(c net.Conn) {
			b := packet(good)
			for i := 0; ; i = min(i+1, len(b)-2) {
				if _, err := c.Write(b[i : i+1]); err != nil {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
		},
		"authentication without an end": func(c net.Conn) {
			_, _ = c.Write(packet(good))
			for seq := byte(2); ; seq += 2 {
				if _, err := c.Write(append([]byte{22, 0, 0, seq, 0xfe}, "mysql_native_password"...)); err != nil {
					return
				}
			}
		},
		"a public key that is none": func(c net.Conn) {
			_, _ = c.Write(packet(good))
			_, _ = c.Write(append([]byte{22, 0, 0, 2, 0xfe}, "sha256_password\x00salts"...))
			_, _ = c.Write([]byte{4, 0, 0, 4, 1, 'x', 'y', 'z'})
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := (&fake{greet: greet}).serve(t)
			bounded(t, 8<<20, func() {
				_, err := f.dial(t, short)
				if err == nil || !strings.Contains(err.Error(), f.address) {
					t.Errorf("error %v", err)
				}
				if slow := name == "silence" || name == "a byte every 50 ms"; slow && !strings.Contains(err.Error(), "no answer within 300ms: wait for the greeting") {
					t.Errorf("error %v", err)
				}
			})
		})
	}
}

// TestHostileAnswer asks servers that answer what would fill the memory, or
// never ends.
func TestHostileAnswer(t *testing.T) {
	one := table([]string{"1"})
	for name, c := range map[string]struct {
		answer [][]byte
		then   func(*fakeConn)
		want   error // nil: transient
		most   uint64
	}{
		"2^60 columns":                       {answer: [][]byte{binary.LittleEndian.AppendUint64([]byte{0xfe}, 1<<60)}, want: dump.ErrAnswer},
		"a column of 16 MiB":                 {answer: one[:1], then: func(c *fakeConn) { _, _ = c.Write([]byte{0xff, 0xff, 0xff, c.seq, 1}) }, want: dump.ErrAnswer},
		"a row of 16 MiB that does not come": {answer: one[:3], then: func(c *fakeConn) { _, _ = c.Write([]byte{0xfe, 0xff, 0xff, c.seq, 1}) }},
		"a value longer than its row":        {answer: append(one[:3:3], []byte{200, 'x'}, eofPacket)},
		"a row of more columns":              {answer: append(one[:3:3], []byte{1, 'x', 1, 'y'}, eofPacket)},
		"an empty row":                       {answer: append(one[:3:3], []byte{}, eofPacket)},
		"a request for a file":               {answer: [][]byte{append([]byte{0xfb}, "/etc/passwd"...)}},
		"a packet out of order":              {answer: one[:3], then: func(c *fakeConn) { _, _ = c.Write([]byte{2, 0, 0, c.seq + 7, 1, 'x'}) }},
		"rows without an end, soon": {answer: one[:3], want: dump.ErrAnswer, most: 1 << 30, then: func(c *fakeConn) {
			row := append([]byte{0xfd, 0, 0, 0x10}, make([]byte, 1<<20)...)
			for range 200 {
				c.write(row)
			}
		}},
		"rows without an end, slowly": {answer: one[:3], then: func(c *fakeConn) {
			for {
				h := []byte{2, 0, 0, c.seq, 1, 'x'}
				c.seq++
				if _, err := c.Write(h); err != nil {
					return
				}
				time.Sleep(20 * time.Millisecond)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			f := (&fake{answer: func(conn *fakeConn, _ byte, _ string) [][]byte {
				for _, p := range c.answer {
					conn.write(p)
				}
				if c.then != nil {
					c.then(conn)
				}
				return nil
			}}).serve(t)
			times := short
			if c.most > 0 { // much of it is to come
				times.Answer = time.Minute
			}
			conn, err := f.dial(t, times)
			if err != nil {
				t.Fatal(err)
			}
			bounded(t, max(c.most, 8<<20), func() {
				_, err = conn.Query(t.Context(), "SELECT 1")
			})
			if c.want == nil && !dump.IsTransient(err) || c.want != nil && (!errors.Is(err, c.want) || dump.IsTransient(err)) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// event is the packet of a query event.
func event(text string) []byte {
	b := append([]byte{0}, make([]byte, 19)...)
	b[1+4] = byte(dump.EvQuery)
	binary.LittleEndian.PutUint32(b[1+9:], uint32(19+len(text)))
	return append(b, text...)
}

// TestLongSeek has a dump send nothing for longer than it may be silent.
func TestLongSeek(t *testing.T) {
	at := &dump.Position{Flavor: dump.MySQL, ServerUUID: "u", ServerID: 1, File: "binlog.000001", Pos: 4}
	const sending, idle = "Sending binlog event to slave", "Master has sent all binlog to slave; waiting for more updates"
	for _, c := range []struct {
		name      string
		processes [][]string // nil: the second connection is refused
		begun     bool
		lost      string // "": the dump is waited for
	}{
		{name: "at work", processes: [][]string{process(1, "Binlog Dump GTID", sending)}},
		{name: "too many connections"},
		{name: "its thread has ended", processes: [][]string{process(77, "Query", "")}, lost: "has ended the dump"},
		{name: "all was sent", processes: [][]string{process(1, "Binlog Dump", idle)}, lost: "has sent everything"},
		{name: "all was sent, MySQL 8", processes: [][]string{process(1, "Binlog Dump", "Source has sent all binlog to replica; waiting for more updates")}, lost: "has sent everything"},
		{name: "after its events have come", processes: [][]string{process(1, "Binlog Dump", sending)}, begun: true, lost: sending},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var probes atomic.Int32
			over := make(chan struct{})
			end := sync.OnceFunc(func() { close(over) })
			f := &fake{answer: sourceAnswers(func(conn *fakeConn) [][]byte {
				if c.begun {
					conn.write(event("begun"))
				}
				<-over
				return [][]byte{event("found")}
			}, func() [][]string {
				if probes.Add(1) == 10 {
					end()
				}
				return c.processes
			})}
			if c.processes == nil {
				all := f.answer
				f.answer = func(conn *fakeConn, command byte, text string) [][]byte {
					if conn.number == 1 {
						return all(conn, command, text)
					}
					if probes.Add(1) == 10 {
						end()
					}
					return failure(1040, "Too many connections")
				}
			}
			f.serve(t)
			t.Cleanup(end) // before the fake ends
			r := read(t, dump.Source{Address: f.address, User: "u", Times: short}, at)
			err := r.text("found")
			switch {
			case c.lost == "" && err != nil:
				t.Errorf("%v, after %d looks", err, probes.Load())
			case c.lost != "" && (!dump.IsTransient(err) || !strings.Contains(err.Error(), c.lost)):
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestLongAnswer has a query answered after longer than the source may be silent.
func TestLongAnswer(t *testing.T) {
	for _, c := range []struct {
		name, command string
		looks         int32 // after which it answers
		lost          string
	}{{"at work", "Query", 5, ""}, {"it has answered meanwhile", "Sleep", 1, ""}, {"it has answered", "Sleep", 1, "has answered"}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var probes atomic.Int32
			over := make(chan struct{})
			end := sync.OnceFunc(func() { close(over) })
			all := sourceAnswers(nil, func() [][]string {
				if probes.Add(1) == c.looks {
					end()
				}
				return [][]string{process(1, c.command, "")}
			})
			f := (&fake{answer: func(conn *fakeConn, command byte, text string) [][]byte {
				if strings.Contains(text, "information_schema") {
					if c.lost == "" {
						<-over
						return table([]string{"1"})
					}
					return nil
				}
				return all(conn, command, text)
			}}).serve(t)
			t.Cleanup(end)
			conn, err := f.dial(t, short)
			if err != nil {
				t.Fatal(err)
			}
			rows, err := conn.LongQuery(t.Context(), "SELECT 1 FROM information_schema.COLUMNS")
			switch {
			case c.lost == "" && (err != nil || len(rows) != 1):
				t.Errorf("%v %v", rows, err)
			case c.lost != "" && (!dump.IsTransient(err) || !strings.Contains(err.Error(), c.lost)):
				t.Errorf("error %v", err)
			}
		})
	}
}
