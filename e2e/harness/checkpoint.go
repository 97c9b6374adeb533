package harness

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"daybook/admin"
)

// Checkpoint is what a group has committed.
type Checkpoint struct {
	Offset   int64 // -1: it has none
	Metadata string
}

// GroupClient is Client with the login of another group. It speaks a release's
// protocol that names topics where the newest has their IDs, as [Commit] and
// [Committed] do.
func (d *Daybook) GroupClient(t *testing.T, group string, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(d.addr),
		kgo.SASL(plain.Auth{User: Account + "-" + group, Pass: Password}.AsMechanism()),
		kgo.MaxVersions(kversion.V2_8_0()),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// Commit commits as the member that the client is, or, if it is none, as admin
// tools do. The error is a [*kerr.Error] if the broker refused.
func Commit(ctx context.Context, c *kgo.Client, group string, cp Checkpoint) error {
	member, generation := c.GroupMetadata()
	return CommitAs(ctx, c, group, member, generation, cp)
}

// CommitAs is Commit as any member of any generation.
func CommitAs(ctx context.Context, c *kgo.Client, group, member string, generation int32, cp Checkpoint) error {
	topic, partition := kmsg.NewOffsetCommitRequestTopic(), kmsg.NewOffsetCommitRequestTopicPartition()
	partition.Offset, partition.Metadata = cp.Offset, &cp.Metadata
	topic.Topic, topic.Partitions = Topic, append(topic.Partitions, partition)
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.MemberID, req.Generation = group, member, generation
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(ctx, c)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.Topics[0].Partitions[0].ErrorCode)
}

// Committed asks for the group's checkpoint.
func Committed(ctx context.Context, c *kgo.Client, group string) (Checkpoint, error) {
	topic := kmsg.NewOffsetFetchRequestTopic()
	topic.Topic, topic.Partitions = Topic, []int32{0}
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Group, req.Topics = group, append(req.Topics, topic)
	resp, err := req.RequestWith(ctx, c)
	if err != nil {
		return Checkpoint{}, err
	}
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return Checkpoint{}, err
	}
	p := resp.Topics[0].Partitions[0]
	cp := Checkpoint{Offset: p.Offset}
	if p.Metadata != nil {
		cp.Metadata = *p.Metadata
	}
	return cp, kerr.ErrorForCode(p.ErrorCode)
}

// Show returns what `daybook group show` tells of a group.
func (d *Daybook) Show(t *testing.T, group string) admin.Group {
	t.Helper()
	out, errOut, exit := d.Run("group", "show", group, "-o", "json")
	var g admin.Group
	if err := json.Unmarshal([]byte(out), &g); err != nil || exit != 0 {
		t.Fatalf("daybook group show %s: exit code %d, %v\n%s%s", group, exit, err, out, errOut)
	}
	return g
}
