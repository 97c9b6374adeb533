package dump

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strings"

	"daybook/binlog/cursor"
)

// EventType is the type code of a binlog event.
// Source: mysql::binlog::event::Log_event_type; from 160 on MariaDB's.
type EventType uint8

const (
	EvStartV3            EventType = 1
	EvQuery              EventType = 2
	EvStop               EventType = 3
	EvRotate             EventType = 4
	EvIntvar             EventType = 5
	EvLoad               EventType = 6
	EvSlave              EventType = 7
	EvCreateFile         EventType = 8
	EvAppendBlock        EventType = 9
	EvExecLoad           EventType = 10
	EvDeleteFile         EventType = 11
	EvNewLoad            EventType = 12
	EvRand               EventType = 13
	EvUserVar            EventType = 14
	EvFormatDescription  EventType = 15
	EvXID                EventType = 16
	EvBeginLoadQuery     EventType = 17
	EvExecuteLoadQuery   EventType = 18
	EvTableMap           EventType = 19
	EvWriteRowsV0        EventType = 20
	EvDeleteRowsV1       EventType = 25
	EvIncident           EventType = 26
	EvHeartbeat          EventType = 27
	EvIgnorable          EventType = 28
	EvRowsQuery          EventType = 29
	EvWriteRowsV2        EventType = 30
	EvDeleteRowsV2       EventType = 32
	EvGTID               EventType = 33
	EvAnonymousGTID      EventType = 34
	EvPreviousGTIDs      EventType = 35
	EvTransactionContext EventType = 36
	EvViewChange         EventType = 37
	EvXAPrepare          EventType = 38
	EvPartialUpdateRows  EventType = 39
	EvTransactionPayload EventType = 40
	EvHeartbeatV2        EventType = 41
	EvGTIDTagged         EventType = 42
	evConsensusLog       EventType = 101 // to evGCN: ApsaraDB's cluster edition and PolarDB-X, before a group and about no row
	evGCN                EventType = 105
	EvAnnotateRows       EventType = 160
	EvBinlogCheckpoint   EventType = 161
	EvMariaGTID          EventType = 162
	EvMariaGTIDList      EventType = 163
	EvStartEncryption    EventType = 164
	EvQueryCompressed    EventType = 165

	EvWriteRowsCompressedV1  EventType = 166
	EvDeleteRowsCompressedV1 EventType = 168
)

const (
	HeaderSize   = 19
	checksumSize = 4

	FlagThreadSpecific = 0x04 // of a statement that used a temporary table
	FlagArtificial     = 0x20
	FlagIgnorable      = 0x80
	flagInUse          = 0x01
)

// IsRows tells whether t is one of the events that hold rows.
func (t EventType) IsRows() bool {
	return t >= EvWriteRowsV0 && t <= EvDeleteRowsV1 || t >= EvWriteRowsV2 && t <= EvDeleteRowsV2 || t == EvPartialUpdateRows ||
		t >= EvWriteRowsCompressedV1 && t <= EvDeleteRowsCompressedV1
}

// IsGTID tells whether t is one of the events that begin a group and name it.
func (t EventType) IsGTID() bool {
	return t == EvGTID || t == EvAnonymousGTID || t == EvGTIDTagged || t == EvMariaGTID
}

// Event is one event of the stream, without the checksum. Body aliases the
// feed's buffers and is good until the next event is asked for, or for as long
// as the event is retained.
type Event struct {
	Timestamp uint32
	Type      EventType
	ServerID  uint32
	Size      uint32 // in the binlog: with header and checksum
	LogPos    uint32
	Flags     uint16
	Body      []byte
	Raw       []byte // header and body as they were sent, without the checksum

	buffer *buffer // that the bytes lie in
}

// InGroup tells the events that belong to a group from those that belong to a
// file or to the connection, and from unknown ones that may be ignored.
func (e *Event) InGroup() bool {
	switch e.Type {
	case EvRotate, EvFormatDescription, EvPreviousGTIDs, EvMariaGTIDList, EvStop, EvIgnorable,
		EvTransactionContext, EvViewChange, EvBinlogCheckpoint, EvStartEncryption, EvHeartbeat, EvHeartbeatV2:
		return false
	}
	return !e.OfService() && (e.Flags&FlagIgnorable == 0 || e.Type == EvRowsQuery)
}

// OfService tells the events that a service writes for itself, and does not mark as ignorable.
func (e *Event) OfService() bool { return e.Type >= evConsensusLog && e.Type <= evGCN }

// sumBytes is how much of an event Sum looks at. A large one is not fetched
// whole only to know it again: its header alone has its size, time and end.
const sumBytes = 1 << 10

// Sum returns the CRC32 of the event as it was sent, or of its beginning: of two
// events at the same place it tells whether they are the same one.
func (e *Event) Sum() uint32 { return crc32.ChecksumIEEE(e.Raw[:min(len(e.Raw), sumBytes)]) }

// Retain keeps the event's bytes until Release.
func (e *Event) Retain() {
	if e.buffer != nil {
		e.buffer.refs.Add(1)
	}
}

