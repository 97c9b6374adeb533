package binlog

import (
	"bytes"
	"errors"
	"fmt"

	"daybook/binlog/schema"
	"daybook/change"
)

// doubtPrefix begins the keys of the tables in doubt among the entries.
var doubtPrefix = []byte("u\x00")

func doubtKey(n schema.TableName) []byte { return []byte("u\x00" + n.Database + "\x00" + n.Name) }

// doubt notes of which selected tables it is not certain that a statement
// changed them, and not a temporary table that a session had before the reading
// began. Before their next row they are looked up. So are those of a DROP TABLE that failed
// for a foreign key: before 8.0 MySQL does not say which of them stayed; and those of a CREATE
// TABLE that does not tell all that the table has.
func (r *Reader) doubt(it *item, result *schema.Result) {
	for _, t := range result.Tables {
		n := schema.TableName{Database: t.Database, Name: t.Name}
		selected := r.filter.Table(t.Database, t.Name)
		switch {
		case selected && (t.Type == change.Dropped && it.query.refused || t.Type == change.Created && result.Abridged):
			r.beginDoubt(n)
		case t.Type == change.Dropped || t.Type == change.Created && !result.InDoubt:
			r.certain(n)
		case !result.InDoubt || !selected:
		case t.Type == change.Truncated:
			r.log.Warn("a table is told as truncated that may not have been: it was a temporary table, if the session has one of that name that was created before the reading began or with sql_log_bin=0",
				"source", r.o.Source.Address, "file", r.stream.file, "pos", r.stream.start, "table", t.Database+"."+t.Name, "thread", it.query.thread)
		default:
			r.beginDoubt(n)
		}
	}
}

func (r *Reader) beginDoubt(n schema.TableName) {
	n = r.foldName(n)
	r.doubted[n] = true
	r.entries.put(doubtKey(n), []byte{'1'})
}

// certain ends the doubt about a table.
func (r *Reader) certain(n schema.TableName) {
	if n = r.foldName(n); r.doubted[n] {
		delete(r.doubted, n)
		r.entries.put(doubtKey(n), nil)
	}
}

// inDoubt tells whether a table is to be looked up before its rows are read.
func (r *Reader) inDoubt(s *tableState) bool {
	return len(r.doubted) > 0 && r.doubted[r.foldName(schema.TableName{Database: s.database, Name: s.table})]
}

// leaveDoubt goes on with the rows of a table in doubt that was looked up
// without an answer, as the catalog knows it.
func (r *Reader) leaveDoubt(l *lookup, err error) error {
	if !errors.Is(err, errGone) && !errors.Is(err, errChanged) {
		return fmt.Errorf("look up %s: %w", l.name(), err)
	}
	r.log.Warn("it is not certain that a table is as its DDL says: that was about a temporary table of its name that was created before the reading began or with sql_log_bin=0, or leaves out AUTO_INCREMENT, comments and such, as CREATE … SELECT does in some sql_modes; it is followed as it is written",
		"source", r.o.Source.Address, "file", r.stream.file, "pos", r.stream.start, "table", l.name().String(), "error", err)
	r.certain(l.name())
	return r.startRows(l.rows, l.undone)
}

func (r *Reader) loadDoubt(key []byte) error {
	parts := bytes.Split(key, []byte{0})
	if len(parts) != 3 {
		return fmt.Errorf("table in doubt %q", key)
	}
	r.doubted[schema.TableName{Database: string(parts[1]), Name: string(parts[2])}] = true
	return nil
}
