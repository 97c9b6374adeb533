package dump

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// executed returns the GTID set that the server has executed of the position. A
// MariaDB server that was set up from a copy, whose GTIDs it was told (gtid_slave_pos), or that does
// not log what it replicates, has what they say in no binlog. It serves a replica that is there.
func (d *placing) executed(ctx context.Context) (*GTIDSet, error) {
	executed, err := d.c.Executed(ctx, d.s)
	if err != nil || d.s.Flavor != MariaDB || executed.ContainsSet(d.p.GTIDs) {
		return executed, err
	}
	replicated, err := d.c.Replicated(ctx, d.s)
	if err != nil {
		return nil, err
	}
	for domain, g := range replicated.domains {
		if replicated.endsLike(d.p.GTIDs, domain) && !executed.Contains(g) {
			executed.Add(g)
		}
	}
	return executed, nil
}

// Had returns what a server has that does not log what it replicates, of which its binlogs need not tell: MySQL's gtid_purged, and
// what a MariaDB server has replicated. Nil: it logs that, or counts nothing.
func (c *Conn) Had(ctx context.Context, s *Status) (*GTIDSet, error) {
	switch {
	case s.LogsReplicated():
		return nil, nil
	case s.countsPurged():
		return c.gtidSet(ctx, s, "@@GLOBAL.gtid_purged")
	}
	return c.Replicated(ctx, s)
}

// Replicated returns what a MariaDB server has replicated last of each domain, or was told to have; nil: another server.
func (c *Conn) Replicated(ctx context.Context, s *Status) (*GTIDSet, error) {
	if s.Flavor != MariaDB {
		return nil, nil
	}
	return c.gtidSet(ctx, s, "@@GLOBAL.gtid_slave_pos")
}

// endsLike tells whether two MariaDB sets have the same GTID of a domain.
func (s *GTIDSet) endsLike(o *GTIDSet, domain uint32) bool {
	g, ok := s.domains[domain]
	return ok && o.domains[domain] == g
}

// isReplicated tells whether a server has a transaction that was read, by what it has replicated last of each domain: this one, or
// what came behind it, of its server or of another one. So it is for as long as numbers tell the order: no server's
// went back, and none is two servers'.
func (p *Position) isReplicated(g GTID, replicated *GTIDSet) bool {
	last, ok := replicated.domains[g.Domain]
	switch {
	case !ok || g.Seq > last.Seq || g == last:
		return ok && g == last
	case p.wentBack(g.Domain) || p.Read.twin(g.by(), interval{int64(g.Seq), int64(g.Seq) + 1}) != 0:
		return false
	}
	return g.Server == last.Server || p.mayHaveRead(last)
}

// isBuiltAt tells whether a MariaDB server was set up from a copy that ends with a
// transaction, so that its binlogs begin with what follows: of the domain they have
// nothing that was read, and then the next number. Or it is what the server has replicated last.
func (d *placing) isBuiltAt(ctx context.Context, g GTID) (bool, error) {
	replicated, err := d.c.Replicated(ctx, d.s)
	if err != nil || replicated.domains[g.Domain] == g {
		return err == nil, err
	}
	found, follows := false, false
	err = d.fromOldest(ctx, func(there GTID, at Place) bool {
		listed := at == Place{}
		if there.Domain == g.Domain && (there.Seq > g.Seq || d.p.mayHaveRead(there)) {
			found, follows = true, there.Seq == g.Seq+1 && !listed // of those that are listed one more is purged
		}
		return !found
	})
	return follows, err
}

// noneSkipped refuses a MariaDB server whose binlogs begin, in a domain, behind what follows the
// position: it was set up from a later copy than that, and begins with what it has.
func (d *placing) noneSkipped(ctx context.Context) error {
	if d.s.Flavor != MariaDB {
		return nil
	}
	logged, err := d.c.Executed(ctx, d.s)
	if err != nil {
		return err
	}
	open := map[uint32]GTID{}
	for domain, g := range d.p.GTIDs.domains {
		if _, ok := logged.domains[domain]; ok {
			open[domain] = g
		}
	}
	var skips *MissingError
	err = d.fromOldest(ctx, func(there GTID, at Place) bool {
		read, ok := open[there.Domain]
		delete(open, there.Domain)
		if listed := at == (Place{}); ok && !listed && there.Seq > read.Seq+1 && !d.p.mayHaveRead(there) {
			skips = &MissingError{Next: at, Text: fmt.Sprintf("%s, and of the domain %d its binlogs begin with the transaction %s, and up to %s was read: "+
				"it was set up from a later copy, and what is between is in no binlog of it", d.otherName(), there.Domain, &there, &read)}
		}
		return skips == nil && len(open) > 0
	})
	switch {
	case errors.Is(err, errTooFar):
		d.log.Warn("where the source's binlogs begin in each GTID domain could not be seen", "source", d.c.source.Address)
		return nil
	case err == nil && skips != nil:
		return skips
	}
	return err
}

