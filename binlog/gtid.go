package binlog

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// gtid is one transaction's identifier in either notation.
type gtid struct {
	// MySQL: source_uuid[:tag]:transaction_id.
	sid sid
	gno int64 // 0: none
	// MariaDB: domain-server-sequence.
	domain, server uint32
	seq            uint64 // 0: none
}

type sid struct {
	uuid uuid.UUID
	tag  string
}

func (g *gtid) isZero() bool { return g.gno == 0 && g.seq == 0 }

// String gives the server's own notation; "" for none.
func (g *gtid) String() string {
	switch {
	case g.seq != 0:
		return fmt.Sprintf("%d-%d-%d", g.domain, g.server, g.seq)
	case g.gno == 0:
		return ""
	case g.sid.tag != "":
		return g.sid.uuid.String() + ":" + g.sid.tag + ":" + strconv.FormatInt(g.gno, 10)
	}
	var b [64]byte
	hex := g.sid.uuid.String()
	return string(strconv.AppendInt(append(append(b[:0], hex...), ':'), g.gno, 10))
}

// interval is the transaction IDs from start up to, not including, stop.
type interval struct{ start, stop int64 }

// gtidSet is the transactions executed so far: in MySQL every one, in MariaDB
// the last of each domain. Adding the next transaction neither copies nor
// encodes anything.
type gtidSet struct {
	flavor  Flavor
	sids    map[sid][]interval // ordered, disjoint, not adjacent
	domains map[uint32]gtid
}

var errGTID = errors.New("not a GTID set")

func newGTIDSet(f Flavor) *gtidSet {
	return &gtidSet{flavor: f, sids: map[sid][]interval{}, domains: map[uint32]gtid{}}
}

func (s *gtidSet) add(g gtid) {
	switch {
	case g.seq != 0:
		s.domains[g.domain] = g
	case g.gno != 0:
		s.sids[g.sid] = addInterval(s.sids[g.sid], interval{g.gno, g.gno + 1})
	}
}

// contains tells whether g is executed. In MariaDB that is a question of order
// within the domain.
func (s *gtidSet) contains(g gtid) bool {
	if g.seq != 0 {
		last, ok := s.domains[g.domain]
		return ok && last.seq >= g.seq
	}
	return slices.ContainsFunc(s.sids[g.sid], func(i interval) bool { return i.start <= g.gno && g.gno < i.stop })
}

// containsSet tells whether all of o is executed.
func (s *gtidSet) containsSet(o *gtidSet) bool {
	for _, g := range o.domains {
		if !s.contains(g) {
			return false
		}
	}
	for k, list := range o.sids {
		for _, want := range list {
			if !slices.ContainsFunc(s.sids[k], func(i interval) bool { return i.start <= want.start && want.stop <= i.stop }) {
				return false
			}
		}
	}
	return true
}

func addInterval(list []interval, add interval) []interval {
	if n := len(list); n > 0 && list[n-1].stop == add.start {
		list[n-1].stop = add.stop
		return list
	}
	i, _ := slices.BinarySearchFunc(list, add.start, func(v interval, start int64) int { return cmp.Compare(v.stop, start) })
	j := i
	for j < len(list) && list[j].start <= add.stop {
		add.start, add.stop = min(add.start, list[j].start), max(add.stop, list[j].stop)
		j++
	}
	return slices.Replace(list, i, j, add)
}

func (s *gtidSet) isEmpty() bool { return len(s.sids) == 0 && len(s.domains) == 0 }

func (s *gtidSet) clone() *gtidSet {
	c := &gtidSet{flavor: s.flavor, sids: make(map[sid][]interval, len(s.sids)), domains: maps.Clone(s.domains)}
	for k, v := range s.sids {
		c.sids[k] = slices.Clone(v)
	}
	return c
}

func (s *gtidSet) sortedSIDs() []sid {
	return slices.SortedFunc(maps.Keys(s.sids), func(a, b sid) int {
		return cmp.Or(bytes.Compare(a.uuid[:], b.uuid[:]), strings.Compare(a.tag, b.tag))
	})
}

// String gives the set in the server's own notation, in a fixed order.
func (s *gtidSet) String() string {
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

// encode gives the binary form of COM_BINLOG_DUMP_GTID: the number of SIDs
// (8 bytes, little-endian as all), and of each the UUID, the number of
// intervals and their bounds. With tags (MySQL 8.3) the first and last byte of
// the number say format 1, and the tag follows the UUID.
// Source: rpl_gtid_set.cc, Gtid_set::encode.
func (s *gtidSet) encode() []byte {
	keys := s.sortedSIDs()
	tagged := slices.ContainsFunc(keys, func(k sid) bool { return k.tag != "" })
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

// decodeGTIDSet reads what encode writes, and PREVIOUS_GTIDS_EVENT.
func decodeGTIDSet(b []byte) (*gtidSet, error) {
	s := newGTIDSet(MySQL)
	r := reader{b: b}
	n := r.u64()
	tagged := n>>56 == 1
	if tagged {
		n = n << 8 >> 16
	}
	for ; n > 0 && r.err == nil; n-- {
		var k sid
		copy(k.uuid[:], r.bytes(16))
		if tagged {
			k.tag = string(r.bytes(int(r.u8() >> 1)))
		}
		for m := r.u64(); m > 0 && r.err == nil; m-- {
			v := interval{int64(r.u64()), int64(r.u64())}
			if r.err == nil && (v.start < 1 || v.stop <= v.start) {
				return nil, fmt.Errorf("%w: interval %d-%d", errGTID, v.start, v.stop)
			}
			if r.err == nil {
				s.sids[k] = addInterval(s.sids[k], v)
			}
		}
	}
	if r.err != nil {
		return nil, fmt.Errorf("%w: %w", errGTID, r.err)
	}
	return s, nil
}

// parseGTIDSet reads a set in the flavor's notation; whitespace is ignored.
func parseGTIDSet(f Flavor, text string) (*gtidSet, error) {
	s := newGTIDSet(f)
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

// parseGTIDText reads one GTID; "" is none.
func parseGTIDText(f Flavor, text string) (gtid, error) {
	s, err := parseGTIDSet(f, text)
	if err != nil {
		return gtid{}, err
	}
	for _, g := range s.domains {
		return g, onlyOne(len(s.domains) == 1, text)
	}
	for k, v := range s.sids {
		return gtid{sid: k, gno: v[0].start}, onlyOne(len(s.sids) == 1 && len(v) == 1 && v[0].stop == v[0].start+1, text)
	}
	return gtid{}, nil
}

func onlyOne(ok bool, text string) error {
	if !ok {
		return fmt.Errorf("%w: %q is not one GTID", errGTID, text)
	}
	return nil
}

func (s *gtidSet) parseDomain(part string) error {
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
		s.domains[uint32(domain)] = gtid{domain: uint32(domain), server: uint32(server), seq: seq}
	}
	return nil
}

func (s *gtidSet) parseSID(part string) error {
	f := strings.Split(part, ":")
	id, err := uuid.Parse(f[0])
	if err != nil || len(f[0]) != 36 || len(f) < 2 {
		return errors.New("want uuid:first-last")
	}
	k := sid{uuid: id}
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
		s.sids[k] = addInterval(s.sids[k], interval{start, stop + 1})
	}
	return nil
}

// isTag tells a tag from an interval: it begins with a letter or underscore.
func isTag(s string) bool {
	return s != "" && len(s) <= 32 && (s[0] == '_' || s[0] >= 'a' && s[0] <= 'z' || s[0] >= 'A' && s[0] <= 'Z')
}
