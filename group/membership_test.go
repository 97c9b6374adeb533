package group_test

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/group"
)

var background = context.Background()

// reencode sends a response over the wire: what the version has no place for is gone.
func reencode[R kmsg.Response](t *testing.T, resp R) R {
	t.Helper()
	again := reflect.New(reflect.TypeOf(resp).Elem()).Interface().(R)
	again.SetVersion(resp.GetVersion())
	if err := again.ReadFrom(resp.AppendTo(nil)); err != nil {
		t.Fatalf("version %d does not decode: %v", resp.GetVersion(), err)
	}
	return again
}

func TestLoneConsumerStartsAtOnceInEveryVersion(t *testing.T) {
	for version := int16(0); version <= 9; version++ {
		t.Run(fmt.Sprint("v", version), func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, r *rig) {
				started := time.Now()
				c := r.consumer("a")
				c.version = version
				first := reencode(t, c.joinOnce(background))
				if version >= 4 {
					wantCode(t, "first join", first.ErrorCode, kerr.MemberIDRequired)
					if first.MemberID == "" || first.Generation != -1 {
						t.Errorf("member ID is %q and generation %d, want one and -1", first.MemberID, first.Generation)
					}
					first = reencode(t, c.joinOnce(background))
				}
				wantCode(t, "join", first.ErrorCode, nil)
				if first.Generation != 1 || first.LeaderID != c.id || len(first.Members) != 1 || *first.Protocol != "range" {
					t.Errorf("join: got %+v", first)
				}
				if version >= 7 && *first.ProtocolType != "consumer" {
					t.Errorf("protocol type: got %q", *first.ProtocolType)
				}
				synced := reencode(t, c.sync(c.id))
				wantCode(t, "sync", synced.ErrorCode, nil)
				if got := string(synced.MemberAssignment); got != "partition 0 by a" {
					t.Errorf("assignment: got %q", got)
				}
				wantCode(t, "heartbeat", c.heartbeat(), nil)
				if d := time.Since(started); d != 0 {
					t.Errorf("it took %v", d)
				}
			})
		})
	}
}

func TestSecondConsumerWaitsForTheFirstToRejoin(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		a := r.consumer("a").start()
		b := r.consumer("b")
		joining := later(func() *kmsg.JoinGroupResponse { return b.join(background) })
		blocked(t, "b's join", joining)
		wantCode(t, "a's heartbeat", a.heartbeat(), kerr.RebalanceInProgress)
		wantCode(t, "a's sync", a.sync().ErrorCode, kerr.RebalanceInProgress)
		wantCode(t, "a's last commit of the generation", a.commit(5), nil)

		wantCode(t, "a's join", a.join(background).ErrorCode, nil)
		wantCode(t, "b's join", (<-joining).ErrorCode, nil)
		if a.generation != 2 || b.generation != 2 || !a.leader || b.leader || len(a.members) != 2 || len(b.members) != 0 {
			t.Errorf("got a %+v, b %+v", a, b)
		}
		wantCode(t, "a commit before the assignment", a.commit(6), kerr.RebalanceInProgress)
		syncing := later(func() *kmsg.SyncGroupResponse { return b.sync() })
		blocked(t, "b's sync", syncing)
		if got := a.sync(b.id, a.id); len(got.MemberAssignment) != 0 {
			t.Errorf("a was given %q", got.MemberAssignment)
		}
		if got := <-syncing; string(got.MemberAssignment) != "partition 0 by a" {
			t.Errorf("b was given %q, error %d", got.MemberAssignment, got.ErrorCode)
		}
		r.wantState("Stable", "a", "b")
	})
}

func TestMembersEndWithTheirSession(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		a := r.consumer("a").start()
		time.Sleep(session - time.Nanosecond)
		wantCode(t, "heartbeat at the last moment", a.heartbeat(), nil)
		time.Sleep(session - time.Nanosecond)
		wantCode(t, "commit at the last moment", a.commit(1), nil)
		time.Sleep(session)
		synctest.Wait()
		r.wantState("Empty")
		wantCode(t, "heartbeat", a.heartbeat(), kerr.UnknownMemberID)
		wantCode(t, "commit", a.commit(2), kerr.UnknownMemberID)
		wantCode(t, "join", a.joinOnce(background).ErrorCode, kerr.UnknownMemberID)
		if got := r.fetch(); got != 1 {
			t.Errorf("checkpoint: got %d, want 1", got)
		}
	})
}

