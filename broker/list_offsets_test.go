package broker_test

import (
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func listRequest(v int16, name string, partition int32, time int64) *kmsg.ListOffsetsRequest {
	req := kmsg.NewPtrListOffsetsRequest()
	req.Version = v
	rt := kmsg.NewListOffsetsRequestTopic()
	rt.Topic = name
	rp := kmsg.NewListOffsetsRequestTopicPartition()
	rp.Partition, rp.Timestamp = partition, time
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	return req
}

func TestListOffsets(t *testing.T) {
	c := newCluster(t)
	c.produce(3, 1, 6)
	const end = 10
	type answer struct{ offset, time int64 }
	for _, test := range []struct {
		name string
		time int64
		want answer
		v0   int64
	}{
		{"latest", -1, answer{end, -1}, end},
		{"earliest", -2, answer{0, -1}, 0},
		{"before all", 100_000_000_000, answer{0, timeOf(0)}, 0},
		{"zero", 0, answer{0, timeOf(0)}, 0},
		{"a record's own", timeOf(4), answer{4, timeOf(4)}, 4},
		{"between two records", timeOf(4) + 1, answer{5, timeOf(5)}, 5},
		{"the newest", timeOf(9), answer{9, timeOf(9)}, 9},
		{"after all", timeOf(9) + 1, answer{-1, -1}, end},
		{"seconds", timeOf(4) / 1000, answer{4, timeOf(4)}, 4},
		{"seconds between", timeOf(4)/1000 + 1, answer{5, timeOf(5)}, 5},
		{"one second", 1, answer{0, timeOf(0)}, 0},
		{"seconds after all", timeOf(9)/1000 + 1, answer{end, timeOf(9) + 1000}, end},
		{"the last second there is", 99_999_999_999, answer{end, 99_999_999_999_000}, end},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := *c
			c.t = t
			c.versions(kmsg.NewPtrListOffsetsRequest(), func(t *testing.T, cl *client, v int16) {
				p := ask[*kmsg.ListOffsetsResponse](cl, listRequest(v, topic, 0, test.time)).Topics[0].Partitions[0]
				if v == 0 {
					if p.ErrorCode != 0 || !slices.Equal(p.OldStyleOffsets, []int64{test.v0}) {
						t.Errorf("error %d, offsets %d, want %d", p.ErrorCode, p.OldStyleOffsets, test.v0)
					}
					return
				}
				if got := (answer{p.Offset, p.Timestamp}); got != test.want || p.ErrorCode != 0 {
					t.Errorf("%+v error %d, want %+v", got, p.ErrorCode, test.want)
				}
				if v >= 4 && (p.LeaderEpoch == 0) != (p.Offset >= 0) {
					t.Errorf("offset %d has leader epoch %d", p.Offset, p.LeaderEpoch)
				}
			})
		})
	}
}

// The special times that Kafka has added are known from a version on, and an
// error before it.
func TestListOffsetsSpecialTimes(t *testing.T) {
	c := newCluster(t)
	c.produce(3)
	for _, test := range []struct {
		name         string
		time         int64
		since        int16
		offset, when int64
	}{
		{"largest time", -3, 7, 2, timeOf(2)},
		{"earliest local", -4, 8, 0, -1},
		{"latest tiered", -5, 9, -1, -1},
		{"earliest pending", -6, 11, -1, -1},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := *c
			c.t = t
			c.versions(kmsg.NewPtrListOffsetsRequest(), func(t *testing.T, cl *client, v int16) {
				p := ask[*kmsg.ListOffsetsResponse](cl, listRequest(v, topic, 0, test.time)).Topics[0].Partitions[0]
				if v < test.since {
					if p.ErrorCode != kerr.UnsupportedVersion.Code {
						t.Errorf("error %d, want %d", p.ErrorCode, kerr.UnsupportedVersion.Code)
					}
				} else if p.ErrorCode != 0 || p.Offset != test.offset || p.Timestamp != test.when {
					t.Errorf("%+v, want offset %d at %d", p, test.offset, test.when)
				}
			})
		})
	}
}

func TestListOffsetsOfAnEmptyTopic(t *testing.T) {
	c := newCluster(t)
	cl := c.login(user)
	for time, want := range map[int64]int64{-1: 0, -2: 0, -3: -1, timeOf(0): -1, timeOf(0) / 1000: 0} {
		p := ask[*kmsg.ListOffsetsResponse](cl, listRequest(7, topic, 0, time)).Topics[0].Partitions[0]
		if p.Offset != want || p.ErrorCode != 0 {
			t.Errorf("time %d: offset %d error %d, want %d", time, p.Offset, p.ErrorCode, want)
		}
	}
}

func TestListOffsetsMaxNumOffsets(t *testing.T) {
	c := newCluster(t)
	c.produce(3)
	cl := c.login(user)
	for limit, want := range map[int32][]int64{-1: {}, 0: {}, 1: {3}, 2: {3, 0}, 100: {3, 0}} {
		req := listRequest(0, topic, 0, -1)
		req.Topics[0].Partitions[0].MaxNumOffsets = limit
		if got := ask[*kmsg.ListOffsetsResponse](cl, req).Topics[0].Partitions[0].OldStyleOffsets; !slices.Equal(got, want) {
			t.Errorf("max_num_offsets %d: %d, want %d", limit, got, want)
		}
	}
}

func TestListOffsetsErrors(t *testing.T) {
	c := newCluster(t)
	c.produce(1)
	later := listRequest(0, topic, 0, -1)
	later.Topics[0].Partitions[0].CurrentLeaderEpoch = 1
	for _, test := range []struct {
		name  string
		req   *kmsg.ListOffsetsRequest
		since int16
		want  int16
	}{
		{"another topic", listRequest(0, otherTopic, 0, -1), 0, kerr.UnknownTopicOrPartition.Code},
		{"no topic", listRequest(0, "nowhere", 0, -1), 0, kerr.UnknownTopicOrPartition.Code},
		{"another partition", listRequest(0, topic, 1, -1), 0, kerr.UnknownTopicOrPartition.Code},
		{"unknown special time", listRequest(0, topic, 0, -7), 0, kerr.UnsupportedVersion.Code},
		{"later epoch", later, 4, kerr.UnknownLeaderEpoch.Code},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := *c
			c.t = t
			c.versions(test.req, func(t *testing.T, cl *client, v int16) {
				if v < test.since {
					return
				}
				test.req.Version = v
				p := ask[*kmsg.ListOffsetsResponse](cl, test.req).Topics[0].Partitions[0]
				if p.ErrorCode != test.want || p.Offset != -1 {
					t.Errorf("error %d offset %d, want error %d", p.ErrorCode, p.Offset, test.want)
				}
			})
		})
	}
}
