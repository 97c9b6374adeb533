package broker_test

import (
	"bytes"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/broker"
)

func TestProduceIsRefused(t *testing.T) {
	c := newCluster(t)
	other, _ := c.store.Partition(otherTopic)
	produce := func(v, acks int16) *kmsg.ProduceRequest {
		req := kmsg.NewPtrProduceRequest()
		req.Version, req.Acks = v, acks
		for name, id := range map[string][16]byte{topic: c.part.TopicID(), otherTopic: other.TopicID()} {
			req.Topics = append(req.Topics, kmsg.ProduceRequestTopic{Topic: name, TopicID: id, Partitions: []kmsg.ProduceRequestTopicPartition{
				{Partition: 0, Records: bytes.Repeat([]byte{1}, 20_000)}, {Partition: 7, Records: []byte{}},
			}})
		}
		return req
	}
	c.versions(kmsg.NewPtrProduceRequest(), func(t *testing.T, cl *client, v int16) {
		resp := ask[*kmsg.ProduceResponse](cl, produce(v, -1))
		blocks := 0
		for _, rt := range resp.Topics {
			want := kerr.TopicAuthorizationFailed.Code
			if v >= 13 && rt.TopicID == other.TopicID() {
				want = kerr.UnknownTopicID.Code
			}
			for _, rp := range rt.Partitions {
				blocks++
				if rp.ErrorCode != want || rp.BaseOffset != -1 {
					t.Errorf("%+v, want error %d", rp, want)
				}
			}
		}
		if blocks != 4 {
			t.Errorf("%d partitions are answered, want 4", blocks)
		}
	})
	cl := c.login(user)
	cl.send(produce(9, 0))
	cl.wantClosed()
	if end := c.part.HighWatermark(); end != 0 {
		t.Errorf("the high watermark is %d", end)
	}
}

// A producer that asks again at once, for ever, must not keep the broker busy.
func TestProducersAreAnsweredLate(t *testing.T) {
	const delay = 80 * time.Millisecond
	c := newCluster(t, func(o *broker.Options) { o.DenyDelay = delay })
	cl := c.login(user)
	start := time.Now()
	ask[*kmsg.InitProducerIDResponse](cl, kmsg.NewPtrInitProducerIDRequest())
	if d := time.Since(start); d < delay {
		t.Errorf("answered after %v, before the delay", d)
	}
}

func TestInitProducerIDIsRefused(t *testing.T) {
	c := newCluster(t)
	c.versions(kmsg.NewPtrInitProducerIDRequest(), func(t *testing.T, cl *client, v int16) {
		req := kmsg.NewPtrInitProducerIDRequest()
		req.Version = v
		if resp := ask[*kmsg.InitProducerIDResponse](cl, req); resp.ErrorCode != kerr.ClusterAuthorizationFailed.Code || resp.ProducerID != -1 {
			t.Errorf("%+v, want error %d", resp, kerr.ClusterAuthorizationFailed.Code)
		}
	})
}

func TestFindCoordinator(t *testing.T) {
	c := newCluster(t)
	c.versions(kmsg.NewPtrFindCoordinatorRequest(), func(t *testing.T, cl *client, v int16) {
		for kind, want := range map[int8]int16{0: 0, 1: kerr.TransactionalIDAuthorizationFailed.Code, 2: kerr.InvalidRequest.Code} {
			if v == 0 && kind != 0 {
				continue
			}
			req := kmsg.NewPtrFindCoordinatorRequest()
			req.Version, req.CoordinatorType = v, kind
			req.CoordinatorKey, req.CoordinatorKeys = groupID, []string{groupID}
			resp := ask[*kmsg.FindCoordinatorResponse](cl, req)
			code, port := resp.ErrorCode, resp.Port
			if v >= 4 {
				code, port = resp.Coordinators[0].ErrorCode, resp.Coordinators[0].Port
			}
			if code != want || (code == 0) != (port > 0) {
				t.Errorf("type %d: error %d port %d, want error %d", kind, code, port, want)
			}
		}
	})
}

