package group_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/group"
)

func TestCommitAndFetchInEveryVersion(t *testing.T) {
	for version := int16(0); version <= 10; version++ {
		t.Run(fmt.Sprint("v", version), func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, r *rig) {
				p, _ := r.store.Partition(topic)
				commit := commitRequest(42)
				commit.Version = version
				commit.Topics[0].TopicID = p.TopicID()
				commit.Topics[0].Partitions[0].Metadata = kmsg.StringPtr("naïve\x00")
				if version >= 6 {
					commit.Topics[0].Partitions[0].LeaderEpoch = 7
				}
				resp := reencode(t, r.OffsetCommit(background, group.Client{}, commit))
				wantCode(t, "commit", resp.Topics[0].Partitions[0].ErrorCode, nil)
				if version >= 10 && resp.Topics[0].TopicID != p.TopicID() {
					t.Errorf("topic ID: got %x", resp.Topics[0].TopicID)
				}
				for _, all := range []bool{false, true} {
					if all && version < 2 {
						continue
					}
					topic, got := fetch(t, r, version, all)
					wantTopic := "shop"
					if version >= 10 {
						wantTopic = fmt.Sprintf("%x", p.TopicID())
					}
					if topic != wantTopic || got.Offset != 42 || *got.Metadata != "naïve\x00" || got.ErrorCode != 0 {
						t.Errorf("all %v: got topic %s, offset %d, metadata %q, error %d", all, topic, got.Offset, *got.Metadata, got.ErrorCode)
					}
					if version >= 6 && got.LeaderEpoch != 7 {
						t.Errorf("leader epoch: got %d", got.LeaderEpoch)
					}
				}
			})
		})
	}
}

// fetch asks for the group's checkpoint in the form of the version.
func fetch(t *testing.T, r *rig, version int16, all bool) (string, kmsg.OffsetFetchResponseGroupTopicPartition) {
	t.Helper()
	p, _ := r.store.Partition(topic)
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Version, req.Group = version, groupID
	req.Groups = []kmsg.OffsetFetchRequestGroup{{Group: "other"}, {Group: groupID}}
	if !all {
		req.Topics = []kmsg.OffsetFetchRequestTopic{{Topic: topic, Partitions: []int32{0}}}
		req.Groups[1].Topics = []kmsg.OffsetFetchRequestGroupTopic{{Topic: topic, TopicID: p.TopicID(), Partitions: []int32{0}}}
	}
	resp := reencode(t, r.OffsetFetch(background, req))
	if version < 8 {
		rt := resp.Topics[0]
		rp := rt.Partitions[0]
		return rt.Topic, kmsg.OffsetFetchResponseGroupTopicPartition{
			Offset: rp.Offset, LeaderEpoch: rp.LeaderEpoch, Metadata: rp.Metadata, ErrorCode: rp.ErrorCode,
		}
	}
	if len(resp.Groups) != 2 || len(resp.Groups[0].Topics) != 0 {
		t.Fatalf("groups: got %+v", resp.Groups)
	}
	rt := resp.Groups[1].Topics[0]
	if version >= 10 {
		return fmt.Sprintf("%x", rt.TopicID), rt.Partitions[0]
	}
	return rt.Topic, rt.Partitions[0]
}

func TestNothingCommittedIsNoError(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		req := kmsg.NewPtrOffsetFetchRequest()
		req.Version, req.Group = 5, "other"
		req.Topics = []kmsg.OffsetFetchRequestTopic{{Topic: "any", Partitions: []int32{0, 7}}}
		resp := reencode(t, r.OffsetFetch(background, req))
		for _, p := range resp.Topics[0].Partitions {
			if p.Offset != -1 || p.LeaderEpoch != -1 || *p.Metadata != "" || p.ErrorCode != 0 {
				t.Errorf("got %+v", p)
			}
		}
		req.Topics = nil
		if resp := reencode(t, r.OffsetFetch(background, req)); len(resp.Topics) != 0 || resp.ErrorCode != 0 {
			t.Errorf("all topics: got %+v", resp)
		}
		req.Version = 10
		req.Groups = []kmsg.OffsetFetchRequestGroup{{Group: groupID, Topics: []kmsg.OffsetFetchRequestGroupTopic{{TopicID: [16]byte{1}, Partitions: []int32{0}}}}}
		unknown := reencode(t, r.OffsetFetch(background, req)).Groups[0].Topics[0].Partitions[0]
		wantCode(t, "unknown topic ID", unknown.ErrorCode, kerr.UnknownTopicID)
	})
}

