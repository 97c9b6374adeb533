//go:build servers

package kafka

import (
	"github.com/twmb/franz-go/pkg/kmsg"
)

func produce(s *side, v int16) {
	batch := quietly[*kmsg.FetchResponse](s, 4, fetchFirst()).Topics[0].Partitions[0].RecordBatches
	try := func(label, topic string, acks int16, records []byte) {
		c := s.another() // so that what ends the connection ends this one
		req := kmsg.NewPtrProduceRequest()
		req.Acks, req.TimeoutMillis = acks, 1000
		p := kmsg.NewProduceRequestTopicPartition()
		p.Records = records
		t := kmsg.NewProduceRequestTopic()
		t.Topic, t.Partitions = topic, append(t.Partitions, p)
		if t.TopicID = s.topicID; topic != shop {
			t.TopicID = [16]byte{1}
		}
		req.Topics = append(req.Topics, t)
		ask[*kmsg.ProduceResponse](c, label, v, req)
	}
	if v < 3 {
		batch = nil // those versions take message sets only
	}
	try("own", shop, -1, batch)
	try("own, one ack", shop, 1, batch)
	try("own, no ack", shop, 0, batch)
	try("unknown", "absent", -1, batch)
	try("foreign", foreignTopic, -1, batch)
	try("bad acks", shop, 7, batch)
}

func fetchFirst() *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.MaxBytes = 1
	p := kmsg.NewFetchRequestTopicPartition()
	p.PartitionMaxBytes = 1
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.Partitions = shop, append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	return req
}

func initProducerID(s *side, v int16) {
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionTimeoutMillis = 60_000
	ask[*kmsg.InitProducerIDResponse](s, "idempotent", v, req)
	if v >= 3 {
		req.ProducerID, req.ProducerEpoch = 5, 2
		ask[*kmsg.InitProducerIDResponse](s, "idempotent, once more", v, req)
		req.ProducerID, req.ProducerEpoch = -1, -1
	}
	req.TransactionalID = kmsg.StringPtr("tx")
	ask[*kmsg.InitProducerIDResponse](s, "transactional", v, req)
	req.TransactionalID = kmsg.StringPtr("")
	ask[*kmsg.InitProducerIDResponse](s, "empty transactional ID", v, req)
}

func createTopics(s *side, v int16) {
	try := func(label, name string) {
		req := kmsg.NewPtrCreateTopicsRequest()
		req.TimeoutMillis = 5000
		t := kmsg.NewCreateTopicsRequestTopic()
		t.Topic, t.NumPartitions, t.ReplicationFactor = name, 1, 1
		req.Topics = append(req.Topics, t)
		ask[*kmsg.CreateTopicsResponse](s, label, v, req)
	}
	try("new", "fresh")
	try("own", shop)
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis = 5000
	ask[*kmsg.CreateTopicsResponse](s, "nothing", v, req)
	req.ValidateOnly = v >= 1
	for _, name := range []string{"fresh", "other", shop} {
		t := kmsg.NewCreateTopicsRequestTopic()
		t.Topic, t.NumPartitions, t.ReplicationFactor = name, 1, 1
		req.Topics = append(req.Topics, t)
	}
	ask[*kmsg.CreateTopicsResponse](s, "several, to validate", v, req)
}

func deleteTopics(s *side, v int16) {
	try := func(label, name string) {
		req := kmsg.NewPtrDeleteTopicsRequest()
		req.TimeoutMillis = 5000
		req.TopicNames = []string{name}
		t := kmsg.NewDeleteTopicsRequestTopic()
		t.Topic = &name
		req.Topics = append(req.Topics, t)
		ask[*kmsg.DeleteTopicsResponse](s, label, v, req)
	}
	try("own", shop)
	try("unknown", "absent")
	try("foreign", foreignTopic)
	several := kmsg.NewPtrDeleteTopicsRequest()
	several.TimeoutMillis = 5000
	ask[*kmsg.DeleteTopicsResponse](s, "nothing", v, several)
	if v >= 6 {
		byID := kmsg.NewDeleteTopicsRequestTopic()
		byID.TopicID = s.topicID
		several.Topics = append(several.Topics, byID)
		ask[*kmsg.DeleteTopicsResponse](s, "own, by ID", v, several)
		several.Topics[0].TopicID = [16]byte{1}
		ask[*kmsg.DeleteTopicsResponse](s, "unknown ID", v, several)
	}
}

