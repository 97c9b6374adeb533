package broker_test

import (
	"net"
	"strconv"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestMetadata(t *testing.T) {
	c := newCluster(t)
	host, port, _ := net.SplitHostPort(c.addr())
	c.versions(kmsg.NewPtrMetadataRequest(), func(t *testing.T, cl *client, v int16) {
		req := kmsg.NewPtrMetadataRequest()
		req.Version = v
		resp := ask[*kmsg.MetadataResponse](cl, req)
		if b := resp.Brokers; len(b) != 1 || b[0].Host != host || strconv.Itoa(int(b[0].Port)) != port {
			t.Errorf("brokers %+v, want %s:%s", b, host, port)
		}
		if v >= 2 && (resp.ClusterID == nil || *resp.ClusterID != c.store.ClusterID()) {
			t.Errorf("cluster ID %v, want %q", resp.ClusterID, c.store.ClusterID())
		}
		if len(resp.Topics) != 1 || *resp.Topics[0].Topic != topic {
			t.Fatalf("all topics: %+v, want %s alone", resp.Topics, topic)
		}
		got := resp.Topics[0]
		if got.ErrorCode != 0 || len(got.Partitions) != 1 || got.Partitions[0].Leader != resp.Brokers[0].NodeID {
			t.Errorf("topic %+v, want one partition led by the broker", got)
		}
		if v >= 10 && got.TopicID != c.part.TopicID() {
			t.Errorf("topic ID %x, want %x", got.TopicID, c.part.TopicID())
		}

		// By name: its own, another's, and one that does not exist look alike but for the first.
		req.Topics = nil
		for _, name := range []string{topic, otherTopic, "nowhere"} {
			rt := kmsg.NewMetadataRequestTopic()
			rt.Topic = kmsg.StringPtr(name)
			req.Topics = append(req.Topics, rt)
		}
		resp = ask[*kmsg.MetadataResponse](cl, req)
		for i, want := range []int16{0, kerr.UnknownTopicOrPartition.Code, kerr.UnknownTopicOrPartition.Code} {
			if got := resp.Topics[i]; got.ErrorCode != want || *got.Topic != *req.Topics[i].Topic {
				t.Errorf("topic %s: error %d, want %d", *got.Topic, got.ErrorCode, want)
			}
		}
		if v >= 1 {
			req.Topics = []kmsg.MetadataRequestTopic{}
			if resp = ask[*kmsg.MetadataResponse](cl, req); len(resp.Topics) != 0 {
				t.Errorf("no topics: %+v", resp.Topics)
			}
		}
	})
}

func TestMetadataByID(t *testing.T) {
	c := newCluster(t)
	cl := c.login(user)
	other, _ := c.store.Partition(otherTopic)
	req := kmsg.NewPtrMetadataRequest()
	req.Version = 12
	for _, id := range [][16]byte{c.part.TopicID(), other.TopicID(), {1}} {
		rt := kmsg.NewMetadataRequestTopic()
		rt.TopicID = id
		req.Topics = append(req.Topics, rt)
	}
	resp := ask[*kmsg.MetadataResponse](cl, req)
	for i, want := range []int16{0, kerr.UnknownTopicID.Code, kerr.UnknownTopicID.Code} {
		if got := resp.Topics[i].ErrorCode; got != want {
			t.Errorf("topic ID %x: error %d, want %d", req.Topics[i].TopicID, got, want)
		}
	}
}

// A topic whose task has not made it yet does not exist, and is no reason to
// refuse its consumers.
func TestMetadataBeforeTheTopic(t *testing.T) {
	c := newCluster(t)
	cl := c.login("app-waiting")
	req := kmsg.NewPtrMetadataRequest()
	req.Version = 12
	if resp := ask[*kmsg.MetadataResponse](cl, req); len(resp.Topics) != 0 {
		t.Errorf("all topics: %+v, want none", resp.Topics)
	}
	if _, err := c.store.EnsurePartition("not-yet"); err != nil {
		t.Fatal(err)
	}
	if resp := ask[*kmsg.MetadataResponse](cl, req); len(resp.Topics) != 1 {
		t.Errorf("all topics: %+v, want the new one", resp.Topics)
	}
}
