package binlog

import (
	"fmt"
	"slices"
	"strings"

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

// maxImageWarnings bounds the tables that are remembered to have been warned of.
const maxImageWarnings = 10_000

// leftOut acts on a rows event of which the images do not hold all columns.
func (r *Reader) leftOut(s *tableState, left []int) error {
	for _, c := range s.definition.Key() {
		if slices.Contains(left, c) {
			return fmt.Errorf("%w: rows of %s.%s without column %s of their key: %s",
				ErrEvent, s.database, s.table, s.definition.Columns[c].Name, findImageSession)
		}
	}
	name := s.database + "." + s.table
	if r.warned[name] || len(r.warned) >= maxImageWarnings {
		return nil
	}
	r.warned[name] = true
	why := findImageSession
	if !slices.ContainsFunc(left, func(c int) bool { return !r.byServer(s, c) }) {
		why = generatedLeftOut
	}
	names := make([]string, len(left))
	for i, c := range left {
		names[i] = s.definition.Columns[c].Name
	}
	r.log.Warn("rows come with columns left out, which their records lack: "+why, "source", r.o.Source.Address, "table", name,
		"columns", strings.Join(names, ","), "thread", r.stream.group.thread, "file", r.stream.file, "pos", r.stream.start)
	return nil
}

const (
	findImageSession = "a session runs with a binlog_row_image other than FULL: find and change it"
	generatedLeftOut = "this MariaDB leaves generated columns out of updates and deletes"
)

// byServer tells whether a column that is left out may be so by the server's own
// doing.
func (r *Reader) byServer(s *tableState, column int) bool {
	return r.status.Flavor == MariaDB && s.definition.Columns[column].Generated
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
