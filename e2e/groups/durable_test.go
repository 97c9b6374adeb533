//go:build servers

package groups

import (
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/e2e/harness"
)

func TestAcknowledgedCommitsSurviveKills(t *testing.T) {
	surviveKills(t, 60)
}

// committer commits ever higher offsets in a group of its own, as fast as it
// can.
type committer struct {
	group            string
	member           bool // of its group
	assigned         bool // it fetches, and so has the lease
	acked, attempted int64
}

// surviveKills kills Daybook as soon as a commit was acknowledged, again and
// again, and wants every group's checkpoint to be the acknowledged one, or the
// one that was on its way.
func surviveKills(t *testing.T, kills int) {
	rng := random(t)
	all := []*committer{{group: "member", member: true}, {group: "assigned", assigned: true}, {group: "tool"}}
	d := start(t, "member", "assigned", "tool")
	landed := 0 // commits that nobody was told of
	for range kills {
		chosen, after := rng.IntN(len(all)), 1+rng.Int64N(30)
		commitUntilKilled(t, d, all, all[chosen], all[chosen].acked+after)
		d.Start()
		for _, c := range all {
			client := d.GroupClient(t, c.group)
			got, err := harness.Committed(t.Context(), client, c.group)
			client.Close()
			if err != nil {
				t.Fatal(err)
			}
			got.Offset = max(0, got.Offset) // -1: none was acknowledged yet
			if got.Offset < c.acked || got.Offset > c.attempted || got.Offset > 0 && got.Metadata != strconv.FormatInt(got.Offset, 10) {
				t.Fatalf("%s: after the kill the checkpoint is %d, %q; acknowledged was %d, and %d was tried",
					c.group, got.Offset, got.Metadata, c.acked, c.attempted)
			}
			if got.Offset > c.acked {
				landed++
			}
			c.acked, c.attempted = got.Offset, got.Offset
		}
	}
	t.Logf("%d kills; %d, %d and %d commits, of which %d were on disk and not yet acknowledged", kills, all[0].acked, all[1].acked, all[2].acked, landed)
}

// commitUntilKilled lets all commit, and kills Daybook at the moment when the
// chosen one's commit of that offset, its last, is acknowledged.
func commitUntilKilled(t *testing.T, d *harness.Daybook, all []*committer, chosen *committer, last int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	acknowledged := make(chan struct{})
	var working sync.WaitGroup
	for _, c := range all {
		options := []kgo.Opt{kgo.RequestRetries(0)}
		if c.assigned {
			options = append(options, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{harness.Topic: {0: kgo.NewOffset().AtEnd()}}))
		}
		client := d.GroupClient(t, c.group, options...)
		defer client.Close()
		id, generation := "", int32(-1)
		if c.member {
			id, generation = join(t, client, c.group)
		}
		working.Go(func() {
			for ctx.Err() == nil {
				if c == chosen && c.acked == last {
					close(acknowledged)
					return
				}
				c.attempted++
				cp := harness.Checkpoint{Offset: c.attempted, Metadata: strconv.FormatInt(c.attempted, 10)}
				if err := harness.CommitAs(ctx, client, c.group, id, generation, cp); err != nil {
					return // killed, or else the chosen one's end is missed
				}
				c.acked = c.attempted
			}
		})
	}
	select {
	case <-acknowledged:
	case <-ctx.Done():
		t.Fatalf("%s: offset %d is not acknowledged", chosen.group, last)
	}
	d.Kill()
	cancel()
	working.Wait()
}

// join makes the client the only member of a group, by the bare requests.
func join(t *testing.T, client *kgo.Client, group string) (id string, generation int32) {
	t.Helper()
	for {
		req := kmsg.NewPtrJoinGroupRequest()
		req.Group, req.MemberID, req.ProtocolType = group, id, "consumer"
		req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = 30_000, 30_000
		protocol := kmsg.NewJoinGroupRequestProtocol()
		protocol.Name = "range"
		req.Protocols = append(req.Protocols, protocol)
		resp, err := req.RequestWith(t.Context(), client)
		if err != nil {
			t.Fatalf("join %s: %v", group, err)
		}
		id = resp.MemberID
		if resp.ErrorCode == kerr.MemberIDRequired.Code {
			continue
		}
		if resp.ErrorCode != 0 {
			t.Fatalf("join %s: %v", group, kerr.ErrorForCode(resp.ErrorCode))
		}
		sync := kmsg.NewPtrSyncGroupRequest()
		sync.Group, sync.MemberID, sync.Generation = group, id, resp.Generation
		sync.ProtocolType, sync.Protocol = resp.ProtocolType, resp.Protocol
		assignment := kmsg.NewSyncGroupRequestGroupAssignment()
		assignment.MemberID = id
		sync.GroupAssignment = append(sync.GroupAssignment, assignment)
		synced, err := sync.RequestWith(t.Context(), client)
		if err != nil || synced.ErrorCode != 0 {
			t.Fatalf("sync %s: %v, %v", group, err, synced)
		}
		return id, resp.Generation
	}
}
