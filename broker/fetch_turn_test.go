package broker_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// fetch asks from an offset, for up to wait, and returns the partition's block
// and how long the answer took.
func (c *cluster) fetch(cl *client, v int16, offset int64, wait time.Duration) (kmsg.FetchResponseTopicPartition, time.Duration) {
	c.t.Helper()
	req := c.fetchRequest(v, offset)
	req.MaxWaitMillis, req.MinBytes = int32(wait.Milliseconds()), 1
	start := time.Now()
	resp := ask[*kmsg.FetchResponse](cl, req)
	return resp.Topics[0].Partitions[0], time.Since(start)
}

// One connection of a group is served; to the others the partition has nothing
// new, in every version, for as long as they are willing to wait, and for a
// moment if they are not. Its offsets do not matter.
func TestStandbysAreHeld(t *testing.T) {
	c := newCluster(t)
	c.produce(10)
	active := c.login(user)
	if p, _ := c.fetch(active, 12, 0, 0); len(p.RecordBatches) == 0 {
		t.Fatal("the first reader gets no records")
	}
	c.versions(kmsg.NewPtrFetchRequest(), func(t *testing.T, cl *client, v int16) {
		c.fetch(active, 12, 10, 0) // or its silence would be too long
		for _, offset := range []int64{0, 10, 999} {
			wait := time.Duration(v) * 20 * time.Millisecond
			p, took := c.fetch(cl, v, offset, wait)
			if p.ErrorCode != 0 || len(p.RecordBatches) != 0 || p.HighWatermark != 10 || v >= 5 && p.LogStartOffset != 0 {
				t.Errorf("offset %d: %+v", offset, p)
			}
			if took < max(wait, 100*time.Millisecond) {
				t.Errorf("offset %d: answered after %v, want %v", offset, took, wait)
			}
		}
	})
	if p, _ := c.fetch(active, 12, 999, 0); p.ErrorCode != kerr.OffsetOutOfRange.Code {
		t.Errorf("the active one is told error %d", p.ErrorCode)
	}
}

// The longest-waiting one's Fetch is answered with records as soon as the
// active one's connection ends.
func TestTakeoverWhenAConnectionEnds(t *testing.T) {
	c := newCluster(t)
	c.produce(10)
	active, next, last := c.login(user), c.login(user), c.login(user)
	c.fetch(active, 12, 0, 0)
	c.fetch(next, 12, 0, 0)
	c.fetch(last, 12, 0, 0)
	ended := make(chan time.Time, 1)
	time.AfterFunc(200*time.Millisecond, func() {
		ended <- time.Now()
		active.Close()
	})
	p, _ := c.fetch(next, 12, 4, 20*time.Second)
	if got := parseRecords(t, p.RecordBatches, 12); len(got) == 0 {
		t.Errorf("the next one gets %+v", p)
	}
	if d := time.Since(<-ended); d > 2*time.Second {
		t.Errorf("it took %v", d)
	}
	if p, _ := c.fetch(last, 12, 0, 0); len(p.RecordBatches) != 0 || p.ErrorCode != 0 {
		t.Errorf("the last one gets %+v", p)
	}
	waitLog(t, c, "a consumer took over")
}

// Who loses its turn is told NOT_LEADER_OR_FOLLOWER once, also in a Fetch that
// waits, and then is a standby.
func TestLosingTheTurn(t *testing.T) {
	c := newCluster(t)
	c.produce(10)
	reader := c.login(user)
	c.fetch(reader, 12, 0, 0)
	stable := make(chan time.Time, 1)
	joining := c.login(user)
	time.AfterFunc(200*time.Millisecond, func() {
		joining.join(3, groupID)
		stable <- time.Now()
	})
	p, _ := c.fetch(reader, 12, 10, 20*time.Second) // at the end: it waits
	if p.ErrorCode != kerr.NotLeaderForPartition.Code || len(p.RecordBatches) != 0 {
		t.Errorf("when the group is Stable: %+v", p)
	}
	if d := time.Since(<-stable); d > 2*time.Second {
		t.Errorf("it took %v", d)
	}
	for range 2 {
		if p, _ := c.fetch(reader, 12, 0, 0); p.ErrorCode != 0 || len(p.RecordBatches) != 0 || p.HighWatermark != 10 {
			t.Errorf("after that: %+v", p)
		}
	}
	// The member's connection: the one that it joined by.
	if p, _ := c.fetch(joining, 12, 0, 0); len(p.RecordBatches) == 0 {
		t.Errorf("the member gets %+v", p)
	}
}