func TestStandbyTakesOverWithinTheSessionTimeout(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		a, b := r.consumer("a").start(), r.consumer("b")
		together(t, a, b)
		died, interval := time.Now(), time.Second
		for b.heartbeat() == 0 {
			time.Sleep(interval)
		}
		wantCode(t, "b's join", b.join(background).ErrorCode, nil)
		wantCode(t, "b's sync", b.sync(b.id).ErrorCode, nil)
		if d := time.Since(died); d > session+interval {
			t.Errorf("it took %v, longer than the session timeout and a heartbeat", d)
		}
		r.wantState("Stable", "b")
		if b.generation != 3 || !b.leader {
			t.Errorf("got %+v", b)
		}
	})
}

// together brings consumers into one Stable generation; the first is in the
// group already and leads.
func together(t *testing.T, members ...*consumer) {
	t.Helper()
	var joins []<-chan *kmsg.JoinGroupResponse
	for _, c := range members[1:] {
		joins = append(joins, later(func() *kmsg.JoinGroupResponse { return c.join(background) }))
		synctest.Wait()
	}
	wantCode(t, "the leader's join", members[0].join(background).ErrorCode, nil)
	for _, j := range joins {
		wantCode(t, "join", (<-j).ErrorCode, nil)
	}
	var syncs []<-chan *kmsg.SyncGroupResponse
	for _, c := range members[1:] {
		syncs = append(syncs, later(func() *kmsg.SyncGroupResponse { return c.sync() }))
	}
	wantCode(t, "the leader's sync", members[0].sync(members[0].id).ErrorCode, nil)
	for _, s := range syncs {
		wantCode(t, "sync", (<-s).ErrorCode, nil)
	}
}

func TestMemberIDThatNobodyJoinsWithHoldsUpTheRebalance(t *testing.T) {
	for _, c := range []struct {
		name   string
		second string // connection that asks for another ID
		want   time.Duration
	}{
		{"by the same connection, asked for again", "10.0.0.1:5", 0},
		{"by another connection", "10.0.0.1:6", session},
		{"by a connection that is not known", "", session},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, r *rig) {
				a, b := r.consumer("a").start(), r.consumer("b")
				began := time.Now()
				b.address = "10.0.0.1:5"
				wantCode(t, "b's first join", b.joinOnce(background).ErrorCode, kerr.MemberIDRequired)
				forgotten := b.id
				b.id, b.address = "", c.second
				joining := later(func() *kmsg.JoinGroupResponse { return b.join(background) })
				synctest.Wait()
				rejoining := later(func() *kmsg.JoinGroupResponse { return a.join(background) })
				wantCode(t, "b's join", (<-joining).ErrorCode, nil)
				wantCode(t, "a's join", (<-rejoining).ErrorCode, nil)
				if took := time.Since(began); took != c.want {
					t.Errorf("the rebalance took %v, want %v", took, c.want)
				}
				b.id = forgotten
				wantCode(t, "a join with the first ID", b.joinOnce(background).ErrorCode, kerr.UnknownMemberID)
			})
		})
	}
}

func TestMemberThatDoesNotRejoinInTimeIsRemoved(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		a, b := r.consumer("a").start(), r.consumer("b")
		began := time.Now()
		joining := later(func() *kmsg.JoinGroupResponse { return b.join(background) })
		for range 4 { // a lives but does not come
			time.Sleep(4 * time.Second)
			wantCode(t, "a's heartbeat", a.heartbeat(), kerr.RebalanceInProgress)
		}
		wantCode(t, "b's join", (<-joining).ErrorCode, nil)
		if d := time.Since(began); d != rebal {
			t.Errorf("the rebalance took %v, want the rebalance timeout %v", d, rebal)
		}
		if !b.leader || len(b.members) != 1 {
			t.Errorf("b is not the leader of one: %+v", b)
		}
		wantCode(t, "a's heartbeat", a.heartbeat(), kerr.UnknownMemberID)
	})
}

