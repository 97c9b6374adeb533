package dump

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Sequences is what was read of the transactions of each of MariaDB's servers in each domain, by
// their sequence numbers. A MariaDB position does not tell it: it is the last GTID of each domain.
type Sequences map[OriginServer]sequence

// sequence is what was read of one server. Of the numbers up to floor it is not known.
type sequence struct {
	floor uint64
	read  []interval // ordered, disjoint, not adjacent; never empty
}

const (
	// maxOrigins bounds Sequences and a BinlogState.
	maxOrigins = 1000
	// maxIntervals bounds the intervals of one server, and maxSequences those of all, as they are saved with
	// each append. There are many where several servers commit in one domain by turns.
	maxIntervals, maxSequences = 64, 1024
)

// by returns the server that committed a transaction.
func (g *GTID) by() OriginServer { return OriginServer{g.Domain, g.Server} }

// add notes a transaction that was read, and gives up the oldest intervals of its server if there are too many.
func (s Sequences) add(g GTID) {
	q, ok := s[g.by()]
	if !ok && len(s) >= maxOrigins || g.Seq <= q.floor || g.Seq >= math.MaxInt64 {
		return
	}
	q.read = addInterval(q.read, interval{int64(g.Seq), int64(g.Seq) + 1})
	if extra := len(q.read) - max(1, min(maxIntervals, maxSequences/max(1, len(s)))); extra > 0 {
		q.floor = uint64(q.read[extra-1].stop - 1)
		q.read = slices.Delete(q.read, 0, extra)
	}
	s[g.by()] = q
}

// remove takes a transaction out.
func (s Sequences) remove(g GTID) {
	q, n := s[g.by()], int64(g.Seq)
	i := slices.IndexFunc(q.read, func(v interval) bool { return v.start <= n && n < v.stop })
	if i < 0 {
		return
	}
	var rest []interval
	for _, v := range []interval{{q.read[i].start, n}, {n + 1, q.read[i].stop}} {
		if v.start < v.stop {
			rest = append(rest, v)
		}
	}
	q.read = slices.Replace(q.read, i, i+1, rest...)
	s[g.by()] = q
}

// has tells whether a transaction was read; not of one that is not known.
func (s Sequences) has(g GTID) bool {
	return g.Seq < math.MaxInt64 && covers(s[g.by()].read, interval{int64(g.Seq), int64(g.Seq) + 1})
}

// last returns the highest number that was read of a server; 0: none.
func (s Sequences) last(o OriginServer) uint64 {
	if read := s[o].read; len(read) > 0 {
		return uint64(read[len(read)-1].stop - 1)
	}
	return 0
}

// twin returns the first number of an interval that was read of another server of the domain, too; 0:
// none. In a domain a number is used twice only where two servers committed without knowing of each other.
func (s Sequences) twin(o OriginServer, of interval) uint64 {
	first := int64(0)
	for other, q := range s {
		if other.Domain != o.Domain || other == o {
			continue
		}
		for _, v := range q.read {
			if n := max(v.start, of.start); n < min(v.stop, of.stop) && (first == 0 || n < first) {
				first = n
			}
		}
	}
	return uint64(first)
}

// shared tells whether several servers have committed in one domain.
func (s Sequences) shared() bool {
	domains := map[uint32]bool{}
	for o := range s {
		if domains[o.Domain] {
			return true
		}
		domains[o.Domain] = true
	}
	return false
}

// clone returns a copy that shares nothing.
func (s Sequences) clone() Sequences {
	if s == nil {
		return nil
	}
	c := make(Sequences, len(s))
	for o, q := range s {
		c[o] = sequence{q.floor, slices.Clone(q.read)}
	}
	return c
}

// String lists them as domain-server-floor:first-last:first-last….
func (s Sequences) String() string {
	var all []string
	for o, q := range s {
		b := fmt.Appendf(nil, "%d-%d-%d", o.Domain, o.Server, q.floor)
		for _, v := range q.read {
			if b = strconv.AppendInt(append(b, ':'), v.start, 10); v.stop > v.start+1 {
				b = strconv.AppendInt(append(b, '-'), v.stop-1, 10)
			}
		}
		all = append(all, string(b))
	}
	slices.Sort(all)
	return strings.Join(all, ",")
}

// parseSequences reads what String gives, and what was saved before there were intervals: the last GTID of each.
func parseSequences(text string) (Sequences, error) {
	s := Sequences{}
	for part := range strings.SplitSeq(text, ",") {
		head, intervals, known := strings.Cut(part, ":")
		var o OriginServer
		var q sequence
		if _, err := fmt.Sscanf(head, "%d-%d-%d", &o.Domain, &o.Server, &q.floor); err != nil {
			return nil, fmt.Errorf("%w: %q: %w", errGTID, part, err)
		}
		if !known {
			intervals, q.floor = strconv.FormatUint(q.floor, 10), max(q.floor, 1)-1
		}
		for item := range strings.SplitSeq(intervals, ":") {
			first, last, ranged := strings.Cut(item, "-")
			if !ranged {
				last = first
			}
			start, err := strconv.ParseInt(first, 10, 64)
			stop, err2 := strconv.ParseInt(last, 10, 64)
			if err != nil || err2 != nil || start < 1 || stop < start || stop == math.MaxInt64 {
				return nil, fmt.Errorf("%w: %q: %q is no first-last", errGTID, part, item)
			}
			q.read = addInterval(q.read, interval{start, stop + 1})
		}
		s[o] = q
	}
	return s, nil
}
