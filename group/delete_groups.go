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
	w, err := g.startDelete()
	if err != nil {
		return err
	}
	switch err := w.wait(); {
	case err == nil:
		return nil
	case !errors.Is(err, ErrClosed):
		g.mu.Lock()
		g.state = empty
		g.mu.Unlock()
	}
	return kerr.CoordinatorNotAvailable
}

// startDelete makes the group Dead and queues its deletion. Commits accepted
// before are on disk, later ones are refused.
func (g *group) startDelete() (*write, *kerr.Error) {
	g.lockSettled() // else a checkpoint that is not in the map yet would be missed
	defer g.mu.Unlock()
	switch g.state {
	case empty:
	case dead:
		return nil, kerr.GroupIDNotFound
	default:
		return nil, kerr.NonEmptyGroup
	}
	for id, t := range g.pending {
		t.Stop()
		delete(g.pending, id)
	}
	g.state = dead
	entries := []store.Write{{Key: groupKey(g.id)}}
	for p := range g.checkpoints {
		entries = append(entries, store.Write{Key: checkpointKey(g.id, p)})
	}
	return g.c.saver.save(entries, func() { g.c.forget(g) }), nil
}
