package tail

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"daybook/recordbatch"
)

// What a text that says where to begin can fail with.
var (
	ErrPlace   = errors.New("no place in the log")
	ErrNotHere = errors.New("it is not in the log")
)

var (
	gtidMySQL   = regexp.MustCompile(`^([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?::[a-z_][a-z0-9_]*)?):([0-9]+)$`)
	gtidMariaDB = regexp.MustCompile(`^([0-9]+-[0-9]+)-([0-9]+)$`)
)

// gtid is a GTID: of one origin and in MariaDB domain and server, the number counts up.
type gtid struct {
	origin string
	number uint64
}

func parseGTID(s string) (gtid, bool) {
	for _, form := range []*regexp.Regexp{gtidMySQL, gtidMariaDB} {
		if m := form.FindStringSubmatch(s); m != nil {
			n, err := strconv.ParseUint(m[2], 10, 64)
			return gtid{strings.ToLower(m[1]), n}, err == nil
		}
	}
	return gtid{}, false
}

// Find returns the offset that a text names: earliest, latest, an offset, a time, a
// duration before now, or a GTID, of which it is the first record, or that of the next
// one of the same origin if it has none. A time later than all records is the log's end.
func (l *Log) Find(ctx context.Context, from string) (int64, error) {
	start, end := l.Partition.LogStartOffset(), l.Partition.HighWatermark()
	switch from {
	case "", "latest":
		return end, nil
	case "earliest":
		return start, nil
	}
	if n, err := strconv.ParseInt(from, 10, 64); err == nil && n >= 0 {
		if n > end {
			return 0, fmt.Errorf("%w: offset %d, and the log has %d to %d", ErrNotHere, n, start, end)
		}
		return n, nil
	}
	if ago, ok := durationOf(strings.TrimSuffix(from, " ago")); ok {
		return l.atTime(time.Now().Add(-ago), end)
	}
	if at, err := time.Parse(time.RFC3339, from); err == nil {
		return l.atTime(at, end)
	}
	_, notDate := time.Parse(time.DateOnly, from) // which looks like a GTID of MariaDB
	if g, ok := parseGTID(from); ok && notDate != nil {
		return l.atGTID(ctx, from, g)
	}
	return 0, fmt.Errorf("%w: from is none of earliest, latest, an offset, a time (2006-01-02T15:04:05Z), a duration before now (10m), and a GTID (uuid:n, or domain-server-n)", ErrPlace)
}

// durationOf reads a duration, as 10m, or as days: 2d.
func durationOf(s string) (time.Duration, bool) {
	if days, err := strconv.ParseUint(strings.TrimSuffix(s, "d"), 10, 16); err == nil && strings.HasSuffix(s, "d") {
		return time.Duration(days) * 24 * time.Hour, true
	}
	d, err := time.ParseDuration(s)
	return d, err == nil && d >= 0
}

func (l *Log) atTime(at time.Time, end int64) (int64, error) {
	offset, _, found, err := l.Partition.OffsetForTime(at.UnixMilli())
	if err != nil || found {
		return offset, err
	}
	return end, nil
}

// atGTID looks through the log. A batch whose last record is of the same origin and comes
// before is passed over, unless the GTID itself is in it: replicas may commit in another order.
func (l *Log) atGTID(ctx context.Context, name string, g gtid) (int64, error) {
	s := &search{Log: l, want: g, text: []byte(`"gtid":"` + strings.ToLower(name) + `"`), from: l.Partition.LogStartOffset(), end: l.Partition.HighWatermark()}
	start := s.from
	for s.from < s.end && !s.found {
		if err := s.batch(ctx); err != nil {
			return 0, err
		}
	}
	switch {
	case !s.found:
		return 0, fmt.Errorf("%w: the records at offsets %d to %d have neither GTID %s nor a later one of its origin", ErrNotHere, start, s.end, name)
	case s.at.number > g.number && !s.earlier && start > 0:
		return 0, fmt.Errorf("%w: GTID %s; the first of its origin there is number %d, at offset %d", ErrNotHere, name, s.at.number, s.offset)
	}
	return s.offset, nil
}

type search struct {
	*Log
	want      gtid
	text      []byte // as it stands in a record
	from, end int64
	buf       []byte
	found     bool
	earlier   bool // one of the same origin came before
	at        gtid
	offset    int64
}

func (s *search) batch(ctx context.Context) error {
	select {
	case s.Turn <- struct{}{}:
		defer func() { <-s.Turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	b, err := s.Partition.Read(s.buf[:0], s.from, 0)
	if err != nil || len(b) == 0 {
		s.from = s.end
		return err
	}
	if s.buf = b; cap(b) > maxKept {
		s.buf = nil
	}
	h, err := recordbatch.ParseHeader(b)
	if err != nil {
		return err
	}
	s.from = h.NextOffset()
	var all []recordbatch.Record
	for r, err := range recordbatch.Records(b) {
		if err != nil {
			return err
		}
		if r.Value != nil {
			all = append(all, r)
		}
	}
	if len(all) == 0 {
		return nil
	}
	last, err := gtidOf(&all[len(all)-1])
	if err != nil {
		return err
	}
	if last.origin == s.want.origin && last.number < s.want.number && !bytes.Contains(b, s.text) {
		s.earlier = true
		return nil
	}
	for i := range all {
		at, err := gtidOf(&all[i])
		if err != nil {
			return err
		}
		if at.origin != s.want.origin {
			continue
		}
		if at.number >= s.want.number {
			s.found, s.at, s.offset = true, at, all[i].Offset
			return nil
		}
		s.earlier = true
	}
	return nil
}

func gtidOf(r *recordbatch.Record) (gtid, error) {
	rec, err := parse(r)
	if err != nil {
		return gtid{}, err
	}
	g, _ := parseGTID(rec.source.GTID)
	return g, nil
}
