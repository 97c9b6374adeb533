package oracle

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"math/rand/v2"
	"net"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"

	"daybook/e2e/servers"
)

// Binlog streams the changes of the database, and all DDL, that the server's
// binlog holds between two positions.
func Binlog(t *testing.T, s *servers.Server, from, to Position, database string) iter.Seq[Change] {
	t.Helper()
	return func(yield func(Change) bool) {
		host, port, err := net.SplitHostPort(s.Address)
		if err != nil {
			t.Fatal(err)
		}
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			t.Fatal(err)
		}
		flavor := mysql.MySQLFlavor
		if s.MariaDB() {
			flavor = mysql.MariaDBFlavor
		}
		syncer := replication.NewBinlogSyncer(replication.BinlogSyncerConfig{
			ServerID: 1<<31 + rand.Uint32N(1<<30), Flavor: flavor, Host: host, Port: uint16(number),
			User: servers.Admin, Password: servers.Admin, Charset: "utf8mb4", EventCacheCount: 64,
			Logger: slog.New(slog.DiscardHandler),
		})
		defer syncer.Close()
		stream, err := syncer.StartSync(mysql.Position{Name: from.File, Pos: uint32(from.Pos)})
		if err != nil {
			t.Fatalf("read the binlog of %s: %v", s.Name, err)
		}
		r := reader{t: t, database: database, file: from.File, to: to}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
		defer cancel()
		for !r.done {
			e, err := stream.GetEvent(ctx)
			if err != nil {
				t.Fatalf("read the binlog of %s: %v", s.Name, err)
			}
			if !r.event(e, yield) {
				return
			}
		}
	}
}

// reader turns events into changes.
type reader struct {
	t        *testing.T
	database string
	file     string
	begin    Position // of the event group
	to       Position
	done     bool
}

var ddl = regexp.MustCompile(`(?i)^\s*(create|alter|drop|rename|truncate)\b`)

// event yields the changes of an event; false ends the reading.
func (r *reader) event(e *replication.BinlogEvent, yield func(Change) bool) bool {
	if rotate, ok := e.Event.(*replication.RotateEvent); ok {
		r.file = string(rotate.NextLogName)
		return true
	}
	end := uint64(e.Header.LogPos)
	at := Position{r.file, end - uint64(e.Header.EventSize)}
	r.done = r.file == r.to.File && end >= r.to.Pos
	switch event := e.Event.(type) {
	case *replication.GTIDEvent, *replication.MariadbGTIDEvent:
		r.begin = at
	case *replication.QueryEvent:
		if ddl.Match(event.Query) {
			return yield(Change{Position: at, Begin: r.begin, Op: "ddl", DDL: string(event.Query)})
		}
	case *replication.RowsEvent:
		if string(event.Table.Schema) == r.database {
			return r.rows(e.Header.EventType, event, at, yield)
		}
	}
	return true
}

func (r *reader) rows(kind replication.EventType, event *replication.RowsEvent, at Position, yield func(Change) bool) bool {
	table := fmt.Sprintf("%s.%s", event.Table.Schema, event.Table.Table)
	for i := 0; i < len(event.Rows); i++ {
		c := Change{Position: at, Begin: r.begin, Row: i, Table: table}
		switch kind {
		case replication.WRITE_ROWS_EVENTv1, replication.WRITE_ROWS_EVENTv2:
			c.Op, c.After = "c", r.values(event.Rows[i])
		case replication.DELETE_ROWS_EVENTv1, replication.DELETE_ROWS_EVENTv2:
			c.Op, c.Before = "d", r.values(event.Rows[i])
		case replication.UPDATE_ROWS_EVENTv1, replication.UPDATE_ROWS_EVENTv2:
			c.Op, c.Row, c.Before, c.After = "u", i/2, r.values(event.Rows[i]), r.values(event.Rows[i+1])
			i++
		default:
			r.t.Fatalf("the binlog has a %v, which the oracle does not know", kind)
		}
		if c.Op == "u" && keyed(table) && c.Before[0] != c.After[0] {
			// A row that changes its key goes, and comes again under the new one.
			gone, came := c, c
			gone.Op, gone.After = "d", nil
			came.Op, came.Before = "c", nil
			if !yield(gone) || !yield(came) {
				return false
			}
			continue
		}
		if !yield(c) {
			return false
		}
	}
	return true
}

func (r *reader) values(row []any) []string {
	values := make([]string, len(row))
	for i, v := range row {
		switch v := v.(type) {
		case nil:
			values[i] = "null"
		case []byte:
			values[i] = string(v)
		case string:
			values[i] = v
		case int8, int16, int32, int64:
			values[i] = fmt.Sprint(v)
		default:
			r.t.Fatalf("the oracle cannot compare a %T", v)
		}
	}
	return values
}
