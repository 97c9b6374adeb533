package dump

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// GTID is one transaction's identifier in either notation.
type GTID struct {
	// MySQL: source_uuid[:tag]:transaction_id.
	SID SID
	GNO int64 // 0: none
	// MariaDB: domain-server-sequence.
	Domain, Server uint32
	Seq            uint64 // 0: none
}

type SID struct {
	uuid uuid.UUID
	tag  string
}

func (g *GTID) IsZero() bool { return g.GNO == 0 && g.Seq == 0 }

// String gives the server's own notation; "" for none.
func (g *GTID) String() string {
	switch {
	case g.Seq != 0:
		return fmt.Sprintf("%d-%d-%d", g.Domain, g.Server, g.Seq)
	case g.GNO == 0:
		return ""
	case g.SID.tag != "":
		return g.SID.uuid.String() + ":" + g.SID.tag + ":" + strconv.FormatInt(g.GNO, 10)
	}
	var b [64]byte
	hex := g.SID.uuid.String()
	return string(strconv.AppendInt(append(append(b[:0], hex...), ':'), g.GNO, 10))
}

// interval is the transaction IDs from start up to, not including, stop.
type interval struct{ start, stop int64 }

// GTIDSet is the transactions executed so far: in MySQL every one, in MariaDB
// the last of each domain. Adding the next transaction neither copies nor
// encodes anything.
type GTIDSet struct {
	flavor  Flavor
	sids    map[SID][]interval // ordered, disjoint, not adjacent
	domains map[uint32]GTID
	size    int      // intervals and domains
	since   *GTIDSet // what was added since base was saved, see Position.Save; nil: no base
	base    uint32   // names the base
}

var errGTID = errors.New("not a GTID set")

func NewGTIDSet(f Flavor) *GTIDSet {
	return &GTIDSet{flavor: f, sids: map[SID][]interval{}, domains: map[uint32]GTID{}}
}

// Add adds one transaction.
func (s *GTIDSet) Add(g GTID) {
	switch {
	case g.Seq != 0:
		s.domains[g.Domain] = g
		s.size = len(s.domains)
	case g.GNO != 0:
		s.addInterval(g.SID, interval{g.GNO, g.GNO + 1})
	}
	if s.since != nil {
		s.since.Add(g)
	}
}

// AddSet adds all of o.
func (s *GTIDSet) AddSet(o *GTIDSet) {
	for _, g := range o.domains {
		s.Add(g)
	}
	for k, list := range o.sids {
		for _, v := range list {
			if covers(s.sids[k], v) {
				continue
			}
			s.addInterval(k, v)
			if s.since != nil {
				s.since.addInterval(k, v)
			}
		}
	}
}

// of returns what of a MySQL set a server has committed itself.
func (s *GTIDSet) of(serverUUID string) *GTIDSet {
	own := NewGTIDSet(s.flavor)
	id, err := uuid.Parse(serverUUID)
	for k, list := range s.sids {
		if err == nil && k.uuid == id {
			own.sids[k] = slices.Clone(list)
		}
	}
	return own
}

// Without returns a copy that lacks g. In MariaDB that is the state before g, as
// a replica would tell it that has read the one before from the same server.
func (s *GTIDSet) Without(g GTID) *GTIDSet {
	c := s.Clone()
	if g.Seq != 0 {
		if delete(c.domains, g.Domain); g.Seq > 1 {
			c.domains[g.Domain] = GTID{Domain: g.Domain, Server: g.Server, Seq: g.Seq - 1}
		}
		return c
	}
	var list []interval
	for _, v := range s.sids[g.SID] {
		if g.GNO < v.start || g.GNO >= v.stop {
			list = append(list, v)
			continue
		}
		if v.start < g.GNO {
			list = append(list, interval{v.start, g.GNO})
		}
		if g.GNO+1 < v.stop {
			list = append(list, interval{g.GNO + 1, v.stop})
		}
	}
	if c.sids[g.SID] = list; len(list) == 0 {
		delete(c.sids, g.SID)
	}
	return c
}

