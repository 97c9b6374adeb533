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

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"

	"daybook/binlog/rowevent"
	"daybook/change"
	"daybook/e2e/servers"
)

// server is one of the running servers, with a connection that has a database
// of its own selected.
type server struct {
	*testing.T
	*servers.Conn
	address, database string
	options           rowevent.DecoderOptions
}

// eachServer runs f against every server.
func eachServer(t *testing.T, f func(s *server)) {
	servers.Each(t, func(t *testing.T, at *servers.Server) {
		s := &server{T: t, address: at.Address}
		s.database, s.Conn = at.Database(t)
		s.options.Flavor, s.options.Version = parseVersion(s.Query("SELECT VERSION()")[0][0])
		s.Exec("SET time_zone='+00:00', NAMES utf8mb4", "SET sql_mode=''")
		f(s)
	})
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

func (s *server) position() mysql.Position {
	sql := "SHOW MASTER STATUS"
	if !s.mariadb() && s.options.Version >= 80200 {
		sql = "SHOW BINARY LOG STATUS"
	}
	row := s.Query(sql)[0]
	pos, _ := strconv.Atoi(row[1])
	return mysql.Position{Name: row[0], Pos: uint32(pos)}
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
	ours := map[uint64]bool{} // the servers are shared with other tests
	checksum, file := 0, from.Name
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
		if r, ok := e.Event.(*replication.RotateEvent); ok {
			file = string(r.NextLogName)
			continue
		}
		kind := byte(e.Header.EventType)
		if kind == tableMapEvent || rowevent.EventKind(kind).IsRows() {
			body := bytes.Clone(e.RawData[19 : len(e.RawData)-checksum])
			id, _, err := rowevent.TableID(body, 6)
			if err != nil {
				s.Fatal(err)
			}
			if kind == tableMapEvent {
				ours[id] = bytes.Contains(body, []byte(string(rune(len(s.database)))+s.database+"\x00"))
			}
			if ours[id] {
				got = append(got, event{kind, body})
			}
		}
		if file == to.Name && e.Header.LogPos >= to.Pos || file > to.Name {
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
		if e.kind == tableMapEvent {
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
	rows := s.Query("SELECT " + strings.Join(exprs, ",") + " FROM `" + t.Name + "` ORDER BY 1")
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
