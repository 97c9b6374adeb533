package dump

import (
	"context"
	"errors"
	"fmt"

	"daybook/binlog/cursor"

	"github.com/go-mysql-org/go-mysql/mysql"
)

// What a result may take, so that no server can fill the memory: 64 MiB for
// what is asked about the server, 1 GiB for what is asked about all its tables.
const (
	maxAnswer     = 64 << 20
	maxLongAnswer = 1 << 30
	maxColumns    = 4096 // MySQL's own limit
)

// Query runs one statement, whose answer comes soon, and returns the rows of
// its result, if any.
func (c *Conn) Query(ctx context.Context, sql string) ([][]Text, error) {
	var rows [][]Text
	err := c.ask(ctx, doingQuery(sql), c.times.Answer, func() (err error) {
		rows, err = c.query(sql, maxAnswer)
		return err
	})
	return rows, err
}

// LongQuery is Query for a statement that a large source may need minutes for.
// While it is silent, a second connection looks whether it still works on it.
func (c *Conn) LongQuery(ctx context.Context, sql string) ([][]Text, error) {
	if err := c.identify(ctx); err != nil {
		return nil, err
	}
	answered := false // the answer may have come since it was looked for
	silent := func(ctx context.Context) error {
		err := c.silentQuery(ctx)
		if errors.Is(err, errAnswered) && !answered {
			answered = true
			return nil
		}
		return err
	}
	var rows [][]Text
	err := c.askPatiently(ctx, doingQuery(sql), c.times.Long, silent, func() (err error) {
		rows, err = c.query(sql, maxLongAnswer)
		return err
	})
	return rows, err
}

// doingQuery names a query in errors; those that carry GTID sets are long.
func doingQuery(sql string) string {
	const most = 300
	if len(sql) > most {
		return fmt.Sprintf("query %q…", sql[:most])
	}
	return fmt.Sprintf("query %q", sql)
}

// query reads a result of at most so many bytes.
// Source: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query_response.html
func (c *Conn) query(sql string, most int) ([][]Text, error) {
	if err := c.command(append([]byte{mysql.COM_QUERY}, sql...)); err != nil {
		return nil, err
	}
	b, err := c.readPacket(maxSmallPacket)
	if err != nil {
		return nil, err
	}
	switch b[0] {
	case headerOK:
		return nil, nil
	case headerErr:
		return nil, errorPacket(b)
	case headerLocal:
		return nil, errors.New("the source asks for a local file")
	}
	r := cursor.Cursor{B: b}
	columns := r.Lenenc()
	if r.Err != nil || columns > maxColumns {
		return nil, fmt.Errorf("%w: %d columns", ErrAnswer, columns)
	}
	if err := c.skipColumns(int(columns)); err != nil {
		return nil, err
	}
	var rows [][]Text
	for size := 0; ; {
		b, err := c.readPacket(most - size)
		if err != nil {
			return nil, err
		}
		if isEOF(b) {
			return rows, nil
		}
		if b[0] == headerErr {
			return nil, errorPacket(b)
		}
		row, err := readRow(b, int(columns))
		if err != nil {
			return nil, err
		}
		const perValue = 24 // of a Text, without its bytes
		if size += len(b) + perValue*len(row); size > most {
			return nil, fmt.Errorf("%w: more than %d bytes", ErrAnswer, most)
		}
		rows = append(rows, row)
	}
}

// skipColumns reads past the definitions of the columns and the EOF after them.
func (c *Conn) skipColumns(n int) error {
	for range n {
		if _, err := c.readPacket(maxSmallPacket); err != nil {
			return err
		}
	}
	b, err := c.readPacket(maxSmallPacket)
	if err == nil && !isEOF(b) {
		err = errors.New("more columns than announced")
	}
	return err
}

func isEOF(b []byte) bool { return b[0] == headerEOF && len(b) < 9 }

func readRow(b []byte, columns int) ([]Text, error) {
	r := cursor.Cursor{B: b}
	row := make([]Text, columns)
	for i := range row {
		if len(r.B) > 0 && r.B[0] == headerLocal {
			r.U8()
			row[i].Null = true
			continue
		}
		row[i].String = string(r.LenencBytes())
	}
	if r.Err != nil || len(r.B) > 0 {
		return nil, errors.New("a row of another form than announced")
	}
	return row, nil
}

// errorPacket reads what the server says in place of an answer.
func errorPacket(b []byte) error {
	r := cursor.Cursor{B: b[1:]}
	e := &mysql.MyError{Code: r.U16()}
	if len(r.B) > 0 && r.B[0] == '#' {
		state := r.Bytes(6)
		if state != nil {
			e.State = string(state[1:])
		}
	}
	e.Message = string(r.B)
	return e
}
