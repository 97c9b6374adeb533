package binlog

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"

	"daybook/binlog/cursor"
	"daybook/binlog/dump"
	"daybook/binlog/schema"
)

// query is a QUERY_EVENT: a statement and what its meaning depends on.
type query struct {
	thread   uint32
	failed   bool   // it has an error code
	refused  bool   // the code says that a foreign key refers to a row, or to a table that was to be dropped
	atomic   bool   // MySQL 8.0: DDL on a permanent table of InnoDB, or TRUNCATE
	sql      []byte // in the client's charset
	st       statement
	context  schema.Context // of stOther: the rest means the same everywhere
	flags2   uint32         // session options
	defaults defaultCollations
	settings settings
	micros   uint32   // of NOW(), where the statement used them
	updated  []string // databases that a statement-format change touches, if updatedTold
	// updatedTold: the event lists them (MySQL 5.6 and later, up to 16 of them).
	updatedTold bool
	// as they stand in the event
	variables, database []byte
}

const (
	// padding is what MariaDB fills an event with that a replica would not know.
	padding = 255
	// loadExtra is what EXECUTE_LOAD_QUERY_EVENT has more: file ID, start, end,
	// how to treat duplicates.
	loadExtra = 13
	// maxStatement bounds what a compressed statement may grow to; MySQL's limit
	// of a packet.
	maxStatement = 1 << 30
)

// readQuery reads a query event of a server of MySQL or MariaDB.
func readQuery(e dump.Event, mariadb bool) (query, error) {
	q, err := readStatement(e)
	if q.st == stOther && err == nil {
		err = q.readVariables(q.variables, mariadb)
		q.context.Database, q.context.Thread = string(q.database), q.thread
	}
	return q, err
}

// readStatement reads a query event, of which the binlog has three forms, but for the status variables.
func readStatement(e dump.Event) (query, error) {
	extra := 0
	if e.Type == dump.EvExecuteLoadQuery {
		extra = loadExtra
	}
	q, err := parseQuery(e.Body, extra)
	if err == nil && e.Type == dump.EvQueryCompressed {
		q.sql, err = inflate(q.sql, maxStatement)
	}
	q.st = statementOf(q.sql)
	return q, err
}

// The codes of ER_ROW_IS_REFERENCED and ER_ROW_IS_REFERENCED_2.
const (
	errReferenced  = 1217
	errReferenced2 = 1451
)

// parseQuery reads the body of a query event, in which extra bytes stand
// between the fixed part and the variables (EXECUTE_LOAD_QUERY_EVENT).
func parseQuery(b []byte, extra int) (query, error) {
	r := cursor.Cursor{B: b}
	q := query{thread: r.U32()}
	r.U32() // seconds it took
	database := int(r.U8())
	code := r.U16()
	q.failed, q.refused = code != 0, code == errReferenced || code == errReferenced2
	variables := int(r.U16())
	r.Bytes(extra)
	q.variables = r.Bytes(variables)
	q.database = r.Bytes(database)
	r.U8()
	q.sql = r.B
	if r.Err != nil {
		return q, fmt.Errorf("%w: query event: %w", ErrEvent, r.Err)
	}
	return q, nil
}

