package dump

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"daybook/binlog/cursor"
)

// BinlogState is the last sequence number of each of MariaDB's servers in each domain, as its
// variable gtid_binlog_state tells it.
type BinlogState map[OriginServer]uint64

// OriginServer is a server that commits in a domain.
type OriginServer struct{ Domain, Server uint32 }

// add notes a transaction. Sequences may go back, with gtid_strict_mode=OFF.
func (b BinlogState) add(g GTID) {
	if last, ok := b[g.by()]; ok || len(b) < maxOrigins {
		b[g.by()] = max(last, g.Seq)
	}
}

// String lists GTIDs.
func (b BinlogState) String() string {
	var all []string
	for o, seq := range b {
		all = append(all, (&GTID{Domain: o.Domain, Server: o.Server, Seq: seq}).String())
	}
	slices.Sort(all)
	return strings.Join(all, ",")
}

// Has tells whether the transactions of a MariaDB position may be among these: one of its server
// with its sequence number, or a later one, is.
func (b BinlogState) Has(position *GTIDSet) bool {
	for _, g := range position.domains {
		if b[OriginServer{g.Domain, g.Server}] < g.Seq {
			return false
		}
	}
	return true
}

// BinlogState returns what the server's binlogs have had, purged ones included.
func (c *Conn) BinlogState(ctx context.Context) (BinlogState, error) {
	text, err := c.value(ctx, "SELECT @@GLOBAL.gtid_binlog_state")
	if err != nil {
		return nil, err
	}
	return parseBinlogState(text)
}

func parseBinlogState(text string) (BinlogState, error) {
	b := BinlogState{}
	for part := range strings.SplitSeq(text, ",") {
		g, err := ParseGTID(MariaDB, part)
		if err != nil {
			return nil, err
		}
		if g.Seq != 0 {
			b.add(g)
		}
	}
	return b, nil
}

// noteRead keeps what a server in the source's place is compared with.
func (p *Position) noteRead(g GTID) {
	if p.Since == nil && p.GTIDs != nil {
		p.Since = p.GTIDs.Clone()
	}
	if p.Read == nil {
		p.Read, p.Back = Sequences{}, BinlogState{}
	}
	if p.Read.add(g); g.Seq < p.Read.last(g.by()) {
		p.Back[g.by()] = g.Seq
	} else {
		delete(p.Back, g.by())
	}
}

// strays returns those of the last transactions of a MariaDB server's state that are strays.
func (p *Position) strays(there BinlogState) BinlogState {
	strays := BinlogState{}
	for o, seq := range there {
		if p.isStray(GTID{Domain: o.Domain, Server: o.Server, Seq: seq}) {
			strays[o] = seq
		}
	}
	return strays
}

// isStray tells whether a transaction that stands before the group that was read last, so that
// it will not be sent, was not read, though its domain is followed and it is later than where reading began.
//
// A MariaDB replica's position is one GTID of each domain. Unless gtid_strict_mode is
// ON, a server may have committed something itself in between, which no other has. Below the last number that was
// read of its server a filter may have left it out; see [history].
func (p *Position) isStray(g GTID) bool {
	if !p.followsDomain(g.Domain) || g.Seq <= p.began(g.Domain).Seq || p.mayHaveRead(g) {
		return false
	}
	return g.Seq > p.Read.last(g.by()) || !p.wentBack(g.Domain) && p.Read.twin(g.by(), interval{int64(g.Seq), int64(g.Seq) + 1}) != 0
}

// mayHaveRead tells whether a transaction was read, or is what reading began right behind; it may be
// one of those of which that is not known.
func (p *Position) mayHaveRead(g GTID) bool {
	began := p.began(g.Domain)
	return g == began || p.Read.has(g) || g.Seq > began.Seq && g.Seq <= p.Read[g.by()].floor
}

func (p *Position) followsDomain(domain uint32) bool {
	_, follows := p.GTIDs.domains[domain]
	return follows
}

// wentBack tells whether the sequence of a server of the domain went back, so that numbers tell little.
func (p *Position) wentBack(domain uint32) bool {
	for o := range p.Back {
		if o.Domain == domain {
			return true
		}
	}
	return false
}

// began returns the GTID that reading began behind.
func (p *Position) began(domain uint32) GTID {
	if p.Since == nil {
		return p.GTIDs.domains[domain]
	}
	return p.Since.domains[domain]
}

// strayed is the error of a stray.
func (d *placing) strayed(stray GTID) error {
	return &MissingError{Next: d.read, Kind: ErrOtherServer, Text: fmt.Sprintf("%s, and in its binlogs the transaction %s stands before %s, up to which was read, "+
		"but was not read: it was committed on this server alone. Look at what it changed (mysqlbinlog), and compare the data", d.otherName(), &stray, &d.p.LastGroup.GTID)}
}

// beginsBefore returns the newest binlog that begins before all of the strays, by its index; -1: none does.
func (d *placing) beginsBefore(ctx context.Context) (int, error) {
	for i, l := range slices.Backward(d.logs) {
		if l.gone() {
			continue
		}
		state, err := d.listed(ctx, l.name)
		if err != nil {
			return 0, err
		}
		if len(d.p.strays(state)) == 0 {
			return i, nil
		}
	}
	return -1, nil
}

// administrative statements change no table's rows or definition: what is done to each server
// by itself, such as by a nightly mysqlcheck.
var administrative = regexp.MustCompile(`(?i)^\s*(?:ANALYZE|OPTIMIZE|REPAIR|CHECK|FLUSH|GRANT|REVOKE|(?:CREATE|ALTER|DROP|RENAME)\s+(?:USER|ROLE)|SET\s+PASSWORD)\b`)

func isAdministrative(e Event) bool {
	c := cursor.Cursor{B: e.Body}
	c.Bytes(8) // thread, time
	database := int(c.U8())
	c.U16() // error
	c.Bytes(int(c.U16()))
	c.Bytes(database + 1)
	return e.Type == EvQuery && c.Err == nil && administrative.Match(c.B)
}