func deleteRecords(s *side, v int16) {
	try := func(label, name string, partition int32) {
		req := kmsg.NewPtrDeleteRecordsRequest()
		req.TimeoutMillis = 5000
		p := kmsg.NewDeleteRecordsRequestTopicPartition()
		p.Partition, p.Offset = partition, 1
		t := kmsg.NewDeleteRecordsRequestTopic()
		t.Topic, t.Partitions = name, append(t.Partitions, p)
		req.Topics = append(req.Topics, t)
		ask[*kmsg.DeleteRecordsResponse](s, label, v, req)
	}
	try("own", shop, 0)
	try("unknown partition", shop, 1)
	try("unknown", "absent", 0)
	try("foreign", foreignTopic, 0)
	ask[*kmsg.DeleteRecordsResponse](s, "nothing", v, kmsg.NewPtrDeleteRecordsRequest())
}

func createPartitions(s *side, v int16) {
	try := func(label, name string) {
		req := kmsg.NewPtrCreatePartitionsRequest()
		req.TimeoutMillis = 5000
		t := kmsg.NewCreatePartitionsRequestTopic()
		t.Topic, t.Count = name, 2
		req.Topics = append(req.Topics, t)
		ask[*kmsg.CreatePartitionsResponse](s, label, v, req)
	}
	try("own", shop)
	try("unknown", "absent")
}

func alterConfigs(s *side, v int16) {
	try := func(label string, kind kmsg.ConfigResourceType, name string) {
		req := kmsg.NewPtrAlterConfigsRequest()
		r := kmsg.NewAlterConfigsRequestResource()
		r.ResourceType, r.ResourceName = kind, name
		c := kmsg.NewAlterConfigsRequestResourceConfig()
		c.Name, c.Value = "retention.ms", kmsg.StringPtr("1000")
		r.Configs = append(r.Configs, c)
		req.Resources = append(req.Resources, r)
		ask[*kmsg.AlterConfigsResponse](s, label, v, req)
	}
	try("own", kmsg.ConfigResourceTypeTopic, shop)
	try("unknown", kmsg.ConfigResourceTypeTopic, "absent")
	try("broker", kmsg.ConfigResourceTypeBroker, "0")
}

func incrementalAlterConfigs(s *side, v int16) {
	try := func(label string, kind kmsg.ConfigResourceType, name string) {
		req := kmsg.NewPtrIncrementalAlterConfigsRequest()
		r := kmsg.NewIncrementalAlterConfigsRequestResource()
		r.ResourceType, r.ResourceName = kind, name
		c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
		c.Name, c.Value = "retention.ms", kmsg.StringPtr("1000")
		r.Configs = append(r.Configs, c)
		req.Resources = append(req.Resources, r)
		ask[*kmsg.IncrementalAlterConfigsResponse](s, label, v, req)
	}
	try("own", kmsg.ConfigResourceTypeTopic, shop)
	try("unknown", kmsg.ConfigResourceTypeTopic, "absent")
	try("broker", kmsg.ConfigResourceTypeBroker, "0")
}

func createACLs(s *side, v int16) {
	req := kmsg.NewPtrCreateACLsRequest()
	c := kmsg.NewCreateACLsRequestCreation()
	c.Principal, c.Host, c.PermissionType = "User:x", "*", kmsg.ACLPermissionTypeAllow
	c.ResourceType, c.ResourceName, c.ResourcePatternType = kmsg.ACLResourceTypeTopic, shop, kmsg.ACLResourcePatternTypeLiteral
	c.Operation = kmsg.ACLOperationWrite
	req.Creations = append(req.Creations, c)
	ask[*kmsg.CreateACLsResponse](s, "one", v, req)
}

func deleteACLs(s *side, v int16) {
	req := kmsg.NewPtrDeleteACLsRequest()
	f := kmsg.NewDeleteACLsRequestFilter()
	f.ResourceType, f.Operation, f.PermissionType = kmsg.ACLResourceTypeAny, kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
	f.ResourcePatternType = kmsg.ACLResourcePatternTypeAny
	req.Filters = append(req.Filters, f)
	ask[*kmsg.DeleteACLsResponse](s, "all", v, req)
}