func TestMemberThatDoesNotSyncInTimeIsRemoved(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		a, b := r.consumer("a").start(), r.consumer("b")
		joining := later(func() *kmsg.JoinGroupResponse { return b.join(background) })
		synctest.Wait()
		a.join(background)
		<-joining
		wantCode(t, "a's sync", a.sync(a.id).ErrorCode, nil)
		beat := func(c *consumer, times int, want *kerr.Error) {
			for range times {
				time.Sleep(4 * time.Second)
				wantCode(t, c.name+"'s heartbeat", c.heartbeat(), want)
				b.heartbeat() // b lives but never asks for its assignment
			}
		}
		beat(a, 4, nil)
		time.Sleep(4 * time.Second)
		synctest.Wait()
		wantCode(t, "a's heartbeat", a.heartbeat(), kerr.RebalanceInProgress)
		wantCode(t, "a's join", a.join(background).ErrorCode, nil)
		if a.generation != 3 || len(a.members) != 1 {
			t.Errorf("a is not alone in generation 3: %+v", a)
		}
		wantCode(t, "b's heartbeat", b.heartbeat(), kerr.UnknownMemberID)
	})
}

func TestLeaderThatDoesNotSyncGivesItsPlaceAway(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		a, b := r.consumer("a").start(), r.consumer("b")
		joining := later(func() *kmsg.JoinGroupResponse { return b.join(background) })
		synctest.Wait()
		a.join(background)
		<-joining
		syncing := later(func() *kmsg.SyncGroupResponse { return b.sync() })
		time.Sleep(session) // a's session ends
		wantCode(t, "b's sync", (<-syncing).ErrorCode, kerr.RebalanceInProgress)
		b.join(background)
		if !b.leader || b.generation != 3 {
			t.Errorf("b does not lead generation 3: %+v", b)
		}
	})
}

func TestInitialRebalanceDelayGathersMembers(t *testing.T) {
	bubble(t, func(o *group.Options) { o.InitialRebalanceDelay = time.Second }, func(t *testing.T, r *rig) {
		began := time.Now()
		a, b := r.consumer("a"), r.consumer("b")
		first := later(func() *kmsg.JoinGroupResponse { return a.join(background) })
		time.Sleep(500 * time.Millisecond)
		second := later(func() *kmsg.JoinGroupResponse { return b.join(background) })
		wantCode(t, "a's join", (<-first).ErrorCode, nil)
		wantCode(t, "b's join", (<-second).ErrorCode, nil)
		if d := time.Since(began); d != time.Second || a.generation != 1 || b.generation != 1 {
			t.Errorf("after %v a has generation %d, b %d; want both 1 after a second", d, a.generation, b.generation)
		}
	})
}

func TestMostVotedCommonProtocolWins(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		a := r.consumer("a", "roundrobin", "sticky", "range").start()
		b, c := r.consumer("b", "new", "range", "sticky"), r.consumer("c", "range", "sticky", "roundrobin")
		together(t, a, b, c)
		resp := c.joinOnce(background)
		if *resp.Protocol != "range" { // sticky is a's choice of the two that all have, range b's and c's
			t.Errorf("got %s, want range", *resp.Protocol)
		}
	})
}

