//go:build servers

package kafka

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/e2e/harness"
)

const shop = harness.Topic

// scripts are what is compared: for every API that Daybook offers, one.
var scripts = []script{
	{api: kmsg.ApiVersions, run: apiVersions},
	{api: kmsg.SASLHandshake, run: saslHandshake},
	{api: kmsg.SASLAuthenticate, run: saslAuthenticate},
	{api: kmsg.Metadata, run: metadata},
	{api: kmsg.DescribeCluster, run: describeCluster},
	{api: kmsg.DescribeTopicPartitions, run: describeTopicPartitions},
	{api: kmsg.DescribeConfigs, run: describeConfigs},
	{api: kmsg.DescribeLogDirs, run: describeLogDirs},
	{api: kmsg.ListPartitionReassignments, run: listPartitionReassignments},
	{api: kmsg.DescribeACLs, run: describeACLs},
	{api: kmsg.DescribeClientQuotas, run: describeClientQuotas},
	{api: kmsg.DescribeUserSCRAMCredentials, run: describeUserSCRAMCredentials},
	{api: kmsg.ListOffsets, run: listOffsets},
	{api: kmsg.OffsetForLeaderEpoch, run: offsetForLeaderEpoch},
	{api: kmsg.Fetch, ownGroup: true, run: fetch},

	{api: kmsg.FindCoordinator, run: findCoordinator},
	{api: kmsg.JoinGroup, ownGroup: true, run: joinGroup},
	{api: kmsg.SyncGroup, ownGroup: true, run: syncGroup},
	{api: kmsg.Heartbeat, ownGroup: true, run: heartbeat},
	{api: kmsg.LeaveGroup, ownGroup: true, run: leaveGroup},
	{api: kmsg.OffsetCommit, ownGroup: true, run: offsetCommit},
	{api: kmsg.OffsetFetch, ownGroup: true, run: offsetFetch},
	{api: kmsg.DescribeGroups, ownGroup: true, run: describeGroups},
	{api: kmsg.ListGroups, ownGroup: true, run: listGroups},
	{api: kmsg.DeleteGroups, ownGroup: true, run: deleteGroups},
	{api: kmsg.OffsetDelete, ownGroup: true, run: offsetDelete},

	{api: kmsg.Produce, run: produce},
	{api: kmsg.InitProducerID, run: initProducerID},
	{api: kmsg.CreateTopics, run: createTopics},
	{api: kmsg.DeleteTopics, run: deleteTopics},
	{api: kmsg.DeleteRecords, run: deleteRecords},
	{api: kmsg.CreatePartitions, run: createPartitions},
	{api: kmsg.AlterConfigs, run: alterConfigs},
	{api: kmsg.IncrementalAlterConfigs, run: incrementalAlterConfigs},
	{api: kmsg.CreateACLs, run: createACLs},
	{api: kmsg.DeleteACLs, run: deleteACLs},
}

func apiVersions(s *side, v int16) {
	req := kmsg.NewPtrApiVersionsRequest()
	req.ClientSoftwareName, req.ClientSoftwareVersion = "test", "1"
	ask[*kmsg.ApiVersionsResponse](s, "after login", v, req)
	ask[*kmsg.ApiVersionsResponse](s.anonymous(), "before login", v, req)
	req.ClientSoftwareName = "not allowed!"
	ask[*kmsg.ApiVersionsResponse](s, "bad name of the software", v, req)
}

func saslHandshake(s *side, v int16) {
	req := kmsg.NewPtrSASLHandshakeRequest()
	req.Mechanism = "PLAIN"
	ask[*kmsg.SASLHandshakeResponse](s.anonymous(), "PLAIN", v, req)
	req.Mechanism = "OAUTHBEARER"
	ask[*kmsg.SASLHandshakeResponse](s.anonymous(), "not enabled", v, req)
	req.Mechanism = "PLAIN"
	ask[*kmsg.SASLHandshakeResponse](s, "after login", v, req)
}