// noneDeleted refuses a MariaDB server that has forgotten a domain of the position
// (DELETE_DOMAIN_ID): one of its binlogs lacks it in its list, and one before has it, or is the position's. If
// the domain was begun anew its numbers say nothing of what was read.
func (d *placing) noneDeleted(ctx context.Context) error {
	if d.s.Flavor != MariaDB {
		return nil
	}
	known := map[uint32]bool{}
	base, number := splitName(d.p.File)
	other, oldest := splitName(d.logs[0].name)
	for domain := range d.p.GTIDs.domains {
		known[domain] = d.sameServer() && base == other && number < oldest && !d.p.isTold(domain) // all of these are later
	}
	logs := slices.DeleteFunc(slices.Clone(d.logs), binaryLog.gone)
	for some := range slices.Chunk(logs, askedFiles) {
		begins, err := d.beginnings(ctx, some)
		if err != nil {
			return err
		}
		for i, l := range some {
			for domain, g := range d.p.GTIDs.domains {
				if known[domain] && !begins[i][domain] {
					return fmt.Errorf("%w: the source has forgotten the GTID domain %d before its file %s (DELETE_DOMAIN_ID): what it had after %s is not known", ErrPurged, domain, l.name, &g)
				}
				known[domain] = begins[i][domain]
			}
		}
	}
	return nil
}

// askedFiles is of how many files a server is asked at once: there may be thousands.
const askedFiles = 100

// beginnings returns the domains of the GTID positions that MariaDB's files begin with.
func (d *placing) beginnings(ctx context.Context, logs []binaryLog) ([]map[uint32]bool, error) {
	var ask []string
	for _, l := range logs {
		ask = append(ask, fmt.Sprintf("BINLOG_GTID_POS('%s', 4)", strings.ReplaceAll(l.name, "'", "''")))
	}
	rows, err := d.c.LongQuery(ctx, "SELECT "+strings.Join(ask, ", "))
	if err != nil {
		return nil, err
	}
	if len(rows) != 1 || len(rows[0]) != len(logs) {
		return nil, fmt.Errorf("%w: %d rows for where %d binlogs begin", ErrAnswer, len(rows), len(logs))
	}
	domains := make([]map[uint32]bool, len(logs))
	for i, text := range rows[0] {
		domains[i] = map[uint32]bool{}
		if text.Null { // a file of before MariaDB 10, or one that is purged or cannot be read: the dump says which
			state, err := d.listed(ctx, logs[i].name)
			if err != nil {
				return nil, err
			}
			for o := range state {
				domains[i][o.Domain] = true
			}
			continue
		}
		set, err := ParseGTIDSet(MariaDB, text.String)
		if err != nil {
			return nil, err
		}
		for domain := range set.domains {
			domains[i][domain] = true
		}
	}
	return domains, nil
}

// listed returns what a binlog's list has, the state that it begins with.
func (d *placing) listed(ctx context.Context, file string) (BinlogState, error) {
	state := BinlogState{}
	err := d.look(ctx, From{File: file, Pos: 4}, func(e seen) error {
		if e.Type == EvMariaGTIDList {
			if err := eachListed(e.Body, func(g GTID) { state[g.by()] = g.Seq }); err != nil { // all of them, whatever the bound of add
				return err
			}
			return errEnough
		}
		if e.InGroup() {
			return errEnough
		}
		return nil
	})
	return state, err
}

// fromOldest shows the transactions of a MariaDB server's binlogs from the oldest on, until more returns
// false; first those that its list has, without a place: the last of each server and domain in what was before.
// It gives up behind many bytes with errTooFar.
func (d *placing) fromOldest(ctx context.Context, more func(g GTID, at Place) bool) error {
	oldest := d.oldest()
	if oldest == "" {
		return ErrPurged
	}
	left, goesOn := uint64(scanned), true
	return d.look(ctx, From{File: oldest, Pos: 4}, func(e seen) error {
		var err error
		switch e.Type {
		case EvMariaGTIDList:
			if e.file == oldest {
				err = eachListed(e.Body, func(g GTID) { goesOn = goesOn && more(g, Place{}) })
			}
		case EvMariaGTID:
			var t TransactionStart
			if t, err = ParseTransactionStart(e.Event); err == nil {
				goesOn = more(t.GTID, Place{e.file, e.start})
			}
		}
		switch left -= min(left, uint64(e.Size)); {
		case err != nil:
			return err
		case !goesOn:
			return errEnough
		case left == 0:
			return errTooFar
		}
		return nil
	})
}

// oldest is the oldest binlog that is there; "": none is.
func (d *placing) oldest() string {
	for _, l := range d.logs {
		if !l.gone() {
			return l.name
		}
	}
	return ""
}

// errTooFar ends a look that has seen too much for what it was for.
var errTooFar = errors.New("its binlogs are too long to be looked through")
