package dump

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"daybook/binlog/cursor"
)

// GTIDs and their sets in the servers' notations, and in binary.

// String gives the set in the server's own notation, in a fixed order.
func (s *GTIDSet) String() string {
	var b []byte
	if s.flavor == MariaDB {
		for _, d := range slices.Sorted(maps.Keys(s.domains)) {
			if len(b) > 0 {
				b = append(b, ',')
			}
			g := s.domains[d]
			b = append(b, g.String()...)
		}
		return string(b)
	}
	var last uuid.UUID
	for i, k := range s.sortedSIDs() {
		if i == 0 || k.uuid != last {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, k.uuid.String()...)
			last = k.uuid
		}
		if k.tag != "" {
			b = append(append(b, ':'), k.tag...)
		}
		for _, v := range s.sids[k] {
			b = strconv.AppendInt(append(b, ':'), v.start, 10)
			if v.stop > v.start+1 {
				b = strconv.AppendInt(append(b, '-'), v.stop-1, 10)
			}
		}
	}
	return string(b)
}

// Brief is String, cut short for messages.
func (s *GTIDSet) Brief() string {
	const most = 200
	text := s.String()
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

// Encode gives the binary form of COM_BINLOG_DUMP_GTID: the number of SIDs
// (8 bytes, little-endian as all), and of each the UUID, the number of
// intervals and their bounds. With tags (MySQL 8.3) the first and last byte of
// the number say format 1, and the tag follows the UUID.
// Source: rpl_gtid_set.cc, Gtid_set::encode.
func (s *GTIDSet) Encode() []byte {
	keys := s.sortedSIDs()
	tagged := slices.ContainsFunc(keys, func(k SID) bool { return k.tag != "" })
	n := uint64(len(keys))
	if tagged {
		n = 1 | n<<8 | 1<<56
	}
	b := binary.LittleEndian.AppendUint64(nil, n)
	for _, k := range keys {
		b = append(b, k.uuid[:]...)
		if tagged {
			b = append(append(b, byte(len(k.tag)<<1)), k.tag...)
		}
		b = binary.LittleEndian.AppendUint64(b, uint64(len(s.sids[k])))
		for _, v := range s.sids[k] {
			b = binary.LittleEndian.AppendUint64(b, uint64(v.start))
			b = binary.LittleEndian.AppendUint64(b, uint64(v.stop))
		}
	}
	return b
}

// DecodeGTIDSet reads what Encode writes, and PREVIOUS_GTIDS_EVENT.
func DecodeGTIDSet(b []byte) (*GTIDSet, error) {
	s := NewGTIDSet(MySQL)
	r := cursor.Cursor{B: b}
	n := r.U64()
	tagged := n>>56 == 1
	if tagged {
		n = n << 8 >> 16
	}
	for ; n > 0 && r.Err == nil; n-- {
		var k SID
		copy(k.uuid[:], r.Bytes(16))
		if tagged {
			k.tag = string(r.Bytes(int(r.U8() >> 1)))
		}
		for m := r.U64(); m > 0 && r.Err == nil; m-- {
			v := interval{int64(r.U64()), int64(r.U64())}
			if r.Err == nil && (v.start < 1 || v.stop <= v.start) {
				return nil, fmt.Errorf("%w: interval %d-%d", errGTID, v.start, v.stop)
			}
			if r.Err == nil {
				s.addInterval(k, v)
			}
		}
	}
	if r.Err != nil {
		return nil, fmt.Errorf("%w: %w", errGTID, r.Err)
	}
	return s, nil
}

// ParseGTIDSet reads a set in the flavor's notation; whitespace is ignored.
func ParseGTIDSet(f Flavor, text string) (*GTIDSet, error) {
	s := NewGTIDSet(f)
	text = strings.Join(strings.Fields(text), "")
	for part := range strings.SplitSeq(text, ",") {
		if part == "" {
			continue
		}
		var err error
		if f == MariaDB {
			err = s.parseDomain(part)
		} else {
			err = s.parseSID(part)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %q: %w", errGTID, part, err)
		}
	}
	return s, nil
}

// ParseGTID reads one GTID; "" is none.
func ParseGTID(f Flavor, text string) (GTID, error) {
	s, err := ParseGTIDSet(f, text)
	if err != nil {
		return GTID{}, err
	}
	for _, g := range s.domains {
		return g, onlyOne(len(s.domains) == 1, text)
	}
	for k, v := range s.sids {
		return GTID{SID: k, GNO: v[0].start}, onlyOne(len(s.sids) == 1 && len(v) == 1 && v[0].stop == v[0].start+1, text)
	}
	return GTID{}, nil
}

func onlyOne(ok bool, text string) error {
	if !ok {
		return fmt.Errorf("%w: %q is not one GTID", errGTID, text)
	}
	return nil
}

func (s *GTIDSet) parseDomain(part string) error {
	f := strings.Split(part, "-")
	if len(f) != 3 {
		return errors.New("want domain-server-sequence")
	}
	domain, err1 := strconv.ParseUint(f[0], 10, 32)
	server, err2 := strconv.ParseUint(f[1], 10, 32)
	seq, err3 := strconv.ParseUint(f[2], 10, 64)
	if err := errors.Join(err1, err2, err3); err != nil {
		return err
	}
	if _, twice := s.domains[uint32(domain)]; twice {
		return errors.New("the domain is there twice")
	}
	if seq > 0 {
		s.Add(GTID{Domain: uint32(domain), Server: uint32(server), Seq: seq})
	}
	return nil
}

func (s *GTIDSet) parseSID(part string) error {
	f := strings.Split(part, ":")
	id, err := uuid.Parse(f[0])
	if err != nil || len(f[0]) != 36 || len(f) < 2 {
		return errors.New("want uuid:first-last")
	}
	k := SID{uuid: id}
	for _, item := range f[1:] {
		if isTag(item) {
			k.tag = strings.ToLower(item)
			continue
		}
		first, last, ranged := strings.Cut(item, "-")
		start, err := strconv.ParseInt(first, 10, 64)
		stop := start
		if err == nil && ranged {
			stop, err = strconv.ParseInt(last, 10, 64)
		}
		if err != nil {
			return err
		}
		if start < 1 || stop < start || stop == 1<<63-1 {
			return errors.New("want first-last, from 1")
		}
		s.addInterval(k, interval{start, stop + 1})
	}
	return nil
}

// isTag tells a tag from an interval: it begins with a letter or underscore.
func isTag(s string) bool {
	return s != "" && len(s) <= 32 && (s[0] == '_' || s[0] >= 'a' && s[0] <= 'z' || s[0] >= 'A' && s[0] <= 'Z')
}