func TestCommitErrors(t *testing.T) {
	type request = *kmsg.OffsetCommitRequest
	from := func(c *consumer) func(request) {
		return func(r request) { r.MemberID, r.Generation, r.InstanceID = c.id, c.generation, c.instance }
	}
	static := func(c *consumer) { c.static("one") }
	for name, tc := range map[string]struct {
		before func(*consumer) // start the group
		change func(*consumer, request)
		want   *kerr.Error
	}{
		"new group, from outside":       {nil, func(c *consumer, r request) {}, nil},
		"new group, from a member, v8":  {nil, func(c *consumer, r request) { r.Version, r.Generation = 8, 1 }, kerr.IllegalGeneration},
		"new group, from a member, v9":  {nil, func(c *consumer, r request) { r.Generation = 1 }, kerr.GroupIDNotFound},
		"Stable, from a member":         {func(c *consumer) { c.start() }, func(c *consumer, r request) { from(c)(r) }, nil},
		"Stable, from outside":          {func(c *consumer) { c.start() }, func(c *consumer, r request) {}, kerr.UnknownMemberID},
		"Stable, version 0":             {func(c *consumer) { c.start() }, func(c *consumer, r request) { r.Version = 0 }, kerr.UnknownMemberID},
		"Stable, unknown member":        {func(c *consumer) { c.start() }, func(c *consumer, r request) { from(c)(r); r.MemberID = "x" }, kerr.UnknownMemberID},
		"Stable, a member's -1":         {func(c *consumer) { c.start() }, func(c *consumer, r request) { from(c)(r); r.Generation = -1 }, kerr.IllegalGeneration},
		"Stable, old generation":        {func(c *consumer) { c.start() }, func(c *consumer, r request) { from(c)(r); r.Generation-- }, kerr.IllegalGeneration},
		"Stable, next generation":       {func(c *consumer) { c.start() }, func(c *consumer, r request) { from(c)(r); r.Generation++ }, kerr.IllegalGeneration},
		"Stable, static member":         {func(c *consumer) { static(c); c.start() }, func(c *consumer, r request) { from(c)(r) }, nil},
		"Stable, fenced static member":  {func(c *consumer) { static(c); c.start() }, func(c *consumer, r request) { from(c)(r); r.MemberID = "x" }, kerr.FencedInstanceID},
		"Stable, unknown static member": {func(c *consumer) { c.start() }, func(c *consumer, r request) { from(c)(r); r.InstanceID = kmsg.StringPtr("x") }, kerr.UnknownMemberID},
		"CompletingRebalance":           {func(c *consumer) { c.join(background) }, func(c *consumer, r request) { from(c)(r) }, kerr.RebalanceInProgress},
		"CompletingRebalance, outside":  {func(c *consumer) { c.join(background) }, func(c *consumer, r request) {}, kerr.UnknownMemberID},
		"Empty again, from outside":     {func(c *consumer) { c.start().leave() }, func(c *consumer, r request) {}, nil},
		"Empty again, from a member":    {func(c *consumer) { c.start().leave() }, func(c *consumer, r request) { from(c)(r) }, kerr.UnknownMemberID},
		"metadata as long as may be": {nil, func(c *consumer, r request) {
			r.Topics[0].Partitions[0].Metadata = kmsg.StringPtr(strings.Repeat("m", 4096))
		}, nil},
		"metadata too long": {nil, func(c *consumer, r request) {
			r.Topics[0].Partitions[0].Metadata = kmsg.StringPtr(strings.Repeat("m", 4097))
		}, kerr.OffsetMetadataTooLarge},
		"unknown topic":                     {nil, func(c *consumer, r request) { r.Topics[0].Topic = "other" }, kerr.UnknownTopicOrPartition},
		"unknown topic ID":                  {nil, func(c *consumer, r request) { r.Version = 10 }, kerr.UnknownTopicID},
		"unknown partition":                 {nil, func(c *consumer, r request) { r.Topics[0].Partitions[0].Partition = 1 }, kerr.UnknownTopicOrPartition},
		"unknown partition of a non-member": {func(c *consumer) { c.start() }, func(c *consumer, r request) { r.Topics[0].Partitions[0].Partition = 1 }, kerr.UnknownTopicOrPartition},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, r *rig) {
				c := r.consumer("a")
				if tc.before != nil {
					tc.before(c)
				}
				req := commitRequest(9)
				tc.change(c, req)
				wantCode(t, "commit", r.commit(req), tc.want)
				want := int64(-1)
				if tc.want == nil {
					want = 9
				}
				if got := r.fetch(); got != want {
					t.Errorf("checkpoint: got %d, want %d", got, want)
				}
			})
		})
	}
}

func TestCheckpointsAndGenerationsSurviveACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := vfs.NewCrashableMem()
		r := open(t, fs, nil)
		a := r.consumer("a").start()
		wantCode(t, "commit", a.commit(7), nil)
		crashed := fs.CrashClone(vfs.CrashCloneCfg{}) // nothing unsynced remains
		wantCode(t, "commit after the crash", a.commit(8), nil)
		r.close()

		r = open(t, crashed, nil)
		defer r.close()
		r.wantState("Empty")
		if got := r.fetch(); got != 7 {
			t.Errorf("checkpoint: got %d, want 7", got)
		}
		a.r = r
		wantCode(t, "the old member's heartbeat", a.heartbeat(), kerr.UnknownMemberID)
		b := r.consumer("b").start()
		if b.generation <= a.generation {
			t.Errorf("generation %d after %d", b.generation, a.generation)
		}
	})
}

func TestListAndDescribeGroups(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		a := r.consumer("a").static("one").start()
		simple := commitRequest(3)
		simple.Group = "simple"
		wantCode(t, "commit", r.commit(simple), nil)
		list := func(version int16, states, types []string) string {
			req := kmsg.NewPtrListGroupsRequest()
			req.Version, req.StatesFilter, req.TypesFilter = version, states, types
			var got []string
			for _, g := range reencode(t, r.ListGroups(background, req)).Groups {
				got = append(got, fmt.Sprintf("%s/%s/%s/%s", g.Group, g.ProtocolType, g.GroupState, g.GroupType))
			}
			return strings.Join(got, " ")
		}
		for _, tc := range []struct {
			version       int16
			states, types []string
			want          string
		}{
			{0, nil, nil, "cache/consumer// simple///"},
			{4, nil, nil, "cache/consumer/Stable/ simple//Empty/"},
			{5, nil, nil, "cache/consumer/Stable/classic simple//Empty/classic"},
			{5, []string{"empty"}, nil, "simple//Empty/classic"},
			{5, []string{"Dead"}, nil, ""},
			{5, nil, []string{"Classic"}, "cache/consumer/Stable/classic simple//Empty/classic"},
			{5, nil, []string{"consumer"}, ""},
		} {
			if got := list(tc.version, tc.states, tc.types); got != tc.want {
				t.Errorf("list v%d %v %v: got %q, want %q", tc.version, tc.states, tc.types, got, tc.want)
			}
		}
		for version := int16(0); version <= 6; version++ {
			req := kmsg.NewPtrDescribeGroupsRequest()
			req.Version, req.Groups = version, []string{groupID, "simple", "other"}
			got := reencode(t, r.DescribeGroups(background, req)).Groups
			m := got[0].Members[0]
			if got[0].State != "Stable" || got[0].Protocol != "range" || m.MemberID != a.id || m.ClientID != "a" ||
				m.ClientHost != "/10.0.0.1" || string(m.MemberAssignment) != "partition 0 by a" || len(m.ProtocolMetadata) == 0 {
				t.Errorf("v%d: got %+v", version, got[0])
			}
			if version >= 4 && *m.InstanceID != "one" {
				t.Errorf("v%d: instance ID %q", version, *m.InstanceID)
			}
			if got[1].State != "Empty" || got[1].ErrorCode != 0 {
				t.Errorf("v%d: a group with only checkpoints is %+v", version, got[1])
			}
			wantErr := (*kerr.Error)(nil)
			if version >= 6 {
				wantErr = kerr.GroupIDNotFound
			}
			wantCode(t, "a group that is not there", got[2].ErrorCode, wantErr)
			if got[2].State != "Dead" {
				t.Errorf("v%d: a group that is not there is %s", version, got[2].State)
			}
		}
	})
}

func TestDeleteGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fs := vfs.NewCrashableMem()
		r := open(t, fs, nil)
		a := r.consumer("a").start()
		a.commit(5)
		remove := func() []int16 {
			req := kmsg.NewPtrDeleteGroupsRequest()
			req.Version, req.Groups = 2, []string{groupID, "other"}
			var codes []int16
			for _, g := range reencode(t, r.DeleteGroups(background, req)).Groups {
				codes = append(codes, g.ErrorCode)
			}
			return codes
		}
		missing := kerr.GroupIDNotFound.Code
		if got := remove(); !slices.Equal(got, []int16{kerr.NonEmptyGroup.Code, missing}) {
			t.Errorf("with a member: got %v", got)
		}
		a.leave()
		if got := remove(); !slices.Equal(got, []int16{0, missing}) {
			t.Errorf("without members: got %v", got)
		}
		r.wantState("Dead")
		if got := r.fetch(); got != -1 {
			t.Errorf("checkpoint: got %d", got)
		}
		if got := remove(); !slices.Equal(got, []int16{missing, missing}) {
			t.Errorf("again: got %v", got)
		}
		crashed := fs.CrashClone(vfs.CrashCloneCfg{})
		r.close()
		r = open(t, crashed, nil)
		defer r.close()
		r.wantState("Dead")
		r.consumer("b").start() // the name is free
		r.wantState("Stable", "b")
	})
}

func TestOffsetDelete(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		remove := func(group string) *kmsg.OffsetDeleteResponse {
			req := kmsg.NewPtrOffsetDeleteRequest()
			req.Group = group
			req.Topics = []kmsg.OffsetDeleteRequestTopic{{Topic: topic, Partitions: []kmsg.OffsetDeleteRequestTopicPartition{{Partition: 0}}}}
			return reencode(t, r.OffsetDelete(background, req))
		}
		wantCode(t, "a group that is not there", remove("other").ErrorCode, kerr.GroupIDNotFound)
		a := r.consumer("a").start()
		a.commit(5)
		wantCode(t, "a subscribed topic", remove(groupID).Topics[0].Partitions[0].ErrorCode, kerr.GroupSubscribedToTopic)
		if got := r.fetch(); got != 5 {
			t.Errorf("checkpoint: got %d, want 5", got)
		}
		a.leave()
		wantCode(t, "in an empty group", remove(groupID).Topics[0].Partitions[0].ErrorCode, nil)
		if got := r.fetch(); got != -1 {
			t.Errorf("checkpoint: got %d, want none", got)
		}
		r.wantState("Dead") // with its last checkpoint
		wantCode(t, "again", remove(groupID).ErrorCode, kerr.GroupIDNotFound)

		other := r.consumer("c")
		req := other.joinRequest()
		req.Version, req.ProtocolType = 0, "connect"
		wantCode(t, "join", r.JoinGroup(background, group.Client{}, req).ErrorCode, nil)
		wantCode(t, "in a group of other things", remove(groupID).ErrorCode, kerr.NonEmptyGroup)
	})
}
