package dump_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// fake is a server of the MySQL protocol that lets everybody in and says what a
// test wants. Each connection has a number, from 1.
type fake struct {
	address string
	// greet, if set, is what it says in place of a greeting; it then reads on and
	// says nothing more.
	greet func(net.Conn)
	// answer returns the packets of the answer to a command, its first byte and
	// the rest; nil: nothing is answered.
	answer func(f *fakeConn, command byte, text string) [][]byte
	// session are variables that a session has otherwise than it set them; those
	// that are "hidden" are not shown.
	session map[string]string

	conns atomic.Int32
}

// fakeConn is one connection to a fake.
type fakeConn struct {
	net.Conn
	number int
	seq    byte
}

// serve starts the fake, which ends with the test.
func (f *fake) serve(t *testing.T) *fake {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.address = l.Addr().String()
	var running sync.WaitGroup
	ended := make(chan struct{})
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			n := int(f.conns.Add(1))
			running.Go(func() {
				defer c.Close()
				running.Go(func() { <-ended; _ = c.Close() })
				f.talk(&fakeConn{Conn: c, number: n})
			})
		}
	})
	t.Cleanup(func() {
		close(ended)
		_ = l.Close()
		running.Wait()
	})
	return f
}

func (f *fake) talk(c *fakeConn) {
	if f.greet != nil {
		f.greet(c)
		_, _ = io.Copy(io.Discard, c)
		return
	}
	c.write(greetingOf(c.number))
	if _, err := c.read(); err != nil {
		return
	}
	c.write(okPacket)
	for {
		b, err := c.read()
		if err != nil || len(b) == 0 {
			return
		}
		answer := f.settled(string(b[1:]))
		if answer == nil {
			answer = f.answer(c, b[0], string(b[1:]))
		}
		for _, p := range answer {
			c.write(p)
		}
		if answer == nil {
			_, _ = io.Copy(io.Discard, c)
			return
		}
	}
}

// settled answers what every session begins with; nil: it is something else.
func (f *fake) settled(text string) [][]byte {
	switch {
	case strings.HasPrefix(text, "SET NAMES"), strings.HasPrefix(text, "SET sql_mode"):
		return [][]byte{okPacket}
	case strings.HasPrefix(text, "SHOW SESSION VARIABLES"):
		return table(f.sessionVariables()...)
	}
	return nil
}

// sessionVariables are those of a MySQL 5.7, which are what was set.
func (f *fake) sessionVariables() [][]string {
	all := map[string]string{
		"version": "5.7.99-fake", "character_set_client": "utf8mb4", "character_set_connection": "utf8mb4", "character_set_results": "utf8mb4",
		"sql_mode": "", "time_zone": "+00:00", "autocommit": "ON", "sql_auto_is_null": "OFF", "sql_quote_show_create": "ON",
		"sql_select_limit": "18446744073709551615", "max_join_size": "18446744073709551615", "sql_big_selects": "ON", "wait_timeout": "28800",
		"max_sort_length": "1024", "sort_buffer_size": "2097152", "lc_messages": "en_US", "max_execution_time": "0",
		"transaction_isolation": "READ-UNCOMMITTED", // which is not set before MySQL 8.0
	}
	maps.Copy(all, f.session)
	var rows [][]string
	for name, value := range all {
		if value != "hidden" {
			rows = append(rows, []string{name, value})
		}
	}
	return rows
}

func (c *fakeConn) read() ([]byte, error) {
	var h [4]byte
	if _, err := io.ReadFull(c, h[:]); err != nil {
		return nil, err
	}
	c.seq = h[3] + 1
	b := make([]byte, int(h[0])|int(h[1])<<8|int(h[2])<<16)
	_, err := io.ReadFull(c, b)
	return b, err
}

func (c *fakeConn) write(p []byte) {
	h := []byte{byte(len(p)), byte(len(p) >> 8), byte(len(p) >> 16), c.seq}
	c.seq++
	_, _ = c.Write(append(h, p...))
}

// greetingOf is a greeting of MySQL 5.7 without TLS.
func greetingOf(id int) []byte {
	b := append([]byte{10}, "5.7.99-fake\x00"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(id))
	b = append(b, "12345678\x00"...)
	b = append(b, 0x01, 0x82) // CLIENT_LONG_PASSWORD, PROTOCOL_41, SECURE_CONNECTION
	b = append(b, 33, 2, 0, 0x08, 0, 21)
	b = append(b, make([]byte, 10)...)
	b = append(b, "123456789012\x00"...)
	return append(b, "mysql_native_password\x00"...)
}

var (
	okPacket  = []byte{0, 0, 0, 2, 0, 0, 0}
	eofPacket = []byte{0xfe, 0, 0, 2, 0}
)

// table is the packets of a result.
func table(rows ...[]string) [][]byte {
	columns := 1
	if len(rows) > 0 {
		columns = len(rows[0])
	}
	packets := [][]byte{{byte(columns)}}
	for range columns {
		packets = append(packets, []byte("\x03def"))
	}
	packets = append(packets, eofPacket)
	for _, row := range rows {
		var b []byte
		for _, v := range row {
			b = append(append(b, byte(len(v))), v...)
		}
		packets = append(packets, b)
	}
	return append(packets, eofPacket)
}

func failure(code uint16, text string) [][]byte {
	return [][]byte{append(binary.LittleEndian.AppendUint16([]byte{0xff}, code), text...)}
}

const (
	commandQuery    = 3
	commandDump     = 0x12
	commandRegister = 0x15
)

// source answers what a feed asks a MySQL 5.7 without GTIDs before its dump, and
// processes to SHOW PROCESSLIST: by connection, command and state.
func sourceAnswers(dump func(*fakeConn) [][]byte, processes func() [][]string) func(*fakeConn, byte, string) [][]byte {
	return func(c *fakeConn, command byte, text string) [][]byte {
		switch {
		case command == commandDump:
			return dump(c)
		case command == commandRegister || strings.HasPrefix(text, "SET"):
			return [][]byte{okPacket}
		case strings.Contains(text, "CONNECTION_ID"):
			return table([]string{fmt.Sprint(c.number), "host", "3306", "1"})
		case strings.Contains(text, "GLOBAL VARIABLES"):
			return table([]string{"version", "5.7.99"}, []string{"server_id", "1"}, []string{"server_uuid", "u"}, []string{"log_bin", "ON"}, []string{"log_slave_updates", "ON"},
				[]string{"binlog_format", "ROW"}, []string{"gtid_mode", "OFF"})
		case strings.Contains(text, "MASTER STATUS"):
			return table([]string{"binlog.000001", "1000", "", ""})
		case strings.Contains(text, "COLLATION_NAME"):
			return table([]string{"8", "latin1_swedish_ci"})
		case strings.Contains(text, "BINARY LOGS"):
			return table([]string{"binlog.000001", "1000"})
		case strings.Contains(text, "PROCESSLIST"):
			return table(processes()...)
		}
		return failure(1064, "not known here")
	}
}

// process is a row of SHOW PROCESSLIST.
func process(id int, command, state string) []string {
	return []string{fmt.Sprint(id), "user", "host", "", command, "1", state, ""}
}
