package dump

import "context"

// Told returns what of each domain a MariaDB server has and its binlogs have not, and what these have. It was
// set up from a copy, whose GTIDs it was told (gtid_slave_pos); or it does not log what it replicates. Nil:
// another server.
func (c *Conn) Told(ctx context.Context, s *Status) (told, logged *GTIDSet, err error) {
	has, err := c.Replicated(ctx, s) // before the other: what is logged meanwhile is in both
	if err != nil || has == nil {
		return nil, nil, err
	}
	if logged, err = c.Executed(ctx, s); err != nil {
		return nil, nil, err
	}
	return has.beyond(logged), logged, nil
}

// BeginBehind says what the source was told, before reading begins at a place of its binlogs or, if not atPlace, behind
// a GTID set. A domain that its binlogs have more of behind the place stood elsewhere there.
func (p *Position) BeginBehind(told, logged *GTIDSet, atPlace bool) {
	if told == nil {
		return
	}
	p.Told = NewGTIDSet(MariaDB)
	for domain, g := range told.domains {
		last, has := logged.domains[domain]
		if !has || p.GTIDs != nil && (p.GTIDs.domains[domain] == g || atPlace && p.GTIDs.Contains(last)) {
			p.Told.Add(g)
		}
	}
	if p.GTIDs != nil {
		p.GTIDs.AddSet(p.Told.beyond(p.GTIDs))
	}
}

// addTold adds to the set that a file begins with what the server was told; what its binlogs have by now
// is in that set.
func (p *Position) addTold(previous *GTIDSet) {
	if p.Told != nil {
		p.Told = p.Told.beyond(previous)
		previous.AddSet(p.Told)
	}
}

// beyond returns what of a MariaDB set is of domains in which o has nothing as late.
func (s *GTIDSet) beyond(o *GTIDSet) *GTIDSet {
	rest := NewGTIDSet(s.flavor)
	for _, g := range s.domains {
		if !o.Contains(g) {
			rest.Add(g)
		}
	}
	return rest
}

// WithoutThose returns a copy of a MariaDB set without the GTIDs that o has, too; o may be nil.
func (s *GTIDSet) WithoutThose(o *GTIDSet) *GTIDSet {
	rest := s.Clone()
	if o == nil || s.flavor != MariaDB {
		return rest
	}
	for domain, g := range o.domains {
		if rest.domains[domain] == g {
			rest = rest.withoutDomain(domain)
		}
	}
	return rest
}

// withoutDomain returns a copy that has nothing of a domain.
func (s *GTIDSet) withoutDomain(domain uint32) *GTIDSet {
	rest := NewGTIDSet(s.flavor)
	for d, g := range s.domains {
		if d != domain {
			rest.Add(g)
		}
	}
	return rest
}

// isTold tells whether of a domain of the position nothing was read behind what its server was told.
func (p *Position) isTold(domain uint32) bool {
	if p.Told == nil {
		return false
	}
	told, ok := p.Told.domains[domain]
	return ok && told == p.GTIDs.domains[domain]
}

// neverRead tells whether nothing was read of a domain that the position has since reading began.
func (p *Position) neverRead(domain uint32) bool {
	for o := range p.Read {
		if o.Domain == domain {
			return false
		}
	}
	return p.began(domain) == p.GTIDs.domains[domain]
}

// askFor turns what was told into what this server can be asked for: what it has in its binlogs of such
// a domain comes behind that, if it has all of it.
func (d *placing) askFor(ctx context.Context) error {
	d.whole = d.p
	if d.p.Told == nil || d.p.GTIDs == nil {
		return nil
	}
	told, logged, err := d.c.Told(ctx, d.s)
	if err != nil || told == nil {
		return err
	}
	p := d.p.Clone()
	for domain, g := range d.p.Told.domains {
		if !d.p.isTold(domain) || logged.Contains(g) {
			continue
		}
		has, knows := told.domains[domain]
		last, logs := logged.domains[domain]
		switch {
		case has == g: // it serves a replica that is there
		case !(d.sameServer() && told.Contains(g)) && (knows || logs || !d.p.neverRead(domain)): // it may be behind
		case logs:
			p.GTIDs.Add(last)
		default: // it is asked for nothing that it does not know
			p.GTIDs = p.GTIDs.withoutDomain(domain)
		}
	}
	d.p = p
	return nil
}

// notLogged returns what of the position this server's binlogs have not, if it is followed: it was
// told so.
func (d *placing) notLogged(ctx context.Context) (*GTIDSet, error) {
	if d.s.Flavor != MariaDB || d.whole.GTIDs == nil {
		return nil, nil
	}
	logged, err := d.c.Executed(ctx, d.s)
	if err != nil {
		return nil, err
	}
	return d.whole.GTIDs.beyond(logged), nil
}
