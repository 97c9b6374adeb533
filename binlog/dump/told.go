package dump

import "context"

// Told returns what a MariaDB server that logs what it replicates has of the domains that its binlogs
// know nothing of: it was set up from a copy, whose GTIDs it was told (gtid_slave_pos), and those domains
// are idle since. Nil: none.
func (c *Conn) Told(ctx context.Context, s *Status) (*GTIDSet, error) {
	if s.Flavor != MariaDB {
		return nil, nil
	}
	v, err := c.variables(ctx, "log_slave_updates")
	if err != nil || v["log_slave_updates"] != "ON" {
		return nil, err
	}
	told, err := c.gtidSet(ctx, s, "@@GLOBAL.gtid_slave_pos") // before the other: what is replicated meanwhile is in both
	if err != nil {
		return nil, err
	}
	logged, err := c.Executed(ctx, s)
	if err != nil {
		return nil, err
	}
	if told = told.lacking(logged); told.IsEmpty() {
		return nil, nil
	}
	return told, nil
}

// BeginBehind says that the source was told of those, before reading begins.
func (p *Position) BeginBehind(told *GTIDSet) {
	if told == nil {
		return
	}
	p.Told = told
	if p.GTIDs != nil {
		p.GTIDs.AddSet(told.lacking(p.GTIDs))
	}
}

// addTold adds to the set that a file begins with what was told; a domain that the binlogs have by
// now is no such any more.
func (p *Position) addTold(previous *GTIDSet) {
	if p.Told == nil {
		return
	}
	p.Told = p.Told.lacking(previous)
	previous.AddSet(p.Told)
}

// lacking returns what of a MariaDB set is of domains that o has nothing of.
func (s *GTIDSet) lacking(o *GTIDSet) *GTIDSet {
	rest := NewGTIDSet(s.flavor)
	for domain, g := range s.domains {
		if _, ok := o.domains[domain]; !ok {
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

// isTold tells whether of a domain of the position nothing was read, and its source was told.
func (p *Position) isTold(domain uint32) bool {
	if p.Told == nil {
		return false
	}
	told, ok := p.Told.domains[domain]
	return ok && told == p.GTIDs.domains[domain]
}

// leaveOut takes those domains that were told and not read out of the position if this server, which may
// have been built from a copy of the former one, knows nothing of them: nobody asks it for them.
func (d *placing) leaveOut(ctx context.Context) error {
	if d.p.Told == nil || d.p.GTIDs == nil {
		return nil
	}
	logged, err := d.c.Executed(ctx, d.s)
	if err != nil {
		return err
	}
	told, err := d.set(ctx, "@@GLOBAL.gtid_slave_pos")
	if err != nil {
		return err
	}
	p := d.p.Clone()
	for domain := range d.p.Told.domains {
		_, has := logged.domains[domain]
		_, knows := told.domains[domain]
		if d.p.isTold(domain) && !has && !knows {
			p.GTIDs = p.GTIDs.withoutDomain(domain)
		}
	}
	d.p = p
	return nil
}
