package group

import (
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// rebalance begins a rebalance, or goes on with the one that runs.
func (g *group) rebalance(reason string) {
	if g.state == preparingRebalance {
		g.maybeCompleteJoin()
		return
	}
	g.prepareRebalance(reason)
}

// prepareRebalance calls all members to join again.
func (g *group) prepareRebalance(reason string) {
	g.log.Info("rebalancing", "generation", g.generation, "members", len(g.members), "reason", reason)
	for _, m := range g.members {
		if m.sync != nil {
			g.answerSync(m, syncAnswer{err: kerr.RebalanceInProgress})
			g.touch(m)
		}
	}
	fromEmpty := g.state == empty
	g.state = preparingRebalance
	g.stopPhase()
	if fromEmpty && g.opts.InitialRebalanceDelay > 0 {
		g.initial = true
		g.startPhase(min(g.opts.InitialRebalanceDelay, g.rebalanceTimeout()), g.completeJoin)
		return
	}
	if fromEmpty {
		g.completeJoin()
		return
	}
	g.startPhase(g.rebalanceTimeout(), g.completeJoin)
	g.maybeCompleteJoin()
}

// maybeCompleteJoin ends the join phase if nobody is missing.
func (g *group) maybeCompleteJoin() {
	if g.state != preparingRebalance || g.initial || len(g.pending) > 0 {
		return
	}
	if !slices.ContainsFunc(g.members, (*member).missing) {
		g.completeJoin()
	}
}

// missing tells a member that has not joined again yet.
func (m *member) missing() bool { return m.join == nil }

// completeJoin ends the join phase: dynamic members that are missing lose
// their place, and those who remain are the next generation.
func (g *group) completeJoin() {
	g.stopPhase()
	g.initial = false
	for _, m := range slices.Clone(g.members) {
		if m.missing() && m.instance == nil {
			g.log.Info("member did not join again in time", "member", m.id, "timeout", g.rebalanceTimeout())
			g.remove(m)
		}
	}
	if len(g.members) == 0 {
		g.becomeEmpty()
		return
	}
	if !g.electLeader() {
		// Only static members are left and all of them are away: their
		// sessions end this, or one that comes back.
		g.startPhase(g.rebalanceTimeout(), g.completeJoin)
		return
	}
	g.generation++
	g.protocol = g.selectProtocol()
	g.state = completingRebalance
	g.saveGeneration()
	g.log.Info("new generation", "generation", g.generation, "members", len(g.members), "leader", g.leader, "protocol", g.protocol)
	for _, m := range g.members {
		m.assignment, m.synced = nil, false
		if m.join != nil {
			g.answerJoin(m, g.joined(m))
			g.touch(m)
		}
	}
	g.startPhase(g.rebalanceTimeout(), g.expireSync)
}

func (g *group) becomeEmpty() {
	g.generation++
	g.state, g.emptySince = empty, time.Now()
	g.protocol, g.leader = "", ""
	g.saveGeneration()
	g.log.Info("group is empty", "generation", g.generation)
	g.endAssignment()
}

// electLeader makes sure that the leader is there, and says if anybody is.
func (g *group) electLeader() bool {
	if m := g.member(g.leader); m != nil && m.join != nil {
		return true
	}
	for _, m := range g.members {
		if m.join != nil {
			g.leader = m.id
			return true
		}
	}
	return false
}

// expireSync removes who did not ask for its assignment in time.
func (g *group) expireSync() {
	removed := false
	for _, m := range slices.Clone(g.members) {
		if !m.synced {
			g.log.Info("member did not sync in time", "member", m.id)
			g.remove(m)
			removed = true
		}
	}
	if removed {
		g.prepareRebalance("members did not sync in time")
	}
}

// rebalanceTimeout is the longest that any member asks for.
func (g *group) rebalanceTimeout() time.Duration {
	var d time.Duration
	for _, m := range g.members {
		d = max(d, m.rebalanceTimeout)
	}
	return d
}

// startPhase has end called, with the group locked, after d.
func (g *group) startPhase(d time.Duration, end func()) {
	g.stopPhase()
	number := g.phaseNumber
	g.phase = time.AfterFunc(d, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.phaseNumber == number && g.state != dead {
			end()
		}
	})
}

func (g *group) stopPhase() {
	g.phaseNumber++
	if g.phase != nil {
		g.phase.Stop()
		g.phase = nil
	}
}

// common lists the protocols that all members have, in the first one's order.
func (g *group) common() []string {
	var names []string
	for i, m := range g.members {
		if i == 0 {
			for _, p := range m.protocols {
				names = append(names, p.Name)
			}
			continue
		}
		names = slices.DeleteFunc(names, func(n string) bool { return !m.has(n) })
	}
	return names
}

// selectProtocol lets each member vote for the common protocol that it prefers.
func (g *group) selectProtocol() string {
	common := g.common()
	votes := make(map[string]int)
	for _, m := range g.members {
		for _, p := range m.protocols {
			if slices.Contains(common, p.Name) {
				votes[p.Name]++
				break
			}
		}
	}
	best := ""
	for _, name := range common {
		if votes[name] > votes[best] {
			best = name
		}
	}
	return best
}

// supports says if at least one of the protocols is common to all members.
func (g *group) supports(protocolType string, protocols []kmsg.JoinGroupRequestProtocol) bool {
	if protocolType == "" || len(protocols) == 0 {
		return false
	}
	if len(g.members) == 0 {
		return true
	}
	if protocolType != g.protocolType {
		return false
	}
	common := g.common()
	return slices.ContainsFunc(protocols, func(p kmsg.JoinGroupRequestProtocol) bool {
		return slices.Contains(common, p.Name)
	})
}

func (m *member) has(protocol string) bool {
	return slices.ContainsFunc(m.protocols, func(p kmsg.JoinGroupRequestProtocol) bool { return p.Name == protocol })
}

// metadata is what the member sent with the protocol.
func (m *member) metadata(protocol string) []byte {
	for _, p := range m.protocols {
		if p.Name == protocol {
			return p.Metadata
		}
	}
	return nil
}

// sameProtocols says if the member would send these protocols again.
func (m *member) sameProtocols(protocols []kmsg.JoinGroupRequestProtocol) bool {
	return slices.EqualFunc(m.protocols, protocols, func(a, b kmsg.JoinGroupRequestProtocol) bool {
		return a.Name == b.Name && string(a.Metadata) == string(b.Metadata)
	})
}