func TestJoinErrors(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*kmsg.JoinGroupRequest)
		want   *kerr.Error
	}{
		"no group":               {func(r *kmsg.JoinGroupRequest) { r.Group = "" }, kerr.InvalidGroupID},
		"session too short":      {func(r *kmsg.JoinGroupRequest) { r.SessionTimeoutMillis = 5999 }, kerr.InvalidSessionTimeout},
		"session too long":       {func(r *kmsg.JoinGroupRequest) { r.SessionTimeoutMillis = 1800001 }, kerr.InvalidSessionTimeout},
		"unknown member":         {func(r *kmsg.JoinGroupRequest) { r.MemberID = "nobody" }, kerr.UnknownMemberID},
		"member of no group":     {func(r *kmsg.JoinGroupRequest) { r.Group, r.MemberID = "other", "nobody" }, kerr.UnknownMemberID},
		"no protocols":           {func(r *kmsg.JoinGroupRequest) { r.Protocols = nil }, kerr.InconsistentGroupProtocol},
		"no protocol in common":  {func(r *kmsg.JoinGroupRequest) { r.Protocols[0].Name = "x" }, kerr.InconsistentGroupProtocol},
		"another type":           {func(r *kmsg.JoinGroupRequest) { r.ProtocolType = "connect" }, kerr.InconsistentGroupProtocol},
		"no type":                {func(r *kmsg.JoinGroupRequest) { r.ProtocolType = "" }, kerr.InconsistentGroupProtocol},
		"metadata too large":     {func(r *kmsg.JoinGroupRequest) { r.Protocols[0].Metadata = make([]byte, 64<<10) }, kerr.InvalidRequest},
		"unknown static member":  {func(r *kmsg.JoinGroupRequest) { r.MemberID, r.InstanceID = "x", kmsg.StringPtr("i") }, kerr.UnknownMemberID},
		"fenced static member":   {func(r *kmsg.JoinGroupRequest) { r.MemberID, r.InstanceID = "x", kmsg.StringPtr("s") }, kerr.FencedInstanceID},
		"full":                   {func(r *kmsg.JoinGroupRequest) {}, kerr.GroupMaxSizeReached},
		"full for a static one":  {func(r *kmsg.JoinGroupRequest) { r.InstanceID = kmsg.StringPtr("t") }, kerr.GroupMaxSizeReached},
		"full for an old client": {func(r *kmsg.JoinGroupRequest) { r.Version = 0 }, kerr.GroupMaxSizeReached},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(o *group.Options) { o.MaxMembers = 1 }, func(t *testing.T, r *rig) {
				r.consumer("a").static("s").start()
				req := r.consumer("b").joinRequest()
				tc.change(req)
				resp := reencode(t, r.JoinGroup(background, group.Client{}, req))
				wantCode(t, "join", resp.ErrorCode, tc.want)
				r.wantState("Stable", "a")
			})
		})
	}
}

func TestSyncErrors(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*kmsg.SyncGroupRequest)
		want   *kerr.Error
	}{
		"as it should be":      {func(r *kmsg.SyncGroupRequest) {}, nil},
		"no group":             {func(r *kmsg.SyncGroupRequest) { r.Group = "" }, kerr.InvalidGroupID},
		"unknown group":        {func(r *kmsg.SyncGroupRequest) { r.Group = "other" }, kerr.UnknownMemberID},
		"unknown member":       {func(r *kmsg.SyncGroupRequest) { r.MemberID = "nobody" }, kerr.UnknownMemberID},
		"old generation":       {func(r *kmsg.SyncGroupRequest) { r.Generation-- }, kerr.IllegalGeneration},
		"another type":         {func(r *kmsg.SyncGroupRequest) { r.ProtocolType = kmsg.StringPtr("connect") }, kerr.InconsistentGroupProtocol},
		"another protocol":     {func(r *kmsg.SyncGroupRequest) { r.Protocol = kmsg.StringPtr("sticky") }, kerr.InconsistentGroupProtocol},
		"unknown instance":     {func(r *kmsg.SyncGroupRequest) { r.InstanceID = kmsg.StringPtr("x") }, kerr.UnknownMemberID},
		"assignment too large": {func(r *kmsg.SyncGroupRequest) { r.GroupAssignment[0].MemberAssignment = make([]byte, 64<<10+1) }, kerr.InvalidRequest},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, r *rig) {
				a := r.consumer("a")
				a.join(background)
				req := kmsg.NewPtrSyncGroupRequest()
				req.Version = 5
				req.Group, req.MemberID, req.Generation = groupID, a.id, a.generation
				req.GroupAssignment = []kmsg.SyncGroupRequestGroupAssignment{{MemberID: a.id}}
				tc.change(req)
				wantCode(t, "sync", reencode(t, r.SyncGroup(background, req)).ErrorCode, tc.want)
			})
		})
	}
}

