package dump

import (
	"fmt"

	"github.com/google/uuid"

	"daybook/binlog/cursor"
)

// TransactionStart is what a GTID event of any kind tells of the group that it
// begins.
type TransactionStart struct {
	GTID GTID // zero: anonymous
	// Micros is when this server committed, OriginalMicros when the first one
	// did, in microseconds since the epoch; 0: not told.
	Micros, OriginalMicros int64
	// MySQL's logical clock, which counts in each file: a transaction meets none
	// of those that have a higher Sequence than its LastCommitted. 0: not told.
	LastCommitted, Sequence int64
	MariaDB                 MariaGroup
}

// MariaGroup is what MariaDB's GTID event tells beside the GTID.
// Source: Gtid_log_event in sql/log_event.h.
type MariaGroup struct {
	Standalone bool // one statement, without COMMIT
	PreparedXA bool // ends with XA PREPARE; XID names it
	XID        string
	// The halves of an ALTER TABLE with binlog_alter_two_phase.
	StartAlter, CommitAlter, RollbackAlter bool
}

// ParseTransactionStart reads a GTID event of any kind.
func ParseTransactionStart(e Event) (TransactionStart, error) {
	var t TransactionStart
	var err error
	switch e.Type {
	case EvGTIDTagged:
		t, err = parseTaggedGTID(e.Body)
	case EvMariaGTID:
		t, err = parseMariaGTID(e.Body, e.ServerID)
	default:
		t, err = parseGTID(e.Body)
	}
	if e.Type == EvAnonymousGTID {
		t.GTID = GTID{}
	}
	return t, err
}

// parseGTID reads GTID_EVENT and ANONYMOUS_GTID_EVENT.
func parseGTID(b []byte) (TransactionStart, error) {
	r := cursor.Cursor{B: b}
	r.U8() // flags
	var t TransactionStart
	copy(t.GTID.SID.uuid[:], r.Bytes(16))
	t.GTID.GNO = int64(r.U64())
	if r.Err != nil {
		return t, fmt.Errorf("%w: GTID event: %w", ErrEvent, r.Err)
	}
	if r.U8() != 2 { // logical timestamps follow; nothing else ever did
		return t, nil
	}
	t.LastCommitted, t.Sequence = int64(r.U64()), int64(r.U64())
	const twoTimestamps = 1 << 55
	micros := r.Uint(7)
	if r.Err != nil {
		return t, nil // before 8.0.1
	}
	t.Micros = int64(micros &^ twoTimestamps)
	t.OriginalMicros = t.Micros
	if micros&twoTimestamps != 0 {
		t.OriginalMicros = int64(r.Uint(7))
	}
	return t, nil
}

// parseTaggedGTID reads GTID_TAGGED_LOG_EVENT, whose fields are numbered in
// the manner of mysql::serialization.
func parseTaggedGTID(b []byte) (TransactionStart, error) {
	r := cursor.Cursor{B: b}
	r.Varint() // version of the serialization
	r.Varint() // size
	r.Varint() // last field that must be known
	var t TransactionStart
	for field := uint64(0); field < 7 && r.Err == nil && len(r.B) > 0; {
		switch field = r.Varint(); field {
		case 0:
			r.Varint()
		case 1:
			var id uuid.UUID
			for i := range id {
				id[i] = byte(r.Varint())
			}
			t.GTID.SID.uuid = id
		case 2:
			t.GTID.GNO = r.Svarint()
		case 3:
			t.GTID.SID.tag = string(r.Bytes(int(r.Varint())))
		case 4:
			t.LastCommitted = r.Svarint()
		case 5:
			t.Sequence = r.Svarint()
		case 6:
			t.Micros = int64(r.Varint())
			t.OriginalMicros = t.Micros
		case 7:
			t.OriginalMicros = int64(r.Varint())
		}
	}
	if r.Err != nil || t.GTID.GNO < 1 || t.Micros < 0 {
		return t, fmt.Errorf("%w: tagged GTID event that cannot be understood", ErrEvent)
	}
	return t, nil
}

// The flags of MariaDB's GTID event that matter here.
const (
	mariaStandalone    = 1
	mariaGroupCommitID = 2
	mariaPreparedXA    = 64
	mariaCompletedXA   = 128

	mariaStartAlter    = 2
	mariaCommitAlter   = 4
	mariaRollbackAlter = 8
)

// parseMariaGTID reads MariaDB's GTID event; the server ID is the header's.
func parseMariaGTID(b []byte, serverID uint32) (TransactionStart, error) {
	r := cursor.Cursor{B: b}
	var t TransactionStart
	t.GTID.Seq = r.U64()
	t.GTID.Domain = r.U32()
	t.GTID.Server = serverID
	flags := r.U8()
	if r.Err != nil {
		return t, fmt.Errorf("%w: GTID event: %w", ErrEvent, r.Err)
	}
	t.MariaDB.Standalone = flags&mariaStandalone != 0
	t.MariaDB.PreparedXA = flags&mariaPreparedXA != 0
	if flags&mariaGroupCommitID != 0 {
		r.U64()
	}
	if flags&(mariaPreparedXA|mariaCompletedXA) != 0 {
		format, global, branch := r.U32(), int(r.U8()), int(r.U8())
		id := r.Bytes(global + branch)
		if r.Err != nil {
			return t, fmt.Errorf("%w: GTID event: XID: %w", ErrEvent, r.Err)
		}
		t.MariaDB.XID = FormatXID(id[:global], id[global:], format)
	}
	if len(r.B) > 0 {
		more := r.U8()
		t.MariaDB.StartAlter = more&mariaStartAlter != 0
		t.MariaDB.CommitAlter = more&mariaCommitAlter != 0
		t.MariaDB.RollbackAlter = more&mariaRollbackAlter != 0
	}
	return t, nil
}

// FormatXID gives an XID in the form in which servers write it into statements.
func FormatXID(global, branch []byte, format uint32) string {
	return fmt.Sprintf("X'%x',X'%x',%d", global, branch, format)
}

// ParsePreviousGTIDs reads the state that a file begins with:
// PREVIOUS_GTIDS_EVENT, or MariaDB's GTID_LIST_EVENT.
func ParsePreviousGTIDs(e Event) (*GTIDSet, error) {
	if e.Type == EvMariaGTIDList {
		return parseGTIDList(e.Body)
	}
	s, err := DecodeGTIDSet(e.Body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEvent, err)
	}
	return s, nil
}

// parseGTIDList reads MariaDB's GTID_LIST event: the state before its file.
func parseGTIDList(b []byte) (*GTIDSet, error) {
	s := NewGTIDSet(MariaDB)
	// Several servers of a domain are listed, the last one written last.
	return s, eachListed(b, s.Add)
}

// eachListed hands out the GTIDs of a GTID_LIST event: the last one of each domain
// and server.
func eachListed(b []byte, add func(GTID)) error {
	r := cursor.Cursor{B: b}
	for n := r.U32() & (1<<28 - 1); n > 0 && r.Err == nil; n-- {
		g := GTID{Domain: r.U32(), Server: r.U32(), Seq: r.U64()}
		if r.Err == nil && g.Seq > 0 {
			add(g)
		}
	}
	if r.Err != nil {
		return fmt.Errorf("%w: GTID list event: %w", ErrEvent, r.Err)
	}
	return nil
}
