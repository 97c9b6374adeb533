package binlog

import (
	"bytes"
	"strings"

	"daybook/binlog/dump"
)

// statement is what a query event does to the transaction that it is in. Of
// the words of a statement only those count that servers write themselves.
type statement uint8

const (
	stOther statement = iota // changes rows or definitions, or nothing
	stBegin
	stCommit
	stRollback
	stRollbackTo
	stSavepoint
	stReleaseSavepoint
	stXAStart
	stXAEnd
	stXAPrepare
	stXACommit
	stXARollback
)

// statementHeads are the statements that begin, divide and end transactions.
// Longer ones come before those that they begin with.
var statementHeads = []struct {
	head  string
	exact bool
	is    statement
}{
	{"BEGIN", true, stBegin},
	{"START TRANSACTION", true, stBegin},
	{"COMMIT", true, stCommit},
	{"ROLLBACK", true, stRollback},
	{"ROLLBACK TO ", false, stRollbackTo},
	{"SAVEPOINT ", false, stSavepoint},
	{"RELEASE SAVEPOINT ", false, stReleaseSavepoint},
	{"XA START ", false, stXAStart},
	{"XA BEGIN ", false, stXAStart},
	{"XA END ", false, stXAEnd},
	{"XA PREPARE ", false, stXAPrepare},
	{"XA COMMIT ", false, stXACommit},
	{"XA ROLLBACK ", false, stXARollback},
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

// savepointOf returns the name in a statement about a savepoint, folded as
// servers compare it.
func savepointOf(sql []byte) string {
	words := strings.TrimRight(string(sql), " ;")
	for _, lead := range []string{"ROLLBACK TO ", "RELEASE ", "SAVEPOINT "} {
		if len(words) > len(lead) && strings.EqualFold(words[:len(lead)], lead) {
			words = strings.TrimLeft(words[len(lead):], " ")
		}
	}
	if n := len(words); n > 1 && words[0] == words[n-1] && (words[0] == '`' || words[0] == '"') {
		quote := words[:1]
		words = strings.ReplaceAll(words[1:n-1], quote+quote, quote)
	}
	return strings.ToLower(words)
}

// xidOf returns the XID as the statement writes it.
func xidOf(sql []byte) string {
	_, rest, _ := bytes.Cut(sql[3:], []byte(" "))
	return strings.TrimSuffix(string(bytes.TrimSpace(rest)), " ONE PHASE")
}

// bounds tells where event groups begin and end.
type bounds struct {
	open     bool // an event of the group was seen
	explicit bool // it ends with an event of its own, not with its first statement
}

// endsFile tells the events at which a group that is open has been cut off: the
// source crashed while it wrote the group, and never committed it.
func endsFile(e *dump.Event) bool {
	return e.Type == dump.EvRotate && e.Flags&dump.FlagArtificial == 0 || e.Type == dump.EvFormatDescription || e.Type == dump.EvStop
}

// add takes the group's next event and tells whether the group ends with it.
// q and st are those of a query event.
func (b *bounds) add(e *dump.Event, q *query, st statement) (ends bool) {
	b.open = true
	if e.Type.IsRows() {
		// Without BEGIN: what MySQL 5.6 logs at the first change of a MEMORY table after
		// a restart, behind the statement that empties it.
		return !b.explicit && endsStatement(e)
	}
	switch e.Type {
	case dump.EvXID, dump.EvXAPrepare, dump.EvTransactionPayload, dump.EvIncident:
		return true
	case dump.EvMariaGTID:
		// Every transaction has one in place of BEGIN; what stands alone says so.
		t, err := dump.ParseTransactionStart(*e)
		b.explicit = err == nil && (!t.MariaDB.Standalone || t.MariaDB.PreparedXA)
	case dump.EvQuery, dump.EvQueryCompressed, dump.EvExecuteLoadQuery:
		return b.statement(q, st)
	}
	return false
}

// endsStatement tells a rows event that is the last one of its statement. (Table
// IDs of four bytes are of times when no rows were logged without BEGIN.)
func endsStatement(e *dump.Event) bool {
	const idSize = 6
	return len(e.Body) > idSize && e.Body[idSize]&1 != 0
}

func (b *bounds) statement(q *query, st statement) (ends bool) {
	switch st {
	case stBegin, stXAStart:
		b.explicit = true
	case stCommit, stRollback, stXACommit, stXARollback:
		return true
	case stRollbackTo, stSavepoint, stReleaseSavepoint, stXAEnd, stXAPrepare:
	case stOther:
		if b.explicit {
			return false
		}
		// CREATE TABLE … SELECT (MySQL 8.0.21) opens a transaction by its last words.
		if b.explicit = bytes.HasSuffix(q.sql, []byte("START TRANSACTION")); !b.explicit {
			return true
		}
	}
	return false
}
