package binlog

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"daybook/change"
)

// A session may leave columns out of its row images (binlog_row_image other than
// FULL; MariaDB's FULL_NODUP leaves out nothing that the other image does not tell).
// They are Absent, and a consumer can tell that from NULL. It cannot tell a row by
// a key that is not there, nor what a row under a new key has in columns
// that neither image holds: those are errors.
//
// MariaDB from 11.8 on leaves generated columns out of the images of updates and
// deletes, whatever the session says. They are in no key there; a consumer that
// needs one computes it.

// imageInterval is how often it is told that rows of a table come with columns
// left out by a session, and maxImageWarnings how many tables are remembered to
// have been told of.
const (
	imageInterval    = time.Hour
	maxImageWarnings = 10_000
)

// leftOut acts on a rows event of which the images do not hold all columns.
func (r *Reader) leftOut(s *tableState, left []int) error {
	for _, c := range s.definition.Key() {
		if slices.Contains(left, c) {
			return fmt.Errorf("%w: rows of %s.%s without column %s of their key: %s",
				ErrEvent, s.database, s.table, s.definition.Columns[c].Name, findImageSession)
		}
	}
	bySession := slices.ContainsFunc(left, func(c int) bool { return !r.byServer(s, c) })
	if bySession && r.o.StopAtPartialImages {
		return fmt.Errorf("%w: %s.%s without %s, connection %d: %s", ErrPartialImage,
			s.database, s.table, columnNames(s, left), r.stream.group.thread, findImageSession)
	}
	name := s.database + "." + s.table
	if !r.dueToTell(name, bySession) {
		return nil
	}
	kind, why := PartialImages, findImageSession
	if !bySession {
		kind, why = GeneratedLeftOut, generatedLeftOut
	}
	if bySession && r.server.Load().Flavor == MariaDB {
		why += ", as MariaDB also leaves out some that a REPLACE or a trigger changed"
	}
	columns := columnNames(s, left)
	r.tell(kind, name, "rows come with columns left out, which their records lack: "+why, "columns", columns, "thread", r.stream.group.thread)
	return nil
}

// dueToTell tells whether it is time to tell of a table, and notes that it is
// told. What the server does by itself is told once.
func (r *Reader) dueToTell(name string, bySession bool) bool {
	now := time.Now()
	if last, told := r.o.Told[name]; told && (!bySession || now.Sub(last) < imageInterval) {
		return false
	}
	if len(r.o.Told) >= maxImageWarnings {
		maps.DeleteFunc(r.o.Told, func(_ string, last time.Time) bool { return now.Sub(last) >= imageInterval })
		if len(r.o.Told) >= maxImageWarnings {
			return false
		}
	}
	r.o.Told[name] = now
	return true
}

// columnNames joins the names of columns of a table.
func columnNames(s *tableState, columns []int) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = s.definition.Columns[c].Name
	}
	return strings.Join(names, ",")
}

const (
	findImageSession = "a session runs with a binlog_row_image other than FULL: find and change it"
	generatedLeftOut = "this MariaDB leaves generated columns out of updates and deletes"
)

// byServer tells whether a column that is left out may be so by the server's own
// doing.
func (r *Reader) byServer(s *tableState, column int) bool {
	return r.server.Load().Flavor == MariaDB && s.definition.Columns[column].Generated
}

// underNewKey refuses an update that gives a row another key if not all of the row
// is known: under that key it would be taken for whole.
func (r *Reader) underNewKey(s *tableState, c *change.Change) error {
	moved := slices.ContainsFunc(s.definition.Key(), func(i int) bool { return !c.Before[i].Equal(&c.After[i]) })
	if !moved {
		return nil
	}
	for i := range c.After {
		if c.After[i].Kind == change.Absent && !r.byServer(s, i) {
			return fmt.Errorf("%w: a row of %s.%s gets another key, and its column %s is not told: %s",
				ErrEvent, s.database, s.table, s.definition.Columns[i].Name, findImageSession)
		}
	}
	return nil
}
