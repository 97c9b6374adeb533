package binlog

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"

	"daybook/binlog/schema"
)

// query is a QUERY_EVENT: a statement and what its meaning depends on.
type query struct {
	thread  uint32
	sql     []byte // in the client's charset
	context schema.Context
	flags2  uint32   // session options
	updated []string // databases that a statement-format change touches
}

const (
	// optionExplicitDefaults is MariaDB's explicit_defaults_for_timestamp in
	// flags2 (OPTION_EXPLICIT_DEF_TIMESTAMP), which a session may set from
	// explicitDefaultsSince on; before, it is the server's.
	optionExplicitDefaults = 1 << 24
	explicitDefaultsSince  = 100804
)

// sessionOf fills in what only the session's options tell.
func (q *query) sessionOf(s *Status) {
	if s.Flavor == MariaDB && s.Version >= explicitDefaultsSince {
		explicit := q.flags2&optionExplicitDefaults != 0
		q.context.ExplicitDefaultsForTimestamp = &explicit
	}
}

// parseQuery reads the body of a query event, in which extra bytes stand
// between the fixed part and the variables (EXECUTE_LOAD_QUERY_EVENT).
func parseQuery(b []byte, extra int) (query, error) {
	r := reader{b: b}
	q := query{thread: r.u32()}
	r.u32() // seconds it took
	database := int(r.u8())
	r.u16() // error code
	variables := int(r.u16())
	r.bytes(extra)
	q.readVariables(r.bytes(variables))
	q.context.Database = string(r.bytes(database))
	r.u8()
	q.sql = r.b
	if r.err != nil {
		return q, fmt.Errorf("%w: query event: %w", ErrEvent, r.err)
	}
	return q, nil
}

// readVariables reads the status variables up to the first unknown one: each
// server writes those that matter here before the ones that it invented.
// Source: mysql::binlog::event::Query_event.
func (q *query) readVariables(b []byte) {
	r := reader{b: b}
	for len(r.b) > 0 && r.err == nil {
		switch r.u8() {
		case 0:
			q.flags2 = r.u32()
		case 1:
			if mode := r.u64(); r.err == nil {
				q.context.SQLMode = mode
			}
		case 2: // catalog, with a zero at its end
			r.bytes(int(r.u8()) + 1)
		case 3: // auto_increment
			r.u32()
		case 4:
			q.context.ClientCollation = r.u16()
			r.u16()
			q.context.ServerCollation = r.u16()
		case 5, 6: // time zone, catalog
			r.bytes(int(r.u8()))
		case 7, 8: // lc_time_names, charset_database
			r.u16()
		case 9: // table_map_for_update
			r.u64()
		case 10: // master_data_written
			r.u32()
		case 11: // invoker: user, host
			r.bytes(int(r.u8()))
			r.bytes(int(r.u8()))
		case 12:
			q.readUpdated(&r)
		case 13, 128: // microseconds, of MySQL and of MariaDB
			r.bytes(3)
		case 16:
			if v := r.u8(); r.err == nil {
				explicit := v != 0
				q.context.ExplicitDefaultsForTimestamp = &explicit
			}
		case 17, 129: // ddl_logged_with_xid, of MySQL and of MariaDB
			r.u64()
		case 18: // default_collation_for_utf8mb4
			r.u16()
		case 19, 20: // sql_require_primary_key, default_table_encryption
			r.u8()
		default:
			return
		}
	}
}

func (q *query) readUpdated(r *reader) {
	n := r.u8()
	if n == 254 { // too many to be listed
		return
	}
	for ; n > 0 && r.err == nil; n-- {
		end := bytes.IndexByte(r.b, 0)
		if end < 0 {
			r.err = io.ErrUnexpectedEOF
			return
		}
		q.updated = append(q.updated, string(r.bytes(end)))
		r.u8()
	}
}

// inflate reads MariaDB's compressed form: a byte with the algorithm (0: zlib)
// in its high and the size of the length in its low bits, the length of the
// text (big-endian), the compressed text. max bounds what is allocated.
func inflate(b []byte, max int) ([]byte, error) {
	r := reader{b: b}
	head := r.u8()
	size := 0
	for _, c := range r.bytes(int(head & 7)) {
		size = size<<8 | int(c)
	}
	if r.err != nil || head>>4&7 != 0 || size > max {
		return nil, fmt.Errorf("%w: compressed text with header %#x of %d bytes", ErrEvent, head, size)
	}
	z, err := zlib.NewReader(bytes.NewReader(r.b))
	if err != nil {
		return nil, fmt.Errorf("%w: compressed text: %w", ErrEvent, err)
	}
	var out bytes.Buffer
	if n, err := io.Copy(&out, io.LimitReader(z, int64(size)+1)); err != nil || n != int64(size) {
		return nil, fmt.Errorf("%w: compressed text of %d bytes in place of %d: %v", ErrEvent, n, size, err)
	}
	return out.Bytes(), nil
}

// statement is what is known of a statement without reading all of it.
type statement uint8

const (
	stOther statement = iota
	stBegin
	stCommit
	stRollback
	stRollbackTo
	stSavepoint
	stXAStart
	stXAEnd
	stXACommit
	stXARollback
	stLooksLikeSelect // may call a function that changes rows
)

// statementHeads are the statements that end or divide transactions, as
// servers write them into the binlog.
var statementHeads = []struct {
	head  string
	exact bool
	is    statement
}{
	{"BEGIN", true, stBegin},
	{"COMMIT", true, stCommit},
	{"ROLLBACK", true, stRollback},
	{"ROLLBACK TO ", false, stRollbackTo},
	{"SAVEPOINT ", false, stSavepoint},
	{"XA START ", false, stXAStart},
	{"XA BEGIN ", false, stXAStart},
	{"XA END ", false, stXAEnd},
	{"XA COMMIT ", false, stXACommit},
	{"XA ROLLBACK ", false, stXARollback},
	{"SELECT ", false, stLooksLikeSelect},
	{"DO ", false, stLooksLikeSelect},
	{"CALL ", false, stLooksLikeSelect},
}

func statementOf(sql []byte) statement {
	for _, h := range statementHeads {
		if len(sql) < len(h.head) || h.exact && len(sql) != len(h.head) {
			continue
		}
		if bytes.EqualFold(sql[:len(h.head)], []byte(h.head)) {
			return h.is
		}
	}
	return stOther
}
