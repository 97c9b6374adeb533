package dump

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Overlap is the part of a server's binlogs that may hold what was read already, from
// another server or before a start at a GTID set, behind what was not. A position
// in it is gone on with by GTID set, as its file and offset tell less.
type Overlap struct {
	// Read is where the group that was read last elsewhere ends; zero: not known. Who commits on
	// one server alone has it before that.
	Read Place
	// Origin is the server that committed that group first; "": not known.
	Origin string
	// Parallel are transactions before that place that meet none of those that were read; nil: none.
	Parallel *GTIDSet
	// Known is what was read of each of MariaDB's domains when that dump began; nil: another server, or not known.
	Known *GTIDSet
	// Older are those of MySQL's servers that are below all that was read of them then: the source was set up from a copy
	// that had them, and was not told so. Nil: none.
	Older *GTIDSet
	// End is where the binlogs ended when the dump after the GTID set began: what follows is new.
	End Place
}

// overlap returns that of a dump that begins now: the binlogs have all of the GTID set.
func (d *placing) overlap(ctx context.Context) (Overlap, error) {
	logs, err := d.c.binaryLogs(ctx) // the server may be a replica that has just caught up
	if err != nil {
		return Overlap{}, err
	}
	last := logs[len(logs)-1]
	parallel, err := d.parallel(ctx)
	if err != nil {
		return Overlap{}, err
	}
	o := Overlap{Read: d.read, Parallel: parallel, Origin: d.p.LastGroup.GTID.origin(), End: Place{last.name, last.size}}
	if d.s.Flavor == MariaDB {
		o.Known = d.whole.GTIDs.Clone()
	} else if older := d.p.GTIDs.older(); !older.IsEmpty() {
		o.Older = older
	}
	return o, nil
}

// Settle says that the first group of a connection's dump has come, or that it began at
// the position's file and offset.
func (p *Position) Settle(c *Connection) {
	other := !p.IsOf(c.Status)
	if other {
		p.LastFile = ""
	}
	if other || p.Had == nil {
		p.Had = c.Had
	}
	p.SetServer(c.Status)
	if c.From.GTIDs != nil && (other || p.Overlap.End == (Place{})) {
		p.Overlap = c.Overlap
	}
	if c.From.GTIDs != nil {
		p.Told = c.Told
	}
}

// OutOfOrder is the error of a group at a place of the binlogs that stands before one that
// was read already, and was not committed where that was: on this server, or on another one. A
// replica that commits in another order than its source has groups of that server there, too, and
// others if it makes no difference.
func (p *Position) OutOfOrder(at Place, g GTID) *MissingError {
	read := p.Overlap.Read
	if read == (Place{}) || !at.Before(read) || p.GTIDs == nil || !p.commits(g) && (p.follows(g) || p.Overlap.Parallel != nil && p.Overlap.Parallel.Contains(g)) {
		return nil
	}
	why := "it was committed on this server alone, or on another one that is no source of those, when tables may have been others"
	if p.IsOld(g) {
		why = "it is older than all that was read of its server or GTID domain. Where reading began may have been set up from a copy that has it, and not been told so (gtid_purged, gtid_slave_pos)"
	}
	return &MissingError{Next: read, Kind: ErrOtherServer, Text: "transaction " + g.String() + " stands in the binlogs of this server before transactions that were read already, elsewhere: " +
		why + ". Look at what it changed (mysqlbinlog), and compare the data"}
}

// IsOld tells whether a transaction before what was read is of what the source had before it was set up: of a
// domain that was not read, or below all that was read of its server.
func (p *Position) IsOld(g GTID) bool {
	o := &p.Overlap
	return o.Older != nil && o.Older.Contains(g) || o.Known != nil && !o.Known.knows(g)
}

// follows tells whether a transaction may follow those that were read elsewhere, in another
// order: it is of the server that committed the last of them, or of a domain that was read,
// whose order MariaDB keeps.
func (p *Position) follows(g GTID) bool {
	switch {
	case p.IsOld(g): // what comes to nothing makes no domain known
		return false
	case p.Overlap.Known != nil:
		return true
	case g.Seq != 0 || p.Overlap.Origin == "":
		return p.GTIDs.knows(g)
	}
	return g.origin() == p.Overlap.Origin
}

// commits tells whether a transaction was committed first on the position's server.
func (p *Position) commits(g GTID) bool {
	if g.Seq != 0 {
		return g.Server == p.ServerID
	}
	return strings.EqualFold(g.origin(), p.ServerUUID)
}

// origin returns the server that committed a transaction first, of MySQL its UUID; "" for none.
func (g *GTID) origin() string {
	switch {
	case g.IsZero():
		return ""
	case g.Seq != 0:
		return strconv.FormatUint(uint64(g.Server), 10)
	}
	return g.SID.uuid.String()
}

// overlaps tells whether the position is in the overlap.
func (p *Position) overlaps() bool {
	return p.Overlap.End != (Place{}) && Place{p.File, p.Pos}.Before(p.Overlap.End)
}

// Before tells whether a place of a server's binlogs comes before another one. A file of another
// base name is a later one: log_bin was changed since.
func (p Place) Before(q Place) bool {
	if p.File == q.File {
		return p.Pos < q.Pos
	}
	base, number := splitName(p.File)
	other, limit := splitName(q.File)
	return base == other && number < limit
}

// save returns the text of a place; "" for none.
func (p Place) save() string {
	if p == (Place{}) {
		return ""
	}
	return p.String()
}

func loadPlace(text string) (Place, error) {
	if text == "" {
		return Place{}, nil
	}
	colon := strings.LastIndexByte(text, ':')
	pos, err := strconv.ParseUint(text[colon+1:], 10, 64)
	if err != nil || colon < 1 {
		return Place{}, fmt.Errorf("%q is no file and offset", text)
	}
	return Place{text[:colon], pos}, nil
}