func TestHeartbeatErrors(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(*kmsg.HeartbeatRequest)
		want   *kerr.Error
	}{
		"as it should be": {func(r *kmsg.HeartbeatRequest) {}, nil},
		"no group":        {func(r *kmsg.HeartbeatRequest) { r.Group = "" }, kerr.InvalidGroupID},
		"unknown group":   {func(r *kmsg.HeartbeatRequest) { r.Group = "other" }, kerr.UnknownMemberID},
		"unknown member":  {func(r *kmsg.HeartbeatRequest) { r.MemberID = "nobody" }, kerr.UnknownMemberID},
		"old generation":  {func(r *kmsg.HeartbeatRequest) { r.Generation-- }, kerr.IllegalGeneration},
		"next generation": {func(r *kmsg.HeartbeatRequest) { r.Generation++ }, kerr.IllegalGeneration},
		"fenced":          {func(r *kmsg.HeartbeatRequest) { r.InstanceID, r.MemberID = kmsg.StringPtr("s"), "x" }, kerr.FencedInstanceID},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, r *rig) {
				a := r.consumer("a").static("s").start()
				for version := int16(0); version <= 4; version++ {
					req := kmsg.NewPtrHeartbeatRequest()
					req.Version = version
					req.Group, req.MemberID, req.Generation = groupID, a.id, a.generation
					tc.change(req)
					wantCode(t, "heartbeat", reencode(t, r.Heartbeat(background, req)).ErrorCode, tc.want)
				}
			})
		})
	}
}

func TestStaticMemberComesBackWithoutRebalance(t *testing.T) {
	for _, version := range []int16{5, 9} {
		t.Run(fmt.Sprint("v", version), func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, r *rig) {
				old := r.consumer("a").static("one").start()
				again := r.consumer("a").static("one")
				again.version = version
				resp := reencode(t, again.joinOnce(background))
				wantCode(t, "join", resp.ErrorCode, nil)
				if resp.Generation != 1 || again.id == old.id {
					t.Errorf("generation %d, member %q after %q; want generation 1 and a new ID", resp.Generation, again.id, old.id)
				}
				if version >= 9 && (!resp.SkipAssignment || resp.LeaderID != again.id || len(resp.Members) != 1) {
					t.Errorf("v9: the leader is not told to skip the assignment: %+v", resp)
				}
				if version < 9 && (resp.LeaderID != old.id || len(resp.Members) != 0) {
					t.Errorf("v%d: the member would assign anew: %+v", version, resp)
				}
				if got := again.sync(); string(got.MemberAssignment) != "partition 0 by a" {
					t.Errorf("assignment: got %q, error %d", got.MemberAssignment, got.ErrorCode)
				}
				wantCode(t, "the old one's heartbeat", old.heartbeat(), kerr.FencedInstanceID)
				wantCode(t, "the old one's commit", old.commit(3), kerr.FencedInstanceID)
				wantCode(t, "the new one's commit", again.commit(4), nil)
				r.wantState("Stable", "a")
			})
		})
	}
}

func TestStaticMemberFencesTheOneThatWaits(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		a := r.consumer("a").start()
		old, again := r.consumer("b").static("one"), r.consumer("b").static("one")
		first := later(func() *kmsg.JoinGroupResponse { return old.join(background) })
		blocked(t, "the first join", first)
		second := later(func() *kmsg.JoinGroupResponse { return again.join(background) })
		wantCode(t, "the first join", (<-first).ErrorCode, kerr.FencedInstanceID)
		blocked(t, "the second join", second)
		a.join(background)
		wantCode(t, "the second join", (<-second).ErrorCode, nil)

		// While the leader assigns, a new incarnation means a new generation.
		third := r.consumer("b").static("one")
		joining := later(func() *kmsg.JoinGroupResponse { return third.join(background) })
		blocked(t, "the third join", joining)
		wantCode(t, "a's sync", a.sync(a.id).ErrorCode, kerr.RebalanceInProgress)
		a.join(background)
		if got := <-joining; got.ErrorCode != 0 || got.Generation != 3 {
			t.Errorf("the third join: got %+v", got)
		}
	})
}

