package group

// fromStandby says if a commit of offset with generation -1, to a group without
// members, comes from a standby. checkpoint is where the group's stands.
//
// A commit names no reader, and many clients send it on another connection than
// their Fetches. So if one process of an address and client.id is the active
// one and another stands by, only the offset can tell them apart. A standby's
// client stays where it began to wait, and commits that again and again if it
// commits by itself: an offset that the active one has not reached, or has left
// behind.
func (g *group) fromStandby(client Client, offset, checkpoint int64) bool {
	l := &g.lease
	active, suspect := false, false
	for _, r := range l.readers {
		standsBy := r != l.active && (l.active != nil || r.lost)
		if r.client.Address == client.Address {
			return standsBy
		}
		if r.client.ID != client.ID || r.client.Host != client.Host {
			continue
		}
		if !standsBy {
			active = true
			continue
		}
		suspect = true
	}
	if !active || !suspect {
		return suspect
	}
	return g.standsAt(client, offset) && (offset < checkpoint || offset > l.active.offset)
}

// standsAt says if a standby with the client's address and client.id may have
// consumed up to just this offset.
func (g *group) standsAt(client Client, offset int64) bool {
	l := &g.lease
	for _, r := range l.readers {
		if r == l.active || r.client.ID != client.ID || r.client.Host != client.Host {
			continue
		}
		if r.offset == offset {
			return true
		}
	}
	return false
}

// checkpointOffset returns the group's newest checkpoint, -1 if there is none.
// Commits that are being saved do not count.
func (g *group) checkpointOffset(p partition) int64 {
	if cp, ok := g.checkpoints[p]; ok {
		return cp.offset
	}
	return -1
}
