//go:build servers && soak

package groups

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/e2e/harness"
	"daybook/e2e/servers"
)

func TestSoakThreeGroupsReadTheWholeSequence(t *testing.T) {
	threeGroups(t, 10*time.Minute, 100)
}

func TestSoakAcknowledgedCommitsSurviveKills(t *testing.T) {
	surviveKills(t, 1000)
}

// A group goes with its checkpoint when nobody is there, reads or commits.
func TestSoakGroupsExpire(t *testing.T) {
	source := servers.Get(t, "mysql-8.0")
	d := harness.Start(t, harness.Config{Source: source.Address, Include: []string{"nothing.*"}, SchemaChanges: "none", Groups: []string{"idle", "busy", "member", "assigned"},
		Kafka: "  offset_retention: 1m\n"})
	idle, busy, watcher := d.GroupClient(t, "idle"), d.GroupClient(t, "busy"), d.GroupClient(t, "member")
	member(t, d, "member")
	// It goes on fetching though it is not polled, as there is nothing to hand over.
	assigned := d.GroupClient(t, "assigned", kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{harness.Topic: {0: kgo.NewOffset().AtStart()}}))
	if got := state(t, watcher, "member"); got != "Stable" {
		t.Errorf("the group with a member is %s", got)
	}
	for group, client := range map[string]*kgo.Client{"idle": idle, "busy": busy, "assigned": assigned} {
		if err := harness.Commit(t.Context(), client, group, harness.Checkpoint{Offset: 1}); err != nil {
			t.Fatal(err)
		}
		if got := state(t, client, group); got != "Empty" {
			t.Errorf("the group %s with a checkpoint is %s", group, got)
		}
	}
	began := time.Now()
	for ; state(t, idle, "idle") != "Dead"; time.Sleep(5 * time.Second) {
		if time.Since(began) > 3*time.Minute {
			t.Fatal("the idle group does not expire")
		}
		if err := harness.Commit(t.Context(), busy, "busy", harness.Checkpoint{Offset: 2}); err != nil {
			t.Fatal(err)
		}
	}
	if age := time.Since(began); age < time.Minute {
		t.Errorf("the idle group expired after %v", age)
	}
	if got, err := harness.Committed(t.Context(), idle, "idle"); err != nil || got.Offset != -1 {
		t.Errorf("the expired group has the checkpoint %d: %v", got.Offset, err)
	}
	if got, err := harness.Committed(t.Context(), busy, "busy"); err != nil || got.Offset != 2 {
		t.Errorf("the busy group has the checkpoint %d: %v", got.Offset, err)
	}
	if got, err := harness.Committed(t.Context(), assigned, "assigned"); err != nil || got.Offset != 1 {
		t.Errorf("the group that is read and not committed to has the checkpoint %d: %v", got.Offset, err)
	}
	if got := state(t, watcher, "member"); got != "Stable" {
		t.Errorf("the group with a member is %s", got)
	}
}

func state(t *testing.T, client *kgo.Client, group string) string {
	t.Helper()
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = []string{group}
	resp, err := req.RequestWith(t.Context(), client)
	if err != nil || resp.Groups[0].ErrorCode != 0 {
		t.Fatalf("describe %s: %v, %+v", group, err, resp)
	}
	return resp.Groups[0].State
}