func TestStaticMemberKeepsItsPlaceThroughARebalanceWithoutIt(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		a := r.consumer("a").start()
		s := r.consumer("s").static("one")
		together(t, a, s)
		b := r.consumer("b")
		joining := later(func() *kmsg.JoinGroupResponse { return b.join(background) })
		synctest.Wait()
		go a.join(background)
		for range 5 { // s is away, but heartbeats keep its session
			time.Sleep(4 * time.Second)
			s.heartbeat()
		}
		wantCode(t, "b's join", (<-joining).ErrorCode, nil)
		r.wantState("CompletingRebalance", "a", "s", "b")
	})
}

func TestLeave(t *testing.T) {
	for version := int16(0); version <= 5; version++ {
		t.Run(fmt.Sprint("v", version), func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, r *rig) {
				a, b := r.consumer("a").start(), r.consumer("b").static("one")
				together(t, a, b)
				pending := r.consumer("p")
				pending.joinOnce(background)
				leave := func(members ...kmsg.LeaveGroupRequestMember) []int16 {
					req := kmsg.NewPtrLeaveGroupRequest()
					req.Version, req.Group = version, groupID
					req.MemberID, req.Members = members[0].MemberID, members
					resp := reencode(t, r.LeaveGroup(background, req))
					if version < 3 {
						return []int16{resp.ErrorCode}
					}
					wantCode(t, "leave as a whole", resp.ErrorCode, nil)
					var codes []int16
					for _, m := range resp.Members {
						codes = append(codes, m.ErrorCode)
					}
					return codes
				}
				if version < 3 {
					wantCode(t, "nobody leaves", leave(kmsg.LeaveGroupRequestMember{MemberID: "x"})[0], kerr.UnknownMemberID)
					wantCode(t, "pending one leaves", leave(kmsg.LeaveGroupRequestMember{MemberID: pending.id})[0], nil)
					wantCode(t, "a leaves", leave(kmsg.LeaveGroupRequestMember{MemberID: a.id})[0], nil)
					r.wantState("PreparingRebalance", "b")
					return
				}
				got := leave(
					kmsg.LeaveGroupRequestMember{MemberID: "x"},
					kmsg.LeaveGroupRequestMember{MemberID: pending.id},
					kmsg.LeaveGroupRequestMember{MemberID: a.id},
					kmsg.LeaveGroupRequestMember{MemberID: a.id, InstanceID: kmsg.StringPtr("one")},
					kmsg.LeaveGroupRequestMember{InstanceID: kmsg.StringPtr("two")},
					kmsg.LeaveGroupRequestMember{InstanceID: kmsg.StringPtr("one")},
				)
				want := []int16{kerr.UnknownMemberID.Code, 0, 0, kerr.FencedInstanceID.Code, kerr.UnknownMemberID.Code, 0}
				if !slices.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
				r.wantState("Empty")
			})
		})
	}
}

func TestLeaveErrorsOfTheWholeRequest(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		req := kmsg.NewPtrLeaveGroupRequest()
		wantCode(t, "no group", r.LeaveGroup(background, req).ErrorCode, kerr.InvalidGroupID)
		req.Group = "other"
		wantCode(t, "unknown group", r.LeaveGroup(background, req).ErrorCode, kerr.UnknownMemberID)
		req.Version, req.Members = 3, []kmsg.LeaveGroupRequestMember{{MemberID: "x"}}
		wantCode(t, "unknown group", r.LeaveGroup(background, req).Members[0].ErrorCode, kerr.UnknownMemberID)
	})
}

func TestJoiningClientThatGoesAway(t *testing.T) {
	for name, tc := range map[string]struct {
		version int16
		stays   bool
	}{
		"without an ID it is nobody":  {0, false},
		"with an ID it may come back": {5, true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, r *rig) {
				a, b := r.consumer("a").start(), r.consumer("b")
				b.version = tc.version
				ctx, gone := context.WithCancel(background)
				joining := later(func() *kmsg.JoinGroupResponse { return b.join(ctx) })
				blocked(t, "b's join", joining)
				gone()
				wantCode(t, "b's join", (<-joining).ErrorCode, kerr.CoordinatorNotAvailable)
				rejoin := later(func() *kmsg.JoinGroupResponse { return a.join(background) })
				if !tc.stays {
					wantCode(t, "a's join", (<-rejoin).ErrorCode, nil)
					return
				}
				blocked(t, "a's join", rejoin)
				wantCode(t, "b's second join", b.join(background).ErrorCode, nil)
				wantCode(t, "a's join", (<-rejoin).ErrorCode, nil)
			})
		})
	}
}