// Release gives up what Retain kept.
func (e *Event) Release() {
	if e.buffer != nil {
		e.buffer.release()
	}
}

// ParseEvent splits an event into header and body. checksum tells whether the
// last four bytes are one.
func ParseEvent(b []byte, checksum bool) (Event, error) { return parseEvent(b, checksum, false) }

// parseEvent splits an event of which, if cut, only the beginning is there.
func parseEvent(b []byte, checksum, cut bool) (Event, error) {
	if len(b) < HeaderSize {
		return Event{}, fmt.Errorf("%w: %d bytes are less than an event's header", ErrEvent, len(b))
	}
	e := Event{
		Timestamp: binary.LittleEndian.Uint32(b),
		Type:      EventType(b[4]),
		ServerID:  binary.LittleEndian.Uint32(b[5:]),
		Size:      binary.LittleEndian.Uint32(b[9:]),
		LogPos:    binary.LittleEndian.Uint32(b[13:]),
		Flags:     binary.LittleEndian.Uint16(b[17:]),
		Body:      b[HeaderSize:],
	}
	if int64(e.Size) != int64(len(b)) && !cut {
		return Event{}, fmt.Errorf("%w: event of type %d says it has %d bytes and has %d", ErrEvent, e.Type, e.Size, len(b))
	}
	if checksum && !cut && !bare(b) {
		if len(e.Body) < checksumSize {
			return Event{}, fmt.Errorf("%w: event of type %d has no room for its checksum", ErrEvent, e.Type)
		}
		e.Body = e.Body[:len(e.Body)-checksumSize]
	}
	e.Raw = b[:HeaderSize+len(e.Body)]
	if e.Type == EvStartEncryption && e.LogPos == 0 {
		// MariaDB repeats it before an encrypted file's middle, and does not mark it as made up.
		e.Flags |= FlagArtificial
	}
	return e, nil
}

// NotMade stands for the time of a file that does not tell when it was made, as what Galera nodes of MariaDB begin when one
// joins: 0 is a position's that does not know it.
const NotMade = 1

// Made returns when the file was made that the format description e begins, in seconds since the epoch; NotMade: it does not
// tell.
func (e *Event) Made() uint32 { return max(e.Timestamp, NotMade) }

// bare tells an event that is a header alone, without the checksum that its file's events end with. MariaDB's Galera
// nodes write such in place of what they cannot write of streaming replication, when a node joins.
func bare(b []byte) bool { return len(b) == HeaderSize && EventType(b[4]) == EvIgnorable }

// checksumOK compares the CRC32 in an event's last four bytes.
func checksumOK(b []byte) bool {
	n := len(b) - checksumSize
	return n >= HeaderSize && crc32.ChecksumIEEE(b[:n]) == binary.LittleEndian.Uint32(b[n:])
}

// Format is what a FORMAT_DESCRIPTION_EVENT tells.
type Format struct {
	Made        uint32 // when the file was made; see [Event.Made]
	Begins      bool   // it is the first one since the server was started
	Version     string // of the server that wrote the file
	Number      int    // of that version, such as 80036; 0: it has none
	Checksum    bool   // the file's events end with a CRC32
	TableIDSize int    // bytes of a table ID, 4 or 6
}

// ParseFormat reads a format description event's body, which ends with the checksum algorithm
// and room for a checksum in servers that know checksums.
func ParseFormat(b []byte) (Format, error) {
	r := cursor.Cursor{B: b}
	if v := r.U16(); r.Err == nil && v != 4 {
		return Format{}, fmt.Errorf("%w: binlog format version %d", ErrEvent, v)
	}
	var f Format
	f.Version = cString(r.Bytes(50))
	f.Number = versionNumber(f.Version)
	f.Begins = r.U32() != 0 // when the server was started
	if n := r.U8(); r.Err != nil || n != HeaderSize {
		return Format{}, fmt.Errorf("%w: a format description with event headers of %d bytes", ErrEvent, n)
	}
	lengths := r.B
	f.TableIDSize = 6
	if i := int(EvTableMap) - 1; i < len(lengths) && lengths[i] == 6 {
		f.TableIDSize = 4
	}
	if v := versionNumber(f.Version); v >= 50601 || v >= 50300 && strings.Contains(f.Version, "MariaDB") {
		if len(lengths) < 1+checksumSize {
			return Format{}, fmt.Errorf("%w: a format description that is cut short", ErrEvent)
		}
		switch alg := lengths[len(lengths)-1-checksumSize]; alg {
		case 0, 255:
		case 1:
			f.Checksum = true
		default:
			return Format{}, fmt.Errorf("%w: checksum algorithm %d is not known", ErrEvent, alg)
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

// ParseRotate reads a ROTATE_EVENT: the file and offset where the stream goes on.
func ParseRotate(b []byte) (file string, pos uint64, err error) {
	r := cursor.Cursor{B: b}
	pos = r.U64()
	if r.Err != nil || len(r.B) == 0 || pos < 4 {
		return "", 0, fmt.Errorf("%w: a rotate event without a file", ErrEvent)
	}
	return string(r.B), pos, nil
}
