package group

// fromStandby says if a commit of offset with generation -1, to a group without
// members, comes from a standby. checkpoint is where the group's stands.
//
// A commit names no reader, and many clients send it on another connection than
// their Fetches. Address and client.id say whose it is, if the consumers differ
// in them. If the active one and a standby have the same, the connection does
// when a former commit has shown whose it is; else only the offset can.
func (g *group) fromStandby(client Client, offset, checkpoint int64) bool {
	l := &g.lease
	var active *Reader
	var standbys []*Reader
	for _, r := range l.readers {
		standsBy := r != l.active && (l.active != nil || r.lost)
		switch {
		case client.Address != "" && (r.client.Address == client.Address || r.commits == client.Address):
			return standsBy
		case r.client.ID != client.ID || r.client.Host != client.Host:
		case standsBy:
			standbys = append(standbys, r)
		case active == nil || r == l.active:
			active = r
		}
	}
	switch {
	case active == nil:
		return len(standbys) > 0
	case !mayBe(standbys, offset):
		if offset <= active.offset {
			active.commits = client.Address
		}
		return false
	}
	return offset < checkpoint || offset > active.offset
}

// mayBe says if one of the standbys may commit this offset. The client of one
// that was never active stays where it began to wait, and if it commits by
// itself, commits just that again and again. That of one that was may have
// anything to commit of what it got.
func mayBe(standbys []*Reader, offset int64) bool {
	for _, r := range standbys {
		if offset == r.offset || r.held && offset < r.offset {
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