func saslAuthenticate(s *side, v int16) {
	try := func(label, token string) {
		c := s.anonymous()
		handshake := kmsg.NewPtrSASLHandshakeRequest()
		handshake.Mechanism = "PLAIN"
		quietly[*kmsg.SASLHandshakeResponse](c, 1, handshake)
		req := kmsg.NewPtrSASLAuthenticateRequest()
		req.SASLAuthBytes = []byte(token)
		ask[*kmsg.SASLAuthenticateResponse](c, label, v, req)
		ask[*kmsg.MetadataResponse](c, label+", then", 1, kmsg.NewPtrMetadataRequest())
	}
	try("right", "\x00"+s.user+"\x00"+harness.Password)
	try("right, with authzid", s.user+"\x00"+s.user+"\x00"+harness.Password)
	try("another authzid", "admin\x00"+s.user+"\x00"+harness.Password)
	try("wrong password", "\x00"+s.user+"\x00wrong")
	if v == 0 { // not each time: Daybook slows down an address with too many failures
		try("unknown user", "\x00app-nobody\x00"+harness.Password)
	}
	try("no PLAIN token", "what?")
	ask[*kmsg.SASLAuthenticateResponse](s.anonymous(), "without handshake", v, kmsg.NewPtrSASLAuthenticateRequest())
}

func metadata(s *side, v int16) {
	withTopics := func(label string, change func(*kmsg.MetadataRequest), topics ...kmsg.MetadataRequestTopic) {
		req := kmsg.NewPtrMetadataRequest()
		req.Topics = topics
		if change != nil {
			change(req)
		}
		ask[*kmsg.MetadataResponse](s, label, v, req)
	}
	named := func(name string) kmsg.MetadataRequestTopic {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = &name
		return t
	}
	if v > 0 {
		withTopics("all", nil)
	}
	withTopics("empty", nil, []kmsg.MetadataRequestTopic{}...)
	withTopics("own", nil, named(shop))
	withTopics("own twice", nil, named(shop), named(shop))
	withTopics("foreign", nil, named(foreignTopic))
	withTopics("unknown", nil, named("absent"))
	withTopics("own and unknown", func(r *kmsg.MetadataRequest) { r.AllowAutoTopicCreation = true }, named(shop), named("absent"))
	withTopics("bad name", nil, named("a/b"))
	withTopics("no name", nil, named(""))
	withTopics("unknown twice", nil, named("absent"), named("absent"))
	withTopics("several", nil, named("absent"), named(shop), named(foreignTopic))
	if v >= 8 {
		withTopics("operations", func(r *kmsg.MetadataRequest) {
			r.IncludeTopicAuthorizedOperations, r.IncludeClusterAuthorizedOperations = true, v <= 10
		}, named(shop))
	}
	if v >= 12 { // 10 and 11 have the field, but brokers do not answer it
		byID := kmsg.NewMetadataRequestTopic()
		byID.TopicID = s.topicID
		withTopics("by ID", nil, byID)
		byID.TopicID = [16]byte{1}
		withTopics("by unknown ID", nil, byID)
	}
}

func describeCluster(s *side, v int16) {
	req := kmsg.NewPtrDescribeClusterRequest()
	ask[*kmsg.DescribeClusterResponse](s, "plain", v, req)
	req.IncludeClusterAuthorizedOperations = true
	ask[*kmsg.DescribeClusterResponse](s, "operations", v, req)
	if v >= 1 {
		req.EndpointType = 2
		ask[*kmsg.DescribeClusterResponse](s, "controllers", v, req)
		req.EndpointType = 3
		ask[*kmsg.DescribeClusterResponse](s, "no such type", v, req)
	}
}

func describeTopicPartitions(s *side, v int16) {
	try := func(label string, names ...string) {
		req := kmsg.NewPtrDescribeTopicPartitionsRequest()
		req.ResponsePartitionLimit = 2000
		for _, name := range names {
			t := kmsg.NewDescribeTopicPartitionsRequestTopic()
			t.Topic = name
			req.Topics = append(req.Topics, t)
		}
		ask[*kmsg.DescribeTopicPartitionsResponse](s, label, v, req)
	}
	try("all")
	try("own", shop)
	try("unknown", "absent")
	try("foreign", foreignTopic)
	try("own and unknown", shop, "absent")
	try("own twice", shop, shop)
	try("bad name", "a/b")

	limited := func(label string, limit int32, topic string, partition int32) {
		req := kmsg.NewPtrDescribeTopicPartitionsRequest()
		t := kmsg.NewDescribeTopicPartitionsRequestTopic()
		t.Topic = shop
		req.Topics = append(req.Topics, t)
		req.ResponsePartitionLimit = limit
		if topic != "" {
			c := kmsg.NewDescribeTopicPartitionsRequestCursor()
			c.Topic, c.Partition = topic, partition
			req.Cursor = &c
		}
		ask[*kmsg.DescribeTopicPartitionsResponse](s, label, v, req)
	}
	limited("one partition", 1, "", 0)
	limited("no partitions", 0, "", 0)
	limited("from the first partition", 10, shop, 0)
	limited("from behind the last partition", 10, shop, 1)
	limited("from a negative partition", 10, shop, -1)
	limited("from another topic", 10, "z", 0)
}

