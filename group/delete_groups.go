package group

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/store"
)

// DeleteGroups, versions 0 to 3.

// DeleteGroups deletes groups that have no members, with their checkpoints.
// They are durably gone when it returns.
func (c *Coordinator) DeleteGroups(_ context.Context, req *kmsg.DeleteGroupsRequest) *kmsg.DeleteGroupsResponse {
	resp := kmsg.NewPtrDeleteGroupsResponse()
	resp.Version = req.Version
	for _, id := range req.Groups {
		err := kerr.GroupIDNotFound
		if g := c.lookup(id, false); g != nil {
			err = g.delete()
		}
		resp.Groups = append(resp.Groups, kmsg.DeleteGroupsResponseGroup{Group: id, ErrorCode: code(err)})
	}
	return resp
}

// delete locks the group.
func (g *group) delete() *kerr.Error {
	g.lockSettled() // else a checkpoint that is not in the map yet would be missed
	switch g.state {
	case empty:
	case dead:
		g.mu.Unlock()
		return kerr.GroupIDNotFound
	default:
		g.mu.Unlock()
		return kerr.NonEmptyGroup
	}
	w := g.startDelete()
	g.mu.Unlock()
	return g.awaitDelete(w)
}

// deleteIfBare deletes a group that has neither members nor checkpoints, and is
// not read. It locks the group.
func (g *group) deleteIfBare() {
	g.lockSettled()
	if g.state != empty || len(g.pending) > 0 || len(g.checkpoints) > 0 || len(g.lease.readers) > 0 {
		g.mu.Unlock()
		return
	}
	w := g.startDelete()
	g.mu.Unlock()
	_ = g.awaitDelete(w) // logged by the saver: it expires some day
}

// startDelete makes an Empty group whose checkpoints are settled Dead, and
// queues its deletion. Commits accepted before are on disk, later ones are
// refused.
func (g *group) startDelete() *write {
	for id := range g.pending {
		g.takeBack(id)
	}
	g.state = dead
	entries := []store.Write{{Key: groupKey(g.id)}}
	for p := range g.checkpoints {
		entries = append(entries, store.Write{Key: checkpointKey(g.id, p)})
	}
	return g.c.saver.save(entries, func() { g.c.forget(g) })
}

// awaitDelete waits until the group is durably gone; if that fails, it is Empty
// again. It locks the group.
func (g *group) awaitDelete(w *write) *kerr.Error {
	switch err := w.wait(); {
	case err == nil:
		g.mu.Lock()
		g.endLease()
		g.mu.Unlock()
		return nil
	case !errors.Is(err, ErrClosed):
		g.mu.Lock()
		g.state = empty
		g.mu.Unlock()
	}
	return kerr.CoordinatorNotAvailable
}
