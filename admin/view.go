package admin

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"daybook/auth"
	"daybook/group"
	"daybook/store"
)

// ownerNone is the owner of a group that has no account any more.
const ownerNone = "none"

// modeSubscribe is the mode of group members.
const modeSubscribe = "subscribe"

// known is a group that there is: it has an account, or a checkpoint or a consumer
// of it is left.
type known struct {
	info auth.Info
	view group.View
}

// key is in the order of task and group ID.
func (k known) key() string { return k.info.Topic + "\x00" + k.info.Group }

// known returns all groups in the order of their keys.
func (s *Server) known() []known {
	var all []known
	seen := make(map[string]bool)
	for _, info := range s.o.Accounts.List() {
		seen[info.Group] = true
		view, _ := s.o.Groups.View(info.Group)
		all = append(all, known{info, view})
	}
	for _, view := range s.o.Groups.Views() {
		if !seen[view.Group] && !bare(view) {
			all = append(all, known{orphan(view), view})
		}
	}
	slices.SortFunc(all, func(a, b known) int { return cmp.Compare(a.key(), b.key()) })
	return all
}

// views puts together what the parts know of groups.
func (s *Server) views(all []known) []Group {
	views := []Group{} // which JSON shows as a list
	for _, k := range all {
		views = append(views, s.group(k.info, k.view))
	}
	return views
}

// find returns one of known.
func (s *Server) find(id string) (auth.Info, group.View, error) {
	view, there := s.o.Groups.View(id)
	if info, ok := s.o.Accounts.Info(id); ok {
		return info, view, nil
	}
	if !there || bare(view) {
		return auth.Info{}, view, unknownGroup(id)
	}
	return orphan(view), view, nil
}

// bare tells that nothing of a group is left.
func bare(view group.View) bool { return len(view.Consumers) == 0 && len(view.Checkpoints) == 0 }

// orphan is what is known of a group without an account.
func orphan(view group.View) auth.Info {
	info := auth.Info{Group: view.Group, Owner: ownerNone}
	if len(view.Checkpoints) > 0 {
		info.Topic = view.Checkpoints[0].Topic
	}
	return info
}

// group puts together what the parts know.
func (s *Server) group(info auth.Info, view group.View) Group {
	g := Group{
		Group: info.Group, Task: info.Topic, Account: info.Account, Owner: string(info.Owner),
		Created: info.Created.UTC(), PasswordChanged: info.PasswordChanged.UTC(),
		State: view.State, Mode: view.Mode, Generation: view.Generation, EmptySince: view.EmptySince.UTC(),
		Consumers: make([]Consumer, 0, len(view.Consumers)),
	}
	if info.Account != "" {
		g.Username = auth.Username(info.Account, info.Group)
	}
	if g.State == "" { // the coordinator has not heard of it
		g.State = "Empty"
	}
	for _, c := range view.Consumers {
		g.Consumers = append(g.Consumers, Consumer{
			Role: c.Role, Mode: c.Mode, Since: c.Since.UTC(), Address: c.Host,
			ClientID: c.ClientID, MemberID: c.MemberID, InstanceID: c.InstanceID,
		})
	}
	p, ok := s.o.Store.Partition(info.Topic)
	if !ok {
		return g
	}
	g.LogStartOffset, g.HighWatermark = p.LogStartOffset(), p.HighWatermark()
	if cp, ok := checkpointOf(view, info.Topic); ok {
		g.Checkpoint = s.checkpoint(p, cp, g.LogStartOffset, g.HighWatermark)
	}
	return g
}

// checkpointOf returns the group's checkpoint of a topic's only partition. As in
// Kafka, a client may commit an offset below 0, which all take for none.
func checkpointOf(view group.View, topic string) (group.Checkpoint, bool) {
	i := slices.IndexFunc(view.Checkpoints, func(cp group.Checkpoint) bool { return cp.Topic == topic && cp.Partition == 0 })
	if i < 0 || view.Checkpoints[i].Offset < 0 {
		return group.Checkpoint{}, false
	}
	return view.Checkpoints[i], true
}

func (s *Server) checkpoint(p *store.Partition, cp group.Checkpoint, start, end int64) *Checkpoint {
	return &Checkpoint{
		Offset: cp.Offset, Committed: cp.Time.UTC(), Metadata: cp.Metadata,
		LagRecords:  max(end-cp.Offset, 0),
		LagSeconds:  s.lagSeconds(p, max(cp.Offset, start), end),
		LostRecords: max(start-cp.Offset, 0),
	}
}

// lagSeconds returns the age of the record at offset, or nil.
func (s *Server) lagSeconds(p *store.Partition, offset, end int64) *float64 {
	lag := 0.0
	if offset < end {
		ms, err := p.TimestampAt(offset)
		if err != nil {
			if !errors.Is(err, store.ErrOffsetOutOfRange) { // retention may be faster
				s.o.Logger.Warn("cannot tell a group's lag", "task", p.Topic(), "error", err)
			}
			return nil
		}
		// The source's clock may be ahead of ours.
		lag = max(time.Since(time.UnixMilli(ms)).Seconds(), 0)
	}
	return &lag
}
