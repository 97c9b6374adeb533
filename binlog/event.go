package binlog

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"

	"github.com/google/uuid"
)

// eventType is the type code of a binlog event.
// Source: mysql::binlog::event::Log_event_type; from 160 on MariaDB's.
type eventType uint8

const (
	evStartV3            eventType = 1
	evQuery              eventType = 2
	evStop               eventType = 3
	evRotate             eventType = 4
	evIntvar             eventType = 5
	evLoad               eventType = 6
	evSlave              eventType = 7
	evCreateFile         eventType = 8
	evAppendBlock        eventType = 9
	evExecLoad           eventType = 10
	evDeleteFile         eventType = 11
	evNewLoad            eventType = 12
	evRand               eventType = 13
	evUserVar            eventType = 14
	evFormatDescription  eventType = 15
	evXID                eventType = 16
	evBeginLoadQuery     eventType = 17
	evExecuteLoadQuery   eventType = 18
	evTableMap           eventType = 19
	evIncident           eventType = 26
	evHeartbeat          eventType = 27
	evIgnorable          eventType = 28
	evRowsQuery          eventType = 29
	evGTID               eventType = 33
	evAnonymousGTID      eventType = 34
	evPreviousGTIDs      eventType = 35
	evTransactionContext eventType = 36
	evViewChange         eventType = 37
	evXAPrepare          eventType = 38
	evTransactionPayload eventType = 40
	evHeartbeatV2        eventType = 41
	evGTIDTagged         eventType = 42
	evAnnotateRows       eventType = 160
	evBinlogCheckpoint   eventType = 161
	evMariaGTID          eventType = 162
	evMariaGTIDList      eventType = 163
	evStartEncryption    eventType = 164
	evQueryCompressed    eventType = 165
)

const (
	headerSize   = 19
	checksumSize = 4

	flagArtificial = 0x20
	flagIgnorable  = 0x80
	flagInUse      = 0x01
)

// event is one event of the stream, without the checksum. body aliases the
// reader's buffers and is good until the next event is asked for.
type event struct {
	timestamp uint32
	typ       eventType
	serverID  uint32
	size      uint32 // in the binlog: with header and checksum
	logPos    uint32
	flags     uint16
	body      []byte
}

// parseEvent splits an event into header and body. checksum tells whether the
// last four bytes are one.
func parseEvent(b []byte, checksum bool) (event, error) {
	if len(b) < headerSize {
		return event{}, fmt.Errorf("%w: %d bytes are less than an event's header", ErrEvent, len(b))
	}
	e := event{
		timestamp: binary.LittleEndian.Uint32(b),
		typ:       eventType(b[4]),
		serverID:  binary.LittleEndian.Uint32(b[5:]),
		size:      binary.LittleEndian.Uint32(b[9:]),
		logPos:    binary.LittleEndian.Uint32(b[13:]),
		flags:     binary.LittleEndian.Uint16(b[17:]),
		body:      b[headerSize:],
	}
	if int64(e.size) != int64(len(b)) {
		return event{}, fmt.Errorf("%w: event of type %d says it has %d bytes and has %d", ErrEvent, e.typ, e.size, len(b))
	}
	if checksum {
		if len(e.body) < checksumSize {
			return event{}, fmt.Errorf("%w: event of type %d has no room for its checksum", ErrEvent, e.typ)
		}
		e.body = e.body[:len(e.body)-checksumSize]
	}
	return e, nil
}

// checksumOK compares the CRC32 in an event's last four bytes.
func checksumOK(b []byte) bool {
	n := len(b) - checksumSize
	return n >= headerSize && crc32.ChecksumIEEE(b[:n]) == binary.LittleEndian.Uint32(b[n:])
}

// format is what a FORMAT_DESCRIPTION_EVENT tells.
type format struct {
	timestamp   uint32 // when the file was made
	version     string
	checksum    bool
	tableIDSize int
}

// parseFormat reads the event's body, which ends with the checksum algorithm
// and room for a checksum in servers that know checksums.
func parseFormat(b []byte) (format, error) {
	r := reader{b: b}
	if v := r.u16(); r.err == nil && v != 4 {
		return format{}, fmt.Errorf("%w: binlog format version %d", ErrEvent, v)
	}
	var f format
	f.version = cString(r.bytes(50))
	r.u32() // creation time
	if n := r.u8(); r.err != nil || n != headerSize {
		return format{}, fmt.Errorf("%w: a format description with event headers of %d bytes", ErrEvent, n)
	}
	lengths := r.b
	f.tableIDSize = 6
	if i := int(evTableMap) - 1; i < len(lengths) && lengths[i] == 6 {
		f.tableIDSize = 4
	}
	if v := versionNumber(f.version); v >= 50601 || v >= 50300 && strings.Contains(f.version, "MariaDB") {
		if len(lengths) < 1+checksumSize {
			return format{}, fmt.Errorf("%w: a format description that is cut short", ErrEvent)
		}
		switch alg := lengths[len(lengths)-1-checksumSize]; alg {
		case 0, 255:
		case 1:
			f.checksum = true
		default:
			return format{}, fmt.Errorf("%w: checksum algorithm %d is not known", ErrEvent, alg)
		}
	}
	return f, nil
}

