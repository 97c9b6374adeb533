package binlog

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"daybook/binlog/dump"
	"daybook/binlog/schema"
)

// Servers that hold no metadata lock for a prepared XA transaction (MySQL up to
// 5.7, MariaDB up to 10.5, once its session has left) let its tables be renamed,
// emptied and dropped before it is committed. Its rows then go to the table
// under its new name, or nowhere. ALTER of columns waits for the rows' locks.

// relocation says where the rows of tables are that are not where they were
// when the transaction was prepared: by "database NUL table" then, the same now,
// or gone, or unclear. nil: all are where they were.
type relocation map[string]string

const (
	gone    = ""
	unclear = "?" // no table's name, as it has no NUL
)

func (m relocation) where(table string) string {
	if to, moved := m[table]; moved {
		return to
	}
	return table
}

// all returns where tables are now, without those that are gone.
func (m relocation) all(tables []string) []string {
	if m == nil {
		return tables
	}
	var now []string
	for _, t := range tables {
		if at := m.where(t); at != gone {
			now = append(now, at)
		}
	}
	return now
}

// clear is an error if it is not clear where a table's rows are.
func (m relocation) clear(table string) error {
	if m.where(table) != unclear {
		return nil
	}
	database, name, _ := cutTable(table)
	return fmt.Errorf("%w: an XA transaction with rows of %s.%s is committed, and since it was prepared partitions of that table were dropped, emptied or exchanged, or a statement on it could not be read: which of its rows are still there is not known; compare the data",
		ErrEvent, database, name)
}

// movedKey is the key of a saved relocation, by XID.
func movedKey(xid string) []byte { return append([]byte("z\x00"), xid...) }

var movedPrefix = movedKey("")

func (r *Reader) loadMoved(key, value []byte) error {
	var m relocation
	if err := json.Unmarshal(value, &m); err != nil {
		return fmt.Errorf("tables of the prepared transaction %q: %w", key, err)
	}
	r.xa.moved[string(key[len(movedPrefix):])] = m
	return nil
}

// moveTables notes what a statement does to the tables of the prepared
// transactions.
func (r *Reader) moveTables(moves []schema.Move) {
	if len(moves) == 0 {
		return
	}
	for xid, p := range r.xa.prepared {
		m, changed := r.xa.moved[xid], false
		for _, t := range slices.Concat(p.Tables, p.LeftOut) {
			at := m.where(t)
			now := r.follow(at, moves)
			if now == at {
				continue
			}
			if m == nil {
				m = relocation{}
				r.xa.moved[xid] = m
			}
			m[t], changed = now, true
		}
		if changed {
			value, err := json.Marshal(m)
			if err != nil {
				panic(err) // a map of strings: cannot fail
			}
			r.entries.put(movedKey(xid), value)
		}
	}
}

// follow returns where a table's rows are after moves.
func (r *Reader) follow(at string, moves []schema.Move) string {
	for _, v := range moves {
		if at == gone || at == unclear || at == manyTables {
			return at
		}
		database, name, _ := cutTable(at)
		here, from := r.foldName(schema.TableName{Database: database, Name: name}), r.foldName(v.From)
		switch {
		case here.Database != from.Database || from.Name != "" && here.Name != from.Name:
		case v.Unclear:
			at = unclear
		case v.To == schema.TableName{}:
			at = gone
		default:
			at = v.To.Database + "\x00" + v.To.Name
		}
	}
	return at
}

// moving has the rows of a transaction go to where its tables are by now.
type moving struct {
	where    func(table string) string
	selected func(database, table string) bool
	gone     map[uint64]bool // by table ID
}

// event gives a table map the name that its table has now; rows: those that are
// gone are told to be left out.
func (m *moving) event(e *dump.Event, idSize int) (left bool, err error) {
	id, ok := tableID(e.Body, idSize)
	if !ok {
		return false, fmt.Errorf("%w: an event of %d bytes", ErrEvent, len(e.Body))
	}
	if e.Type != dump.EvTableMap {
		return m.gone[id], nil
	}
	database, table, ok := tableNames(e.Body[idSize:])
	if !ok {
		return false, nil // as it will be told
	}
	was := database + "\x00" + table
	now := m.where(was)
	if m.gone == nil {
		m.gone = map[uint64]bool{}
	}
	if m.gone[id] = now == gone; m.gone[id] || now == was {
		return m.gone[id], nil
	}
	if now == unclear {
		if !m.selected(database, table) {
			return false, nil
		}
		return false, (relocation{was: now}).clear(was)
	}
	toDatabase, toTable, _ := strings.Cut(now, "\x00")
	head, rest := idSize+2, idSize+2+1+len(database)+1+1+len(table)+1
	body := slices.Clone(e.Body[:head])
	for _, name := range []string{toDatabase, toTable} {
		body = append(append(append(body, byte(len(name))), name...), 0)
	}
	e.Body = append(body, e.Body[rest:]...)
	return false, nil
}
