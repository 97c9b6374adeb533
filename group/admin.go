package group

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// What an operator does to a group, beside the Kafka protocol.

var (
	// ErrActive: the group has consumers that the operation would take by
	// surprise.
	ErrActive = errors.New("the group is being consumed")
	// ErrGone: the group was deleted meanwhile.
	ErrGone = errors.New("the group is being deleted")
)

// Reset sets the group's checkpoint. It is durable when Reset returns. A
// consumer reads its checkpoint only when it starts, and would soon overwrite
// this one: ErrActive tells who must be stopped first.
func (c *Coordinator) Reset(id, topic string, offset int64) error {
	g := c.lookup(id, true)
	if g == nil {
		return ErrClosed
	}
	w, err := g.startReset(partition{topic, 0}, offset)
	if err != nil {
		return fmt.Errorf("reset group %s: %w", id, err)
	}
	if err := w.wait(); err != nil {
		return fmt.Errorf("reset group %s: save: %w", id, err)
	}
	return nil
}

// startReset locks the group.
func (g *group) startReset(p partition, offset int64) (*write, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.state == dead:
		return nil, ErrGone
	case len(g.members) > 0:
		m := g.members[0]
		return nil, fmt.Errorf("%w by %d members: stop them first, one is %s at %s", ErrActive, len(g.members), m.id, m.client.Address)
	case g.lease.active != nil:
		r := g.lease.active
		return nil, fmt.Errorf("%w in assign mode: stop the consumer %q at %s first", ErrActive, r.client.ID, r.client.Address)
	}
	cp := checkpoint{offset: offset, leaderEpoch: -1, timestamp: time.Now().UnixMilli()}
	return g.saveCheckpoints(map[partition]checkpoint{p: cp}), nil
}

// Delete ends the group whatever its state: its members and readers, and its
// checkpoints. They are durably gone when it returns. A group that is not there
// is no error. A client that is still allowed to can make the group anew.
func (c *Coordinator) Delete(id string) error {
	g := c.lookup(id, false)
	if g == nil {
		return nil
	}
	g.lockSettled()
	if g.state == dead {
		g.mu.Unlock()
		return nil
	}
	g.log.Info("group is deleted", "members", len(g.members))
	for _, m := range slices.Clone(g.members) {
		g.remove(m)
	}
	if g.state != empty {
		g.stopPhase()
		g.becomeEmpty()
	}
	w := g.startDelete()
	g.mu.Unlock()
	if err := g.awaitDelete(w); err != nil {
		return fmt.Errorf("delete group %s: %w", id, kerr.ErrorForCode(err.Code))
	}
	return nil
}
