//go:build servers

package rowevent_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-mysql-org/go-mysql/client"
	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"

	"daybook/binlog/rowevent"
	"daybook/change"
)

// server is one of the running servers, with a connection of its own.
type server struct {
	*testing.T
	address string
	conn    *client.Conn
	options rowevent.DecoderOptions
}

// eachServer runs f against every server of DAYBOOK_TEST_SERVERS.
func eachServer(t *testing.T, f func(s *server)) {
	list := os.Getenv("DAYBOOK_TEST_SERVERS")
	if list == "" {
		t.Fatal(`set DAYBOOK_TEST_SERVERS to "name=host:port,…"`)
	}
	for _, entry := range strings.Split(list, ",") {
		name, address, _ := strings.Cut(entry, "=")
		t.Run(name, func(t *testing.T) {
			conn, err := client.Connect(address, "admin", "admin", "")
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			s := &server{T: t, address: address, conn: conn}
			s.options.Flavor, s.options.Version = parseVersion(s.query("SELECT VERSION()")[0][0])
			s.exec("SET time_zone='+00:00', NAMES utf8mb4")
			s.exec("SET sql_mode=''")
			s.exec("DROP DATABASE IF EXISTS rowevent")
			s.exec("CREATE DATABASE rowevent DEFAULT CHARACTER SET utf8mb4")
			s.exec("USE rowevent")
			f(s)
		})
	}
}

func parseVersion(v string) (flavor string, version int) {
	flavor = "mysql"
	if strings.Contains(v, "MariaDB") {
		flavor = "mariadb"
	}
	v, _, _ = strings.Cut(v, "-")
	for _, part := range strings.Split(v, ".") {
		n, _ := strconv.Atoi(part)
		version = version*100 + n
	}
	return flavor, version
}

func (s *server) mariadb() bool { return s.options.Flavor == "mariadb" }

func (s *server) exec(sql string) {
	s.Helper()
	if _, err := s.conn.Execute(sql); err != nil {
		s.Fatalf("%.2000s: %v", sql, err)
	}
}

// query returns a result as strings; NULL is "NULL".
func (s *server) query(sql string) [][]string {
	s.Helper()
	r, err := s.conn.Execute(sql)
	if err != nil {
		s.Fatalf("%.2000s: %v", sql, err)
	}
	defer r.Close()
	rows := make([][]string, r.RowNumber())
	for i := range rows {
		for j := range r.ColumnNumber() {
			null, _ := r.IsNull(i, j)
			text := "NULL"
			if !null {
				if text, err = r.GetString(i, j); err != nil {
					s.Fatal(err)
				}
			}
			rows[i] = append(rows[i], strings.Clone(text)) // the result's buffers are used again
		}
	}
	return rows
}

func (s *server) position() mysql.Position {
	sql := "SHOW MASTER STATUS"
	if !s.mariadb() && s.options.Version >= 80200 {
		sql = "SHOW BINARY LOG STATUS"
	}
	row := s.query(sql)[0]
	pos, _ := strconv.Atoi(row[1])
	return mysql.Position{Name: row[0], Pos: uint32(pos)}
}

// event is a binlog event without header and checksum.
type event struct {
	kind byte
	body []byte
}