func TestOffsetForLeaderEpoch(t *testing.T) {
	c := newCluster(t)
	c.produce(5)
	c.versions(kmsg.NewPtrOffsetForLeaderEpochRequest(), func(t *testing.T, cl *client, v int16) {
		ask := func(name string, current, epoch int32) kmsg.OffsetForLeaderEpochResponseTopicPartition {
			req := kmsg.NewPtrOffsetForLeaderEpochRequest()
			req.Version = v
			rt := kmsg.NewOffsetForLeaderEpochRequestTopic()
			rt.Topic = name
			rp := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
			rp.CurrentLeaderEpoch, rp.LeaderEpoch = current, epoch
			rt.Partitions = append(rt.Partitions, rp)
			req.Topics = append(req.Topics, rt)
			return ask[*kmsg.OffsetForLeaderEpochResponse](cl, req).Topics[0].Partitions[0]
		}
		if p := ask(topic, -1, 0); p.ErrorCode != 0 || p.EndOffset != 5 || v >= 1 && p.LeaderEpoch != 0 {
			t.Errorf("epoch 0: %+v, want the end offset 5", p)
		}
		if p := ask(topic, -1, 3); p.ErrorCode != 0 || p.EndOffset != -1 {
			t.Errorf("epoch 3: %+v, want no offset", p)
		}
		if p := ask(otherTopic, -1, 0); p.ErrorCode != kerr.UnknownTopicOrPartition.Code {
			t.Errorf("another topic: %+v", p)
		}
		if p := ask(topic, 1, 0); v >= 2 && p.ErrorCode != kerr.UnknownLeaderEpoch.Code {
			t.Errorf("later current epoch: %+v", p)
		}
	})
}

func TestDescribeCluster(t *testing.T) {
	c := newCluster(t)
	c.versions(kmsg.NewPtrDescribeClusterRequest(), func(t *testing.T, cl *client, v int16) {
		req := kmsg.NewPtrDescribeClusterRequest()
		req.Version = v
		resp := ask[*kmsg.DescribeClusterResponse](cl, req)
		if resp.ErrorCode != 0 || resp.ClusterID != c.store.ClusterID() || len(resp.Brokers) != 1 || resp.ControllerID != resp.Brokers[0].NodeID {
			t.Errorf("%+v", resp)
		}
		req.EndpointType = 2
		if resp := ask[*kmsg.DescribeClusterResponse](cl, req); v >= 1 && resp.ErrorCode != kerr.MismatchedEndpointType.Code {
			t.Errorf("controllers: error %d, want %d", resp.ErrorCode, kerr.MismatchedEndpointType.Code)
		}
	})
}

func TestDeleteCheckpoints(t *testing.T) {
	c := newCluster(t)
	cl := c.login(user)
	commit := func() {
		ask[*kmsg.OffsetCommitResponse](cl, commitRequest(5, commitTopic(topic, noID, 0, 42)))
		if got := c.checkpoint(cl); got != 42 {
			t.Fatalf("the checkpoint is %d, want 42", got)
		}
	}
	commit()
	req := kmsg.NewPtrOffsetDeleteRequest()
	req.Group = groupID
	req.Topics = []kmsg.OffsetDeleteRequestTopic{{Topic: topic, Partitions: []kmsg.OffsetDeleteRequestTopicPartition{{Partition: 0}}}}
	if resp := ask[*kmsg.OffsetDeleteResponse](cl, req); resp.ErrorCode != 0 || c.checkpoint(cl) != -1 {
		t.Errorf("%+v, the checkpoint is %d", resp, c.checkpoint(cl))
	}
	commit()
	req.Topics = append(req.Topics, kmsg.OffsetDeleteRequestTopic{Topic: otherTopic, Partitions: req.Topics[0].Partitions})
	req.Topics[0].Partitions = append(req.Topics[0].Partitions, kmsg.OffsetDeleteRequestTopicPartition{Partition: 1})
	resp := ask[*kmsg.OffsetDeleteResponse](cl, req)
	errs := map[string]int16{}
	for _, rt := range resp.Topics {
		for _, rp := range rt.Partitions {
			errs[fmt.Sprint(rt.Topic, " ", rp.Partition)] = rp.ErrorCode
		}
	}
	unknown := kerr.UnknownTopicOrPartition.Code
	if want := map[string]int16{topic + " 0": 0, topic + " 1": unknown, otherTopic + " 0": unknown}; !maps.Equal(errs, want) || resp.ErrorCode != 0 {
		t.Errorf("%+v, want errors %v", resp, want)
	}
	c.versions(kmsg.NewPtrDeleteGroupsRequest(), func(t *testing.T, other *client, v int16) {
		commit()
		req := kmsg.NewPtrDeleteGroupsRequest()
		req.Version, req.Groups = v, []string{groupID}
		if resp := ask[*kmsg.DeleteGroupsResponse](other, req); resp.Groups[0].ErrorCode != 0 || c.checkpoint(cl) != -1 {
			t.Errorf("%+v, the checkpoint is %d", resp, c.checkpoint(cl))
		}
	})
}
