//go:build servers

package kafka

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func listOffsets(s *side, v int16) {
	try := func(label, topic string, change func(*kmsg.ListOffsetsRequest, *kmsg.ListOffsetsRequestTopicPartition)) {
		req := kmsg.NewPtrListOffsetsRequest()
		req.ReplicaID = -1
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Timestamp, p.MaxNumOffsets, p.CurrentLeaderEpoch = -1, 1, -1
		change(req, &p)
		t := kmsg.NewListOffsetsRequestTopic()
		t.Topic, t.Partitions = topic, append(t.Partitions, p)
		req.Topics = append(req.Topics, t)
		ask[*kmsg.ListOffsetsResponse](s, label, v, req)
	}
	at := func(label string, time int64) {
		try(label, shop, func(_ *kmsg.ListOffsetsRequest, p *kmsg.ListOffsetsRequestTopicPartition) { p.Timestamp = time })
	}
	times := s.times
	first, last := times[0], times[len(times)-1]
	at("latest", -1)
	at("earliest", -2)
	for special := int64(-3); special >= -7; special-- {
		at(fmt.Sprint("special ", special), special)
	}
	at("zero", 0)
	at("before the first", first-1)
	at("the first", first)
	at("after the first", first+1)
	at("the middle", times[len(times)/2])
	at("the last", last)
	at("after the last", last+1)
	at("in seconds", first/1000)
	at("in seconds, after the last", last/1000+1)
	try("uncommitted too", shop, func(r *kmsg.ListOffsetsRequest, _ *kmsg.ListOffsetsRequestTopicPartition) { r.IsolationLevel = 0 })
	try("committed only", shop, func(r *kmsg.ListOffsetsRequest, _ *kmsg.ListOffsetsRequestTopicPartition) { r.IsolationLevel = 1 })
	try("unknown partition", shop, func(_ *kmsg.ListOffsetsRequest, p *kmsg.ListOffsetsRequestTopicPartition) { p.Partition = 1 })
	try("unknown topic", "absent", func(*kmsg.ListOffsetsRequest, *kmsg.ListOffsetsRequestTopicPartition) {})
	try("foreign topic", foreignTopic, func(*kmsg.ListOffsetsRequest, *kmsg.ListOffsetsRequestTopicPartition) {})
	several := kmsg.NewPtrListOffsetsRequest()
	several.ReplicaID = -1
	ask[*kmsg.ListOffsetsResponse](s, "nothing", v, several)
	add := func(topic string, partitions ...int32) {
		t := kmsg.NewListOffsetsRequestTopic()
		t.Topic = topic
		for _, n := range partitions {
			p := kmsg.NewListOffsetsRequestTopicPartition()
			p.Partition, p.Timestamp, p.MaxNumOffsets, p.CurrentLeaderEpoch = n, -1, 1, -1
			t.Partitions = append(t.Partitions, p)
		}
		several.Topics = append(several.Topics, t)
	}
	add(shop, 0, 1)
	add("absent", 0)
	ask[*kmsg.ListOffsetsResponse](s, "several", v, several)
	several.Topics = nil
	add(shop, 0, 0)
	ask[*kmsg.ListOffsetsResponse](s, "a partition twice", v, several)
	several.Topics = nil
	add(shop, 0)
	add(shop, 0)
	ask[*kmsg.ListOffsetsResponse](s, "a topic twice", v, several)
	try("no such isolation", shop, func(r *kmsg.ListOffsetsRequest, _ *kmsg.ListOffsetsRequestTopicPartition) { r.IsolationLevel = 7 })
	if v == 0 {
		for _, n := range []int32{0, 2, 10} {
			try(fmt.Sprint(n, " offsets"), shop, func(_ *kmsg.ListOffsetsRequest, p *kmsg.ListOffsetsRequestTopicPartition) { p.MaxNumOffsets = n })
		}
	}
	if v >= 4 {
		for _, epoch := range []int32{0, 1} {
			try(fmt.Sprint("current epoch ", epoch), shop, func(_ *kmsg.ListOffsetsRequest, p *kmsg.ListOffsetsRequestTopicPartition) {
				p.CurrentLeaderEpoch = epoch
			})
		}
	}
}

