package group

import (
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Who was assigned the partition is what the members' leader decided and wrote
// into each member's assignment: bytes that Kafka's brokers never look into,
// but that every consumer writes in the same form.

// claim is what a member's assignment says about the group's partition.
type claim int

const (
	claimsNot claim = iota
	claimsPerhaps
	claims
)

// settleAssignment takes over the assignment of a group that is Stable. If the
// leader gave the partition to several members, or in a form that cannot be
// read, all who may mean to read it are claimants, and the first one to fetch
// is the reader.
func (g *group) settleAssignment() {
	l := &g.lease
	now := time.Now()
	best := claimsPerhaps
	var claimants []*member
	for _, m := range g.members {
		switch c := g.claim(m); {
		case c > best:
			best, claimants = c, []*member{m}
		case c == best:
			claimants = append(claimants, m)
		}
	}
	for _, m := range claimants {
		if !l.subscribe || !slices.Contains(l.claimants, m) {
			g.beginClaim(m, now)
		}
	}
	l.subscribe, l.claimants = true, claimants
	g.arbitrate()
}

// beginClaim notes when m was assigned the partition, and which readers cannot
// be its own, because they fetched since it joined or are waiting for records:
// see eligible.
func (g *group) beginClaim(m *member, now time.Time) {
	m.assignedAt, m.readerlessSince = now, now
	for _, r := range g.lease.readers {
		waits := r.inFlight && r.orphaned.IsZero()
		if r.home != m && (waits || !r.begun.Before(m.joinedAt)) {
			r.outsider = m
		}
	}
}

// claim reads m's assignment. Whatever topic it names is taken for the group's
// as long as nobody has fetched: members see no other one.
func (g *group) claim(m *member) claim {
	if len(m.assignment) == 0 {
		return claimsNot
	}
	var a kmsg.ConsumerMemberAssignment
	if g.protocolType != consumerType || a.ReadFrom(m.assignment) != nil {
		return claimsPerhaps
	}
	for _, t := range a.Topics {
		if (t.Topic == g.topic || g.topic == "") && slices.Contains(t.Partitions, 0) {
			return claims
		}
	}
	return claimsNot
}

// orphan ends the reading for a member that is no more.
func (g *group) orphan(m *member) {
	l := &g.lease
	l.claimants = slices.DeleteFunc(l.claimants, func(o *member) bool { return o == m })
	why := "its member was evicted"
	if m.left {
		why = "its member left"
	}
	g.disown(m, why)
	g.arbitrate()
}

// disown takes m's connections from it, as those of a client that is no member
// any more.
func (g *group) disown(m *member, why string) {
	l := &g.lease
	for _, r := range slices.Clone(l.readers) { // release changes their order
		if r.outsider == m {
			r.outsider = nil
		}
		if r.home != m {
			continue
		}
		r.orphaned, r.evicted, r.back = time.Now(), !m.left, time.Time{}
		if l.active == r {
			g.release(why, true)
		}
		r.home, r.lost, r.fell = nil, r.lost || r.fell, false
	}
}

// endAssignment begins assign mode: the group has no members.
func (g *group) endAssignment() {
	g.lease.subscribe, g.lease.claimants = false, nil
	g.arbitrate()
}