func TestSyncingClientThatGoesAwayAsksAgain(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		a, b := r.consumer("a").start(), r.consumer("b")
		joining := later(func() *kmsg.JoinGroupResponse { return b.join(background) })
		synctest.Wait()
		a.join(background)
		<-joining
		ctx, gone := context.WithCancel(background)
		req := kmsg.NewPtrSyncGroupRequest()
		req.Group, req.MemberID, req.Generation = groupID, b.id, b.generation
		syncing := later(func() *kmsg.SyncGroupResponse { return r.SyncGroup(ctx, req) })
		blocked(t, "b's sync", syncing)
		gone()
		wantCode(t, "b's sync", (<-syncing).ErrorCode, kerr.CoordinatorNotAvailable)
		a.sync(b.id)
		if got := b.sync(); string(got.MemberAssignment) != "partition 0 by a" {
			t.Errorf("b was given %q, error %d", got.MemberAssignment, got.ErrorCode)
		}
	})
}

func TestUnusedMemberIDIsTakenBack(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		a, p := r.consumer("a").start(), r.consumer("p")
		p.joinOnce(background)
		rejoin := later(func() *kmsg.JoinGroupResponse { return a.join(background) })
		blocked(t, "a's join, while p is expected", rejoin)
		wantCode(t, "a's join", (<-rejoin).ErrorCode, nil)
		wantCode(t, "p's join", p.joinOnce(background).ErrorCode, kerr.UnknownMemberID)
	})
}

func TestRepeatedRequestsGetTheSameAnswer(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		a, b := r.consumer("a").start(), r.consumer("b")
		lost := later(func() *kmsg.JoinGroupResponse { return b.join(background) })
		synctest.Wait()
		again := later(func() *kmsg.JoinGroupResponse { return b.joinOnce(background) })
		wantCode(t, "the join that is replaced", (<-lost).ErrorCode, kerr.RebalanceInProgress)
		a.join(background)
		wantCode(t, "the later join", (<-again).ErrorCode, nil)
		if resp := b.joinOnce(background); resp.ErrorCode != 0 || resp.Generation != 2 {
			t.Errorf("join while the leader assigns: %+v", resp)
		}
		lostSync := later(func() *kmsg.SyncGroupResponse { return b.sync() })
		synctest.Wait()
		againSync := later(func() *kmsg.SyncGroupResponse { return b.sync() })
		wantCode(t, "the sync that is replaced", (<-lostSync).ErrorCode, kerr.RebalanceInProgress)
		a.sync(b.id)
		first, second := <-againSync, b.sync()
		if string(first.MemberAssignment) == "" || string(first.MemberAssignment) != string(second.MemberAssignment) {
			t.Errorf("assignments: %q, then %q", first.MemberAssignment, second.MemberAssignment)
		}
		if resp := b.joinOnce(background); resp.ErrorCode != 0 || resp.Generation != 2 || strings.HasPrefix(resp.LeaderID, "b-") {
			t.Errorf("a follower's join in Stable: %+v", resp)
		}
		r.wantState("Stable", "a", "b")
	})
}

func TestCloseAnswersWhoWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, vfs.NewMem(), nil)
		a, b := r.consumer("a").start(), r.consumer("b")
		joining := later(func() *kmsg.JoinGroupResponse { return b.join(background) })
		blocked(t, "b's join", joining)
		r.close()
		wantCode(t, "b's join", (<-joining).ErrorCode, kerr.CoordinatorNotAvailable)
		wantCode(t, "a's heartbeat", a.heartbeat(), kerr.CoordinatorNotAvailable)
		wantCode(t, "a's commit", a.commit(1), kerr.CoordinatorNotAvailable)
		wantCode(t, "a commit from outside", r.commit(commitRequest(1)), kerr.CoordinatorNotAvailable)
	})
}
