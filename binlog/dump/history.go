package dump

import (
	"context"
	"fmt"
	"slices"
)

// history compares what a MariaDB server's binlogs have, up to the group that was read last, with what was
// read. The last number of each server does not tell it: unless gtid_strict_mode is ON a
// server may lack a transaction, or have one that no other has, and have later ones of the same server.
//
// A server that filters what it replicates lacks numbers, too, and is followed. So what the numbers of
// one server leave out counts only if another one's has that number, as it has if the two committed
// without knowing of each other.
type history struct {
	p           *Position
	before      BinlogState       // what stood before the first file; nil: not told yet
	first, last map[uint32]uint64 // of each domain, the numbers of what was read and stands there
	left        Sequences         // what was read and was not met
	met         GTID              // a stray, of which it is not known whether it changes something
	stray       GTID              // one that may have changed something
	filtered    GTID              // one that is no stray, but was not read
	complete    bool              // the group that was read last was met
	unlogged    *GTIDSet          // what the server has replicated, if it does not log that; nil: it does
}

// sameHistory refuses a server that has strays up to the group that was read last, if one stands behind a
// transaction that was read, and one that has lost what it should have. What stands before them
// all is how it was set up: a dump was loaded into it.
func (d *placing) sameHistory(ctx context.Context) error {
	if d.p.Flavor != MariaDB || d.read == (Place{}) || d.p.LastGroup.GTID.IsZero() {
		return nil
	}
	strays := d.p.strays(d.had)
	if len(strays) == 0 && !d.p.Read.shared() && (d.sameServer() || !d.s.LogsReplicated()) {
		return nil
	}
	file, err := d.historyFrom(ctx, strays)
	h := history{p: d.p, first: map[uint32]uint64{}, last: map[uint32]uint64{}, left: d.p.Read.clone()}
	if err == nil && !d.s.LogsReplicated() {
		h.unlogged, err = d.c.Replicated(ctx, d.s)
	}
	if err == nil {
		err = d.look(ctx, From{File: file, Pos: 4}, h.see)
	}
	if err != nil {
		return fmt.Errorf("compare the binlogs up to %s with what was read: %w", &d.p.LastGroup.GTID, err)
	}
	if !h.stray.IsZero() {
		return d.strayed(h.stray)
	}
	lost, filtered := h.lost()
	if !lost.IsZero() {
		return d.mayCatchUp(d.lost(lost))
	}
	if !h.filtered.IsZero() {
		d.log.Warn("the source's binlogs have what was not read: the former source may filter what it replicates", "source", d.c.source.Address, "gtid", h.filtered.String())
	}
	if !filtered.IsZero() {
		d.lacks = append(d.lacks, fmt.Sprintf("the source's binlogs lack the transaction %s, which was read, and have later ones: it filters what it replicates, or was told to pass over some (gtid_slave_pos)", &filtered))
	}
	return nil
}

// historyFrom returns the file to look from: before all of the strays that are known, and as far before
// the group that was read last as is looked at for what is not likely.
func (d *placing) historyFrom(ctx context.Context, strays BinlogState) (string, error) {
	at := slices.IndexFunc(d.logs, func(l binaryLog) bool { return l.name == d.read.File })
	if at < 0 {
		at = len(d.logs) - 1 // another file was begun since
	}
	if len(strays) > 0 {
		switch i, err := d.beginsBefore(ctx); {
		case err != nil:
			return "", err
		case i < 0:
			d.log.Warn("the source has committed something itself that was not read and is in binlogs that are purged", "source", d.c.source.Address, "gtids", strays.String())
		default:
			at = min(at, i)
		}
	}
	for left := uint64(scanned); at > 0 && !d.logs[at-1].gone() && d.logs[at-1].size <= left; at-- {
		left -= d.logs[at-1].size
	}
	return d.logs[at].name, nil
}

// see is shown each event.
func (h *history) see(e seen) error {
	if !h.met.IsZero() && e.Type != EvMariaGTID && !isAdministrative(e.Event) {
		h.stray = h.met
		return errEnough
	}
	h.met = GTID{}
	switch {
	case e.Type == EvMariaGTIDList && h.before == nil:
		h.before = BinlogState{}
		return eachListed(e.Body, h.stoodBefore)
	case e.Type == EvMariaGTID:
		t, err := ParseTransactionStart(e.Event)
		if err != nil {
			return err
		}
		h.stands(t.GTID)
		if t.GTID == h.p.LastGroup.GTID {
			h.complete = true
			return errEnough
		}
	}
	return nil
}

// stoodBefore is told the last transaction of each server before the first file.
func (h *history) stoodBefore(g GTID) {
	h.before.add(g)
	if h.p.mayHaveRead(g) {
		h.first[g.Domain] = max(h.first[g.Domain], g.Seq)
	}
}

// stands is told each transaction.
func (h *history) stands(g GTID) {
	if !h.p.followsDomain(g.Domain) {
		return
	}
	first, behind := h.first[g.Domain]
	switch {
	case h.p.mayHaveRead(g):
		h.left.remove(g)
		if h.last[g.Domain] = g.Seq; !behind {
			h.first[g.Domain] = g.Seq
		}
	case behind && h.p.isStray(g):
		h.met = g
	case behind && g.Seq > max(first, h.p.began(g.Domain).Seq) && h.filtered.IsZero():
		h.filtered = g
	}
}

// lost returns a transaction that was read and should stand there, and one that a filter may have kept
// from the server; zero: there is none.
func (h *history) lost() (lost, filtered GTID) {
	if !h.complete {
		return GTID{}, GTID{}
	}
	for o, q := range h.left {
		first, behind := h.first[o.Domain]
		if !behind || h.p.wentBack(o.Domain) {
			continue
		}
		from := int64(max(first, h.before[o]) + 1)
		for _, v := range q.read {
			if v = (interval{max(v.start, from), min(v.stop, int64(h.last[o.Domain])+1)}); v.start >= v.stop {
				continue
			}
			if n := h.p.Read.twin(o, v); n != 0 {
				return GTID{Domain: o.Domain, Server: o.Server, Seq: n}, GTID{}
			}
			if last := (GTID{Domain: o.Domain, Server: o.Server, Seq: uint64(v.stop) - 1}); h.unlogged == nil || !h.p.isReplicated(last, h.unlogged) {
				filtered = GTID{Domain: o.Domain, Server: o.Server, Seq: uint64(v.start)}
			}
		}
	}
	return GTID{}, filtered
}
