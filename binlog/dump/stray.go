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

// maxOrigins bounds a BinlogState.
const maxOrigins = 1000

// add notes a transaction. Sequences may go back, with gtid_strict_mode=OFF.
func (b BinlogState) add(g GTID) {
	o := OriginServer{g.Domain, g.Server}
	if last, ok := b[o]; ok || len(b) < maxOrigins {
		b[o] = max(last, g.Seq)
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

// noteRead keeps what strays needs.
func (p *Position) noteRead(g GTID) {
	if p.Since == nil && p.GTIDs != nil {
		p.Since = p.GTIDs.Clone()
	}
	if p.Read == nil {
		p.Read, p.Back = BinlogState{}, BinlogState{}
	}
	p.Read.add(g)
	if o := (OriginServer{g.Domain, g.Server}); g.Seq < p.Read[o] {
		p.Back[o] = g.Seq
	} else {
		delete(p.Back, o)
	}
}

// strays returns those that were not read of the transactions that a MariaDB server has
// up to a position in its binlog, and that it will not send: in the domains of the
// position, and later than where reading began.
//
// A MariaDB replica's position is one GTID of each domain. Unless gtid_strict_mode is
// ON, a server may have committed something itself in between, which no other has.
func (p *Position) strays(there BinlogState) BinlogState {
	strays := BinlogState{}
	for o, seq := range there {
		if p.isStray(GTID{Domain: o.Domain, Server: o.Server, Seq: seq}) {
			strays[o] = seq
		}
	}
	return strays
}

func (p *Position) isStray(g GTID) bool {
	_, follows := p.GTIDs.domains[g.Domain]
	return follows && g.Seq > p.Read[OriginServer{g.Domain, g.Server}] && g.Seq > p.began(g.Domain).Seq
}

// began returns the GTID that reading began behind.
func (p *Position) began(domain uint32) GTID {
	if p.Since == nil {
		return p.GTIDs.domains[domain]
	}
	return p.Since.domains[domain]
}

// noStrays refuses a server that has strays up to the group that was read last, if one stands
// behind a transaction that was read. What stands before them all is how it was set up: a dump
// was loaded into it.
func (d *placing) noStrays(ctx context.Context, there BinlogState) error {
	strays := d.p.strays(there)
	if len(strays) == 0 {
		return nil
	}
	file, before, err := d.before(ctx, strays)
	if err != nil {
		return fmt.Errorf("look for the transactions %s, which were not read: %w", strays, err)
	}
	if file == "" {
		d.log.Warn("the source has committed something itself that was not read and is in binlogs that are purged", "source", d.c.source.Address, "gtids", strays.String())
		return nil
	}
	stray, err := d.behindRead(ctx, file, before)
	if err != nil {
		return fmt.Errorf("look for the transactions %s, which were not read: %w", strays, err)
	}
	if stray.IsZero() {
		return nil
	}
	next, err := d.behindLast(ctx)
	if err != nil {
		return err
	}
	return &MissingError{Next: next, Kind: ErrOtherServer, Text: fmt.Sprintf("%s, and in its binlogs the transaction %s stands before %s, up to which was read, "+
		"but was not read: it was committed on this server alone. Look at what it changed (mysqlbinlog), and compare the data", d.otherName(), &stray, &d.p.LastGroup.GTID)}
}

// before returns the newest binlog that begins before all of the strays, and the state
// that it begins with; "": none does.
func (d *placing) before(ctx context.Context, strays BinlogState) (string, BinlogState, error) {
	for _, l := range slices.Backward(d.logs) {
		if l.gone() {
			continue
		}
		state := BinlogState{}
		err := d.look(ctx, From{File: l.name, Pos: 4}, func(e seen) error {
			switch {
			case e.Type == EvMariaGTIDList:
				if err := eachListed(e.Body, state.add); err != nil {
					return err
				}
				return errEnough
			case e.InGroup():
				return errEnough
			}
			return nil
		})
		if err != nil {
			return "", nil, err
		}
		if len(d.p.strays(state)) == 0 {
			return l.name, state, nil
		}
	}
	return "", nil, nil
}

// behindRead reads from the file's beginning up to the group that was read last, and
// returns the first stray that stands behind a transaction that was read, and may have changed
// something; zero: there is none.
func (d *placing) behindRead(ctx context.Context, file string, state BinlogState) (stray GTID, err error) {
	var found GTID
	err = d.look(ctx, From{File: file, Pos: 4}, func(e seen) error {
		if !found.IsZero() && e.Type != EvMariaGTID && !isAdministrative(e.Event) {
			stray = found
			return errEnough
		}
		if found = (GTID{}); e.Type != EvMariaGTID {
			return nil
		}
		t, err := ParseTransactionStart(e.Event)
		switch {
		case err != nil:
			return err
		case t.GTID == d.p.LastGroup.GTID:
			return errEnough
		case d.p.isStray(t.GTID) && d.p.hasRead(state, t.GTID.Domain):
			found = t.GTID
		}
		state.add(t.GTID)
		return nil
	})
	return stray, err
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

// hasRead tells whether a state has something of the domain that was read, or what
// reading began right behind.
func (p *Position) hasRead(there BinlogState, domain uint32) bool {
	began := p.began(domain)
	for o, seq := range there {
		g := GTID{Domain: o.Domain, Server: o.Server, Seq: seq}
		if o.Domain == domain && (g == began || seq > began.Seq && seq <= p.Read[o]) {
			return true
		}
	}
	return false
}

// behindLast returns where the group begins that follows the one that was read last.
func (d *placing) behindLast(ctx context.Context) (Place, error) {
	var at Place
	found := false
	err := d.look(ctx, From{GTIDs: d.p.GTIDs.Without(d.p.LastGroup.GTID)}, func(e seen) error {
		if e.end == 0 {
			return nil
		}
		if e.Type == EvMariaGTID {
			if at = (Place{e.file, e.start}); found {
				return errEnough
			}
			t, err := ParseTransactionStart(e.Event)
			if err != nil {
				return err
			}
			found = t.GTID == d.p.LastGroup.GTID
		}
		at = Place{e.file, e.end}
		return nil
	})
	return at, err
}