// Contains tells whether g is executed. In MariaDB that is a question of order
// within the domain.
func (s *GTIDSet) Contains(g GTID) bool {
	if g.Seq != 0 {
		last, ok := s.domains[g.Domain]
		return ok && last.Seq >= g.Seq
	}
	return covers(s.sids[g.SID], interval{g.GNO, g.GNO + 1})
}

// knows tells whether the set has something of the server, or in MariaDB the domain, of g.
func (s *GTIDSet) knows(g GTID) bool {
	_, domain := s.domains[g.Domain]
	_, sid := s.sids[g.SID]
	return g.Seq != 0 && domain || g.GNO != 0 && sid
}

// minus returns what of a MySQL set is not in o.
func (s *GTIDSet) minus(o *GTIDSet) *GTIDSet {
	left := NewGTIDSet(s.flavor)
	for k, list := range s.sids {
		for _, v := range list {
			for _, w := range o.sids[k] {
				if w.start >= v.stop {
					break
				}
				if w.start > v.start {
					left.addInterval(k, interval{v.start, w.start})
				}
				v.start = max(v.start, w.stop)
			}
			if v.start < v.stop {
				left.addInterval(k, v)
			}
		}
	}
	return left
}

// older returns what is below all that a MySQL set has of each server.
func (s *GTIDSet) older() *GTIDSet {
	below := NewGTIDSet(s.flavor)
	for k, list := range s.sids {
		if len(list) > 0 && list[0].start > 1 {
			below.addInterval(k, interval{1, list[0].start})
		}
	}
	return below
}

// newest returns the last of each server, or in MariaDB of each domain.
func (s *GTIDSet) newest() []GTID {
	all := slices.Collect(maps.Values(s.domains))
	for k, list := range s.sids {
		if len(list) > 0 {
			all = append(all, GTID{SID: k, GNO: list[len(list)-1].stop - 1})
		}
	}
	return all
}

// lacksDomains returns the domains of o that s has nothing of.
func (s *GTIDSet) lacksDomains(o *GTIDSet) []uint32 {
	var lacking []uint32
	for _, d := range slices.Sorted(maps.Keys(o.domains)) {
		if _, ok := s.domains[d]; !ok {
			lacking = append(lacking, d)
		}
	}
	return lacking
}

// ContainsSet tells whether all of o is executed.
func (s *GTIDSet) ContainsSet(o *GTIDSet) bool {
	for _, g := range o.domains {
		if !s.Contains(g) {
			return false
		}
	}
	for k, list := range o.sids {
		for _, want := range list {
			if !covers(s.sids[k], want) {
				return false
			}
		}
	}
	return true
}

// covers tells whether v lies in one interval of the list.
func covers(list []interval, v interval) bool {
	i, found := slices.BinarySearchFunc(list, v.start, func(i interval, start int64) int { return cmp.Compare(i.start, start) })
	if !found {
		i--
	}
	return i >= 0 && v.stop <= list[i].stop
}

func (s *GTIDSet) addInterval(k SID, v interval) {
	before := s.sids[k]
	after := addInterval(before, v)
	s.size += len(after) - len(before)
	if len(before) == 0 || len(after) != len(before) {
		s.sids[k] = after
	}
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

func (s *GTIDSet) IsEmpty() bool { return len(s.sids) == 0 && len(s.domains) == 0 }

// Clone returns a copy that shares nothing.
func (s *GTIDSet) Clone() *GTIDSet {
	c := &GTIDSet{flavor: s.flavor, sids: make(map[SID][]interval, len(s.sids)), domains: maps.Clone(s.domains), size: s.size, base: s.base}
	if s.since != nil {
		c.since = s.since.Clone()
	}
	for k, v := range s.sids {
		c.sids[k] = slices.Clone(v)
	}
	return c
}

func (s *GTIDSet) sortedSIDs() []SID {
	return slices.SortedFunc(maps.Keys(s.sids), func(a, b SID) int {
		return cmp.Or(bytes.Compare(a.uuid[:], b.uuid[:]), strings.Compare(a.tag, b.tag))
	})
}