func describeConfigs(s *side, v int16) {
	try := func(label string, kind kmsg.ConfigResourceType, name string, keys ...string) {
		req := kmsg.NewPtrDescribeConfigsRequest()
		req.IncludeSynonyms = v >= 1
		r := kmsg.NewDescribeConfigsRequestResource()
		r.ResourceType, r.ResourceName, r.ConfigNames = kind, name, keys
		req.Resources = append(req.Resources, r)
		ask[*kmsg.DescribeConfigsResponse](s, label, v, req)
	}
	try("topic", kmsg.ConfigResourceTypeTopic, shop)
	try("some of a topic", kmsg.ConfigResourceTypeTopic, shop, "cleanup.policy", "no.such.key")
	try("unknown topic", kmsg.ConfigResourceTypeTopic, "absent")
	try("foreign topic", kmsg.ConfigResourceTypeTopic, foreignTopic)
	try("broker", kmsg.ConfigResourceTypeBroker, "0")
	try("another broker", kmsg.ConfigResourceTypeBroker, "7")
	try("no broker", kmsg.ConfigResourceTypeBroker, "seven")
	try("all brokers", kmsg.ConfigResourceTypeBroker, "")
	try("no keys", kmsg.ConfigResourceTypeTopic, shop, []string{}...)
	try("logger", kmsg.ConfigResourceTypeBrokerLogger, "0")
	try("group", kmsg.ConfigResourceTypeGroupConfig, s.group)
	try("client metrics", kmsg.ConfigResourceTypeClientMetrics, "")
	try("no such type", 99, shop)

	req := kmsg.NewPtrDescribeConfigsRequest()
	ask[*kmsg.DescribeConfigsResponse](s, "nothing", v, req)
	for _, name := range []string{shop, "absent", shop} {
		r := kmsg.NewDescribeConfigsRequestResource()
		r.ResourceType, r.ResourceName, r.ConfigNames = kmsg.ConfigResourceTypeTopic, name, []string{"cleanup.policy"}
		req.Resources = append(req.Resources, r)
	}
	ask[*kmsg.DescribeConfigsResponse](s, "own, unknown, own", v, req)
}

func describeLogDirs(s *side, v int16) {
	req := kmsg.NewPtrDescribeLogDirsRequest()
	ask[*kmsg.DescribeLogDirsResponse](s, "all", v, req)
	try := func(label, topic string, partition int32) {
		t := kmsg.NewDescribeLogDirsRequestTopic()
		t.Topic, t.Partitions = topic, []int32{partition}
		req.Topics = []kmsg.DescribeLogDirsRequestTopic{t}
		ask[*kmsg.DescribeLogDirsResponse](s, label, v, req)
	}
	try("own", shop, 0)
	try("unknown partition", shop, 1)
	try("unknown topic", "absent", 0)
	req.Topics = []kmsg.DescribeLogDirsRequestTopic{}
	ask[*kmsg.DescribeLogDirsResponse](s, "none", v, req)
	req.Topics = []kmsg.DescribeLogDirsRequestTopic{{Topic: shop, Partitions: []int32{1, 0}}, {Topic: "absent", Partitions: []int32{0}}}
	ask[*kmsg.DescribeLogDirsResponse](s, "several", v, req)
	req.Topics = []kmsg.DescribeLogDirsRequestTopic{{Topic: shop, Partitions: []int32{}}}
	ask[*kmsg.DescribeLogDirsResponse](s, "own, no partitions", v, req)
}