func fetch(s *side, v int16) {
	const whole = 4 << 20
	type request = kmsg.FetchRequest
	type partition = kmsg.FetchRequestTopicPartition
	try := func(label string, change func(*request, *kmsg.FetchRequestTopic, *partition)) *kmsg.FetchResponse {
		req := kmsg.NewPtrFetchRequest()
		req.ReplicaID, req.MaxBytes, req.SessionEpoch = -1, whole, -1
		p := kmsg.NewFetchRequestTopicPartition()
		p.PartitionMaxBytes, p.CurrentLeaderEpoch, p.LogStartOffset = whole, -1, -1
		t := kmsg.NewFetchRequestTopic()
		t.Topic, t.TopicID = shop, s.topicID
		change(req, &t, &p)
		t.Partitions = append(t.Partitions, p)
		req.Topics = append(req.Topics, t)
		return ask[*kmsg.FetchResponse](s, label, v, req)
	}
	from := func(label string, offset int64) {
		try(label, func(_ *request, _ *kmsg.FetchRequestTopic, p *partition) { p.FetchOffset = offset })
	}
	end := int64(len(s.times))
	for _, offset := range []int64{0, 1, end / 2, end/2 + 1, end - 1, end, end + 1, -1} {
		from(fmt.Sprint("from ", offset), offset)
	}
	for _, limit := range []int32{0, 1, 100, 5000} {
		try(fmt.Sprint("partition limit ", limit), func(_ *request, _ *kmsg.FetchRequestTopic, p *partition) {
			p.FetchOffset, p.PartitionMaxBytes = 1, limit
		})
		try(fmt.Sprint("response limit ", limit), func(r *request, _ *kmsg.FetchRequestTopic, p *partition) {
			p.FetchOffset, r.MaxBytes = 1, limit
		})
	}
	try("at the end, waiting", func(r *request, _ *kmsg.FetchRequestTopic, p *partition) {
		p.FetchOffset, r.MinBytes, r.MaxWaitMillis = end, 1, 50
	})
	try("committed only", func(r *request, _ *kmsg.FetchRequestTopic, _ *partition) { r.IsolationLevel = 1 })
	try("unknown partition", func(_ *request, _ *kmsg.FetchRequestTopic, p *partition) { p.Partition = 1 })
	if v < 13 {
		try("unknown topic", func(_ *request, t *kmsg.FetchRequestTopic, _ *partition) { t.Topic = "absent" })
		try("foreign topic", func(_ *request, t *kmsg.FetchRequestTopic, _ *partition) { t.Topic = foreignTopic })
	} else {
		try("unknown topic ID", func(_ *request, t *kmsg.FetchRequestTopic, _ *partition) { t.TopicID = [16]byte{1} })
		try("no topic ID", func(_ *request, t *kmsg.FetchRequestTopic, _ *partition) { t.TopicID = [16]byte{} })
	}
	if v >= 7 {
		try("new session", func(r *request, _ *kmsg.FetchRequestTopic, _ *partition) { r.SessionEpoch = 0 })
		try("unknown session", func(r *request, _ *kmsg.FetchRequestTopic, _ *partition) { r.SessionID, r.SessionEpoch = 12345, 1 })
		try("closing an unknown session", func(r *request, _ *kmsg.FetchRequestTopic, _ *partition) { r.SessionID = 12345 })
		try("bad session epoch", func(r *request, _ *kmsg.FetchRequestTopic, _ *partition) { r.SessionID, r.SessionEpoch = 12345, -5 })
	}
	if v >= 9 {
		for _, epoch := range []int32{0, 1} {
			try(fmt.Sprint("current epoch ", epoch), func(_ *request, _ *kmsg.FetchRequestTopic, p *partition) { p.CurrentLeaderEpoch = epoch })
		}
	}
	if v >= 12 {
		try("last fetched epoch 0", func(_ *request, _ *kmsg.FetchRequestTopic, p *partition) { p.FetchOffset, p.LastFetchedEpoch = 1, 0 })
		try("last fetched epoch 0, beyond the end", func(_ *request, _ *kmsg.FetchRequestTopic, p *partition) {
			p.FetchOffset, p.LastFetchedEpoch = end+1, 0
		})
		try("last fetched epoch ahead", func(_ *request, _ *kmsg.FetchRequestTopic, p *partition) { p.FetchOffset, p.LastFetchedEpoch = 1, 1 })
	}
	try("no such isolation", func(r *request, _ *kmsg.FetchRequestTopic, _ *partition) { r.IsolationLevel = 7 })
	try("out of range, committed only", func(r *request, _ *kmsg.FetchRequestTopic, p *partition) { r.IsolationLevel, p.FetchOffset = 1, end+1 })
	try("at the end, committed only", func(r *request, _ *kmsg.FetchRequestTopic, p *partition) { r.IsolationLevel, p.FetchOffset = 1, end })
	try("negative limits", func(r *request, _ *kmsg.FetchRequestTopic, p *partition) { r.MaxBytes, p.PartitionMaxBytes = -1, -1 })
	try("negative wait", func(r *request, _ *kmsg.FetchRequestTopic, p *partition) {
		r.MinBytes, r.MaxWaitMillis, p.FetchOffset = 1, -5, end
	})
	try("more than there is", func(r *request, _ *kmsg.FetchRequestTopic, _ *partition) { r.MinBytes, r.MaxWaitMillis = whole, 50 })
	try("with a rack", func(r *request, _ *kmsg.FetchRequestTopic, _ *partition) { r.Rack = "r1" })
	try("two partitions", func(_ *request, t *kmsg.FetchRequestTopic, p *partition) {
		other := *p
		other.Partition = 1
		t.Partitions = append(t.Partitions, other)
	})
	try("two topics", func(r *request, t *kmsg.FetchRequestTopic, p *partition) {
		other := kmsg.NewFetchRequestTopic()
		other.Topic, other.TopicID, other.Partitions = "absent", [16]byte{1}, append(other.Partitions, *p)
		r.Topics = append(r.Topics, other)
	})
	try("a partition twice", func(_ *request, t *kmsg.FetchRequestTopic, p *partition) {
		other := *p
		other.FetchOffset = end
		t.Partitions = append(t.Partitions, other)
	})
	nothing := kmsg.NewPtrFetchRequest()
	nothing.ReplicaID, nothing.SessionEpoch, nothing.MaxWaitMillis = -1, -1, 20
	ask[*kmsg.FetchResponse](s, "nothing", v, nothing)
	try("no partitions", func(r *request, t *kmsg.FetchRequestTopic, _ *partition) {
		t.Partitions, r.MaxWaitMillis = nil, 20
		r.Topics, *t = append(r.Topics, *t), kmsg.FetchRequestTopic{Topic: "absent", TopicID: [16]byte{1}}
	})
	if v >= 7 {
		try("forgotten topics", func(r *request, t *kmsg.FetchRequestTopic, _ *partition) {
			r.ForgottenTopics = []kmsg.FetchRequestForgottenTopic{{Topic: t.Topic, TopicID: t.TopicID, Partitions: []int32{0}}}
		})
	}
	if v >= 12 {
		try("last fetched epoch ahead, waiting", func(r *request, _ *kmsg.FetchRequestTopic, p *partition) {
			p.FetchOffset, p.LastFetchedEpoch, r.MinBytes, r.MaxWaitMillis = end, 1, 1, 50
		})
		try("last fetched epoch -2", func(_ *request, _ *kmsg.FetchRequestTopic, p *partition) { p.FetchOffset, p.LastFetchedEpoch = 1, -2 })
		try("last fetched epoch -2, at the start", func(_ *request, _ *kmsg.FetchRequestTopic, p *partition) { p.LastFetchedEpoch = -2 })
		try("last fetched epoch 0, below the start", func(_ *request, _ *kmsg.FetchRequestTopic, p *partition) {
			p.FetchOffset, p.LastFetchedEpoch = -1, 0
		})
	}
	try("from a replica", func(r *request, _ *kmsg.FetchRequestTopic, _ *partition) { r.ReplicaID, r.ReplicaState.ID = 1, 1 })
}