func cString(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

func parseRotate(b []byte) (file string, pos uint64, err error) {
	r := reader{b: b}
	pos = r.u64()
	if r.err != nil || len(r.b) == 0 || pos < 4 {
		return "", 0, fmt.Errorf("%w: a rotate event without a file", ErrEvent)
	}
	return string(r.b), pos, nil
}

// transactionStart is what a GTID event of any kind tells.
type transactionStart struct {
	gtid   gtid
	micros int64 // immediate_commit_timestamp; 0: not told
	maria  mariaFlags
}

// mariaFlags are the flags of MariaDB's GTID event. Source: Gtid_log_event.
type mariaFlags uint8

const (
	mariaStandalone mariaFlags = 1
	mariaPreparedXA mariaFlags = 64
)

// parseGTID reads GTID_EVENT and ANONYMOUS_GTID_EVENT.
func parseGTID(b []byte) (transactionStart, error) {
	r := reader{b: b}
	r.u8() // flags
	var t transactionStart
	copy(t.gtid.sid.uuid[:], r.bytes(16))
	t.gtid.gno = int64(r.u64())
	if r.err != nil {
		return t, fmt.Errorf("%w: GTID event: %w", ErrEvent, r.err)
	}
	if r.u8() != 2 { // logical timestamps follow; nothing else ever did
		return t, nil
	}
	r.bytes(16)
	const twoTimestamps = 1 << 55
	if micros := r.uint(7); r.err == nil {
		t.micros = int64(micros &^ twoTimestamps)
	}
	return t, nil
}

// parseTaggedGTID reads GTID_TAGGED_LOG_EVENT, whose fields are numbered in
// the manner of mysql::serialization.
func parseTaggedGTID(b []byte) (transactionStart, error) {
	r := reader{b: b}
	r.varint() // version of the serialization
	r.varint() // size
	r.varint() // last field that must be known
	var t transactionStart
	for field := uint64(0); field <= 6 && r.err == nil && len(r.b) > 0; {
		switch field = r.varint(); field {
		case 0:
			r.varint()
		case 1:
			var id uuid.UUID
			for i := range id {
				id[i] = byte(r.varint())
			}
			t.gtid.sid.uuid = id
		case 2:
			t.gtid.gno = r.svarint()
		case 3:
			t.gtid.sid.tag = string(r.bytes(int(r.varint())))
		case 4, 5:
			r.svarint()
		case 6:
			t.micros = int64(r.varint())
		}
		if field >= 6 {
			break
		}
	}
	if r.err != nil || t.gtid.gno < 1 || t.micros < 0 {
		return t, fmt.Errorf("%w: tagged GTID event that cannot be understood", ErrEvent)
	}
	return t, nil
}

// parseMariaGTID reads MariaDB's GTID event; the server ID is the header's.
func parseMariaGTID(b []byte, serverID uint32) (transactionStart, error) {
	r := reader{b: b}
	var t transactionStart
	t.gtid.seq = r.u64()
	t.gtid.domain = r.u32()
	t.gtid.server = serverID
	t.maria = mariaFlags(r.u8())
	if r.err != nil {
		return t, fmt.Errorf("%w: GTID event: %w", ErrEvent, r.err)
	}
	return t, nil
}

// parseGTIDList reads MariaDB's GTID_LIST event: the state before its file.
func parseGTIDList(b []byte) (*gtidSet, error) {
	r := reader{b: b}
	s := newGTIDSet(MariaDB)
	for n := r.u32() & (1<<28 - 1); n > 0 && r.err == nil; n-- {
		g := gtid{domain: r.u32(), server: r.u32(), seq: r.u64()}
		if r.err == nil && g.seq > 0 {
			// Several servers of a domain are listed, the last one written last.
			s.domains[g.domain] = g
		}
	}
	if r.err != nil {
		return nil, fmt.Errorf("%w: GTID list event: %w", ErrEvent, r.err)
	}
	return s, nil
}