// events returns the table map and rows events that run writes.
func (s *server) events(run func()) []event {
	s.Helper()
	from := s.position()
	run()
	to := s.position()
	host, port, _ := net.SplitHostPort(s.address)
	number, _ := strconv.Atoi(port)
	syncer := replication.NewBinlogSyncer(replication.BinlogSyncerConfig{
		ServerID: 77000 + uint32(os.Getpid()%1000), Flavor: s.options.Flavor, Host: host, Port: uint16(number),
		User: "admin", Password: "admin", RawModeEnabled: true, DisableRetrySync: true,
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	defer syncer.Close()
	stream, err := syncer.StartSync(from)
	if err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var got []event
	checksum := 0
	for {
		e, err := stream.GetEvent(ctx)
		if err != nil {
			s.Fatal(err)
		}
		if e.Header.EventType == replication.FORMAT_DESCRIPTION_EVENT {
			if f, ok := e.Event.(*replication.FormatDescriptionEvent); ok && f.ChecksumAlgorithm == replication.BINLOG_CHECKSUM_ALG_CRC32 {
				checksum = 4
			}
		}
		kind := byte(e.Header.EventType)
		if kind == byte(replication.TABLE_MAP_EVENT) || rowevent.EventKind(kind).IsRows() {
			got = append(got, event{kind, bytes.Clone(e.RawData[19 : len(e.RawData)-checksum])})
		}
		if e.Header.LogPos >= to.Pos {
			return got
		}
	}
}

// row is a decoded row with a copy of its values.
type row struct{ before, after []change.Value }

func cloneValues(values []change.Value) []change.Value {
	var c []change.Value
	for _, v := range values {
		v.Bytes = bytes.Clone(v.Bytes)
		c = append(c, v)
	}
	return c
}

// rows decodes the events of one table. It also steps over each event with
// Skip, which must find as many rows.
func (s *server) rows(t *change.Table, events []event) []row {
	s.Helper()
	decoders := map[uint64]*rowevent.Decoder{}
	var rows []row
	for _, e := range events {
		if e.kind == byte(replication.TABLE_MAP_EVENT) {
			m, err := rowevent.ParseTableMap(e.body, 6)
			if err != nil {
				s.Fatal(err)
			}
			if m.Database != t.Database || m.Table != t.Name {
				continue
			}
			d, err := rowevent.NewDecoder(m, t, s.options)
			if err != nil {
				s.Fatalf("%v\n%.3000s", err, fmt.Sprint(t.Columns))
			}
			decoders[m.ID] = d
			continue
		}
		id, _, err := rowevent.TableID(e.body, 6)
		d := decoders[id]
		if err != nil {
			s.Fatal(err)
		}
		if d == nil {
			continue
		}
		if err := d.Start(rowevent.EventKind(e.kind), e.body); err != nil {
			s.Fatal(err)
		}
		n := 0
		for {
			var r row
			ok, err := d.Next(&r.before, &r.after)
			if err != nil {
				s.Fatal(err)
			}
			if !ok {
				break
			}
			r.before, r.after = cloneValues(r.before), cloneValues(r.after)
			rows = append(rows, r)
			n++
		}
		if err := d.Start(rowevent.EventKind(e.kind), e.body); err != nil {
			s.Fatal(err)
		}
		skipped := 0
		for ok := true; ok; skipped++ {
			if ok, err = d.Skip(); err != nil {
				s.Fatal(err)
			}
		}
		if skipped-1 != n {
			s.Fatalf("Skip finds %d rows, Next %d", skipped-1, n)
		}
	}
	return rows
}

// selectExpr is an expression whose UTF-8 text equals render of the decoded value.
func selectExpr(c *change.Column) string {
	name := "`" + c.Name + "`"
	switch {
	case c.Type == change.Float || c.Type == change.Double:
		return "HEX(" + name + "*1e0)"
	case c.Type == change.Bit || c.Type == change.Year:
		return "HEX(CAST(" + name + "+0 AS CHAR))"
	case c.Type == change.Enum || c.Type == change.Set:
		return "CONCAT(" + name + "|0,':',HEX(CONVERT(" + name + " USING utf8mb4)))"
	case c.Type.IsBinary() || c.Type.IsGeometry() || c.Type == change.Vector:
		return "HEX(" + name + ")"
	}
	return "HEX(CONVERT(CAST(" + name + " AS CHAR) USING utf8mb4))"
}

func hexUpper(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) }

func fsp(c *change.Column, micros int) string {
	if c.Length <= 0 {
		return ""
	}
	return fmt.Sprintf(".%06d", micros)[:c.Length+1]
}

// render returns v in the form of selectExpr.
func render(c *change.Column, v *change.Value) string {
	switch v.Kind {
	case change.Absent:
		return "ABSENT"
	case change.Null:
		return "NULL"
	case change.Int64:
		return hexUpper(strconv.FormatInt(v.Int(), 10))
	case change.Uint64, change.Bits, change.YearNum:
		return hexUpper(strconv.FormatUint(v.Num, 10))
	case change.Float32, change.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	case change.CivilDate:
		d := v.Civil()
		return hexUpper(fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day))
	case change.CivilTime:
		d := v.Civil()
		return hexUpper(fmt.Sprintf("%04d-%02d-%02d %02d:%02d:%02d%s", d.Year, d.Month, d.Day, d.Hour, d.Minute, d.Second, fsp(c, d.Micros)))
	case change.Instant:
		if v.Num == 0 {
			return hexUpper("0000-00-00 00:00:00" + fsp(c, 0))
		}
		t := time.UnixMicro(v.Int()).UTC()
		return hexUpper(t.Format("2006-01-02 15:04:05") + fsp(c, t.Nanosecond()/1000))
	case change.Duration:
		n, sign := v.Int(), ""
		if n < 0 {
			n, sign = -n, "-"
		}
		sec := n / 1e6
		return hexUpper(fmt.Sprintf("%s%02d:%02d:%02d%s", sign, sec/3600, sec/60%60, sec%60, fsp(c, int(n%1e6))))
	case change.EnumLabel, change.SetLabels:
		return fmt.Sprintf("%d:%s", v.Num, hexUpper(string(v.Bytes)))
	case change.WKB:
		n := uint32(v.Num)
		return hexUpper(string([]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}) + string(v.Bytes))
	}
	return hexUpper(string(v.Bytes))
}

// selectRows returns the table's rows in the form of render, in the order of id.
func (s *server) selectRows(t *change.Table) [][]string {
	var exprs []string
	for i := range t.Columns {
		e := selectExpr(&t.Columns[i])
		if ty := t.Columns[i].Type; ty == change.Float || ty == change.Double {
			e = "`" + t.Columns[i].Name + "`*1e0"
		}
		exprs = append(exprs, e)
	}
	rows := s.query("SELECT " + strings.Join(exprs, ",") + " FROM `" + t.Name + "` ORDER BY 1")
	for _, r := range rows {
		for i := range t.Columns {
			if ty := t.Columns[i].Type; (ty == change.Float || ty == change.Double) && r[i] != "NULL" {
				f, err := strconv.ParseFloat(r[i], 64)
				if err != nil {
					s.Fatal(err)
				}
				r[i] = strconv.FormatFloat(f, 'g', -1, 64)
			}
		}
	}
	return rows
}
