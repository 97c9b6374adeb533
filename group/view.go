package group

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// View is what an operator sees of a group.
type View struct {
	Group        string
	State        string // Kafka's name for it
	ProtocolType string
	Protocol     string // empty unless the group is Stable
	Generation   int32
	Mode         string       // "subscribe" with members, "assign" with readers alone, empty with neither
	Consumers    []Consumer   // the active one first, then the standbys in the order of succession
	Checkpoints  []Checkpoint // in the order of their topics
	EmptySince   time.Time    // when the last member went; zero if there is one, or never was
}

// Consumer is a member of a group, or a connection in assign mode that fetched
// lately.
type Consumer struct {
	Role       string // "active" or "standby"
	Mode       string // "subscribe" or "assign"
	MemberID   string // empty in assign mode
	InstanceID string // empty unless the member is static
	ClientID   string
	Host       string    // IP address and port: of the active one's fetching connection, if it has one
	Since      time.Time // when it got its role
}

// Checkpoint is a committed offset.
type Checkpoint struct {
	Topic       string
	Partition   int32
	Offset      int64
	LeaderEpoch int32 // -1 if the client told none
	Metadata    string
	Time        time.Time // of the commit
}

const (
	roleActive  = "active"
	roleStandby = "standby"

	modeSubscribe = "subscribe"
	modeAssign    = "assign"
)

// View returns what is known of a group now; false if there is no such group.
func (c *Coordinator) View(id string) (View, bool) {
	g := c.lookup(id, false)
	if g == nil {
		return View{}, false
	}
	return g.view()
}

// Views returns all groups in the order of their IDs.
func (c *Coordinator) Views() []View {
	var views []View
	for _, g := range c.all() {
		if v, ok := g.view(); ok {
			views = append(views, v)
		}
	}
	return views
}

// view locks the group.
func (g *group) view() (View, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.state == dead {
		return View{}, false
	}
	v := View{
		Group: g.id, State: string(g.state), ProtocolType: g.protocolType, Generation: g.generation,
		Consumers: g.consumers(),
	}
	switch {
	case len(g.members) > 0:
		v.Mode = modeSubscribe
	case len(v.Consumers) > 0:
		v.Mode = modeAssign
	}
	if g.state == stable {
		v.Protocol = g.protocol
	}
	if g.state == empty {
		v.EmptySince = g.emptySince
	}
	for _, p := range slices.SortedFunc(maps.Keys(g.checkpoints), func(a, b partition) int {
		return cmp.Or(cmp.Compare(a.topic, b.topic), cmp.Compare(a.index, b.index))
	}) {
		cp := g.checkpoints[p]
		v.Checkpoints = append(v.Checkpoints, Checkpoint{
			Topic: p.topic, Partition: p.index, Offset: cp.offset, LeaderEpoch: cp.leaderEpoch,
			Metadata: cp.metadata, Time: time.UnixMilli(cp.timestamp),
		})
	}
	return v, true
}

// consumers lists the members and the readers that are no member's.
func (g *group) consumers() []Consumer {
	l := &g.lease
	now := time.Now()
	var list []Consumer
	for _, m := range g.members {
		c := Consumer{
			Role: roleStandby, Mode: modeSubscribe, MemberID: m.id, ClientID: m.client.ID, Host: m.client.Address, Since: m.joinedAt,
		}
		if m.instance != nil {
			c.InstanceID = *m.instance
		}
		if g.reads(m) {
			c.Role, c.Since = roleActive, m.assignedAt
			if l.active != nil {
				c.Host = l.active.client.Address
			}
		}
		list = append(list, c)
	}
	for _, r := range l.readers {
		c := Consumer{Role: roleStandby, Mode: modeAssign, ClientID: r.client.ID, Host: r.client.Address, Since: r.since}
		if r == l.active {
			c.Role = roleActive
		}
		if (r.home == nil || r.home == r.outsider) && r.alive(now) {
			list = append(list, c)
		}
	}
	slices.SortStableFunc(list, func(a, b Consumer) int { return cmp.Compare(a.Role, b.Role) })
	return list
}

// reads says if m is the member whose turn it is.
func (g *group) reads(m *member) bool {
	if r := g.lease.active; r != nil {
		return r.home == m
	}
	return len(g.lease.claimants) > 0 && g.lease.claimants[0] == m
}