// readVariables reads the status variables. Of one that is not known the length
// is not known either, so that all behind it are lost: that is an error unless
// those without which the statement may be misread came before.
// From 128 on they are a vendor's own: MariaDB's are read at MariaDB only (Percona XtraDB Cluster has another 128).
// Source: mysql::binlog::event::Query_event, MariaDB's log_event.cc.
func (q *query) readVariables(b []byte, mariadb bool) error {
	r := cursor.Cursor{B: b}
	charset := false
	for len(r.B) > 0 && r.Err == nil {
		code := r.U8()
		if code >= 128 && !mariadb && charset {
			return nil
		}
		switch code {
		case 0:
			q.flags2 = r.U32()
		case 1:
			if mode := r.U64(); r.Err == nil {
				q.context.SQLMode = mode
			}
		case 2: // catalog, with a zero at its end
			r.Bytes(int(r.U8()) + 1)
		case 3:
			q.settings.increment, q.settings.offset = r.U16(), r.U16()
		case 4:
			q.context.ClientCollation = r.U16()
			q.context.ConnectionCollation = r.U16()
			q.context.ServerCollation = r.U16()
			charset = true
		case 5:
			q.context.TimeZone = string(r.Bytes(int(r.U8())))
		case 6: // catalog
			r.Bytes(int(r.U8()))
		case 7:
			q.settings.timeNames = r.U16()
		case 8:
			q.context.DatabaseCollation = r.U16()
		case 9: // table_map_for_update
			r.U64()
		case 10: // master_data_written
			r.U32()
		case 11: // invoker: user, host
			r.Bytes(int(r.U8()))
			r.Bytes(int(r.U8()))
		case 12:
			q.readUpdated(&r)
		case 13, 128: // microseconds, of MySQL and of MariaDB
			q.micros = uint32(r.Uint(3))
		case 16:
			if v := r.U8(); r.Err == nil {
				explicit := v != 0
				q.context.ExplicitDefaultsForTimestamp = &explicit
			}
		case 17: // ddl_logged_with_xid
			r.U64()
			q.atomic = r.Err == nil
		case 129: // MariaDB's, of temporary tables too
			r.U64()
		case 18:
			q.defaults.utf8mb4 = r.U16()
		case 19:
			q.settings.requiresKey = r.U8() != 0
		case 20:
			q.settings.encrypts = r.U8() != 0
		case 130: // further flags of the GTID; those that end an ALTER in two phases tell its number
			if r.U8()&(4|8) != 0 {
				r.U64()
			}
		case 131: // which MariaDB writes before the charset
			q.defaults.ofCharsets = append([]byte{}, r.Bytes(4*int(r.U8()))...)
		default:
			if charset || code == padding {
				return nil
			}
			return fmt.Errorf("%w: query event: its status variable %d is not known, and comes before the character set; it is of a newer server: use a newer Daybook", ErrEvent, code)
		}
	}
	if r.Err != nil {
		return fmt.Errorf("%w: query event: status variables: %w", ErrEvent, r.Err)
	}
	return nil
}

func (q *query) readUpdated(r *cursor.Cursor) {
	n := r.U8()
	if n == 254 { // too many to be listed
		return
	}
	for ; n > 0 && r.Err == nil; n-- {
		end := bytes.IndexByte(r.B, 0)
		if end < 0 {
			r.Err = io.ErrUnexpectedEOF
			return
		}
		q.updated = append(q.updated, string(r.Bytes(end)))
		r.U8()
	}
	q.updatedTold = r.Err == nil
}

// inflate reads MariaDB's compressed form: a byte with the algorithm (0: zlib)
// in its high and the size of the length in its low bits, the length of the
// text (big-endian), the compressed text. max bounds what is allocated.
func inflate(b []byte, max int) ([]byte, error) {
	r := cursor.Cursor{B: b}
	head := r.U8()
	size := 0
	for _, c := range r.Bytes(int(head & 7)) {
		size = size<<8 | int(c)
	}
	if r.Err != nil || head>>4&7 != 0 || size > max {
		return nil, fmt.Errorf("%w: compressed text with header %#x of %d bytes", ErrEvent, head, size)
	}
	z, err := zlib.NewReader(bytes.NewReader(r.B))
	if err != nil {
		return nil, fmt.Errorf("%w: compressed text: %w", ErrEvent, err)
	}
	var out bytes.Buffer
	if n, err := io.Copy(&out, io.LimitReader(z, int64(size)+1)); err != nil || n != int64(size) {
		return nil, fmt.Errorf("%w: compressed text of %d bytes in place of %d: %v", ErrEvent, n, size, err)
	}
	return out.Bytes(), nil
}