func listPartitionReassignments(s *side, v int16) {
	req := kmsg.NewPtrListPartitionReassignmentsRequest()
	ask[*kmsg.ListPartitionReassignmentsResponse](s, "all", v, req)
	t := kmsg.NewListPartitionReassignmentsRequestTopic()
	t.Topic, t.Partitions = shop, []int32{0}
	req.Topics = append(req.Topics, t)
	ask[*kmsg.ListPartitionReassignmentsResponse](s, "own", v, req)
	req.Topics[0].Partitions = []int32{0, 1}
	ask[*kmsg.ListPartitionReassignmentsResponse](s, "unknown partition", v, req)
	req.Topics[0].Topic = "absent"
	ask[*kmsg.ListPartitionReassignmentsResponse](s, "unknown topic", v, req)
	req.Topics = []kmsg.ListPartitionReassignmentsRequestTopic{}
	ask[*kmsg.ListPartitionReassignmentsResponse](s, "none", v, req)
}

func describeACLs(s *side, v int16) {
	req := kmsg.NewPtrDescribeACLsRequest()
	req.ResourceType, req.Operation, req.PermissionType = kmsg.ACLResourceTypeAny, kmsg.ACLOperationAny, kmsg.ACLPermissionTypeAny
	req.ResourcePatternType = kmsg.ACLResourcePatternTypeAny
	ask[*kmsg.DescribeACLsResponse](s, "all", v, req)
}

func describeClientQuotas(s *side, v int16) {
	ask[*kmsg.DescribeClientQuotasResponse](s, "all", v, kmsg.NewPtrDescribeClientQuotasRequest())
	try := func(label, entity string, kind kmsg.QuotasMatchType, match *string) {
		req := kmsg.NewPtrDescribeClientQuotasRequest()
		c := kmsg.NewDescribeClientQuotasRequestComponent()
		c.EntityType, c.MatchType, c.Match = entity, kind, match
		req.Components = append(req.Components, c)
		req.Strict = true
		ask[*kmsg.DescribeClientQuotasResponse](s, label, v, req)
	}
	try("of a user", "user", kmsg.QuotasMatchTypeExact, &s.user)
	try("of any client", "client-id", kmsg.QuotasMatchTypeAny, nil)
	try("of what there is not", "planet", kmsg.QuotasMatchTypeAny, nil)
	try("by no known match", "user", 9, nil)
}

func describeUserSCRAMCredentials(s *side, v int16) {
	req := kmsg.NewPtrDescribeUserSCRAMCredentialsRequest()
	ask[*kmsg.DescribeUserSCRAMCredentialsResponse](s, "all", v, req)
	for _, name := range []string{s.user, "nobody", s.user} {
		u := kmsg.NewDescribeUserSCRAMCredentialsRequestUser()
		u.Name = name
		req.Users = append(req.Users, u)
		ask[*kmsg.DescribeUserSCRAMCredentialsResponse](s, fmt.Sprint(len(req.Users), " users"), v, req)
	}
}

func offsetForLeaderEpoch(s *side, v int16) {
	try := func(label, topic string, partition, epoch, current int32) {
		req := kmsg.NewPtrOffsetForLeaderEpochRequest()
		req.ReplicaID = -1
		p := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
		p.Partition, p.LeaderEpoch, p.CurrentLeaderEpoch = partition, epoch, current
		t := kmsg.NewOffsetForLeaderEpochRequestTopic()
		t.Topic, t.Partitions = topic, append(t.Partitions, p)
		req.Topics = append(req.Topics, t)
		ask[*kmsg.OffsetForLeaderEpochResponse](s, label, v, req)
	}
	for _, epoch := range []int32{0, 1, -1, -2} {
		try(fmt.Sprint("epoch ", epoch), shop, 0, epoch, -1)
	}
	if v >= 2 {
		try("current epoch known", shop, 0, 0, 0)
		try("current epoch ahead", shop, 0, 0, 1)
	}
	try("unknown partition", shop, 1, 0, -1)
	try("unknown topic", "absent", 0, 0, -1)
	try("foreign topic", foreignTopic, 0, 0, -1)

	req := kmsg.NewPtrOffsetForLeaderEpochRequest()
	ask[*kmsg.OffsetForLeaderEpochResponse](s, "nothing", v, req)
	req.ReplicaID = -1
	for _, name := range []string{shop, "absent"} {
		t := kmsg.NewOffsetForLeaderEpochRequestTopic()
		t.Topic = name
		for _, n := range []int32{0, 1} {
			p := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
			p.Partition, p.CurrentLeaderEpoch = n, -1
			t.Partitions = append(t.Partitions, p)
		}
		req.Topics = append(req.Topics, t)
	}
	ask[*kmsg.OffsetForLeaderEpochResponse](s, "several", v, req)
}
