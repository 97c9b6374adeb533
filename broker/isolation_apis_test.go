package broker_test

import "github.com/twmb/franz-go/pkg/kmsg"

// variant completes a request that has all its names.
type variant func(req kmsg.Request, n names)

func of[R kmsg.Request](f func(req R, n names)) variant {
	return func(req kmsg.Request, n names) { f(req.(R), n) }
}

var asIs = []variant{func(kmsg.Request, names) {}}

// walked says for every API in which ways it is asked. Whoever adds an API has
// to add it here, and to think of what it could tell.
var walked = map[kmsg.Key][]variant{
	kmsg.Produce: {of(func(r *kmsg.ProduceRequest, _ names) { r.Acks = -1 })},
	kmsg.Fetch: {of(func(r *kmsg.FetchRequest, _ names) {
		r.MaxWaitMillis, r.MinBytes, r.MaxBytes, r.Topics[0].Partitions[0].PartitionMaxBytes = 0, 1, 1<<20, 1<<20
	})},
	kmsg.ListOffsets: {
		of(func(r *kmsg.ListOffsetsRequest, _ names) { askForTime(r, -1) }),
		of(func(r *kmsg.ListOffsetsRequest, _ names) { askForTime(r, -2) }),
		of(func(r *kmsg.ListOffsetsRequest, _ names) { askForTime(r, timeOf(0)) }),
	},
	kmsg.Metadata: {
		asIs[0],
		of(func(r *kmsg.MetadataRequest, _ names) { r.Topics = nil }),
		of(func(r *kmsg.MetadataRequest, _ names) {
			r.AllowAutoTopicCreation, r.IncludeTopicAuthorizedOperations = true, true
		}),
	},
	kmsg.OffsetCommit: {of(func(r *kmsg.OffsetCommitRequest, _ names) { r.Generation, r.Topics[0].Partitions[0].Offset = 1, 7 }),
		of(func(r *kmsg.OffsetCommitRequest, _ names) {
			r.Generation, r.MemberID, r.InstanceID, r.Topics[0].Partitions[0].Offset = -1, "", nil, 7
		})},
	kmsg.OffsetFetch: {
		asIs[0],
		of(func(r *kmsg.OffsetFetchRequest, _ names) {
			if r.Version >= 2 {
				r.Topics, r.Groups[0].Topics = nil, nil
			}
		}),
	},
	kmsg.FindCoordinator: {
		asIs[0],
		of(func(r *kmsg.FindCoordinatorRequest, n names) {
			r.CoordinatorType, r.CoordinatorKey, r.CoordinatorKeys = 1, n.transaction, []string{n.transaction}
		}),
		of(func(r *kmsg.FindCoordinatorRequest, n names) {
			r.CoordinatorType, r.CoordinatorKey, r.CoordinatorKeys = 2, n.group, []string{n.group + ":AAAAAAAAAAAAAAAAAAAAAA:0"}
		}),
	},
	kmsg.JoinGroup: {of(func(r *kmsg.JoinGroupRequest, _ names) {
		r.SessionTimeoutMillis, r.RebalanceTimeoutMillis = 10_000, 10_000
	})},
	kmsg.Heartbeat:      {of(func(r *kmsg.HeartbeatRequest, _ names) { r.Generation = 1 })},
	kmsg.LeaveGroup:     asIs,
	kmsg.SyncGroup:      {of(func(r *kmsg.SyncGroupRequest, _ names) { r.Generation = 1 })},
	kmsg.DescribeGroups: {of(func(r *kmsg.DescribeGroupsRequest, _ names) { r.IncludeAuthorizedOperations = true })},
	kmsg.ListGroups: {
		asIs[0],
		of(func(r *kmsg.ListGroupsRequest, _ names) { r.StatesFilter, r.TypesFilter = nil, nil }),
	},
	kmsg.SASLHandshake: {
		asIs[0],
		of(func(r *kmsg.SASLHandshakeRequest, _ names) { r.Mechanism = "GSSAPI" }),
	},
	kmsg.SASLAuthenticate:     {of(func(r *kmsg.SASLAuthenticateRequest, n names) { r.SASLAuthBytes = token("", n.user, password) })},
	kmsg.ApiVersions:          asIs,
	kmsg.CreateTopics:         asIs,
	kmsg.DeleteTopics:         asIs,
	kmsg.DeleteRecords:        asIs,
	kmsg.InitProducerID:       asIs,
	kmsg.OffsetForLeaderEpoch: asIs,
	kmsg.DescribeACLs:         asIs,
	kmsg.CreateACLs:           asIs,
	kmsg.DeleteACLs:           asIs,
	kmsg.DescribeConfigs: resources(func(r *kmsg.DescribeConfigsRequest, kind kmsg.ConfigResourceType, name string) {
		r.IncludeSynonyms, r.IncludeDocumentation = true, true
		r.Resources[0].ResourceType, r.Resources[0].ResourceName, r.Resources[0].ConfigNames = kind, name, nil
	}),
	kmsg.AlterConfigs: resources(func(r *kmsg.AlterConfigsRequest, kind kmsg.ConfigResourceType, name string) {
		r.Resources[0].ResourceType, r.Resources[0].ResourceName = kind, name
	}),
	kmsg.IncrementalAlterConfigs: resources(func(r *kmsg.IncrementalAlterConfigsRequest, kind kmsg.ConfigResourceType, name string) {
		r.Resources[0].ResourceType, r.Resources[0].ResourceName = kind, name
	}),
	kmsg.DescribeLogDirs: {
		asIs[0],
		of(func(r *kmsg.DescribeLogDirsRequest, _ names) { r.Topics = nil }),
	},
	kmsg.CreatePartitions: asIs,
	kmsg.DeleteGroups:     asIs,
	kmsg.ListPartitionReassignments: {
		asIs[0],
		of(func(r *kmsg.ListPartitionReassignmentsRequest, _ names) { r.Topics = nil }),
	},
	kmsg.OffsetDelete: asIs,
	kmsg.DescribeClientQuotas: {
		asIs[0],
		of(func(r *kmsg.DescribeClientQuotasRequest, _ names) { r.Components = nil }),
	},
	kmsg.DescribeUserSCRAMCredentials: {
		asIs[0],
		of(func(r *kmsg.DescribeUserSCRAMCredentialsRequest, _ names) { r.Users = nil }),
	},
	kmsg.DescribeCluster: asIs,
	kmsg.DescribeTopicPartitions: {
		asIs[0],
		of(func(r *kmsg.DescribeTopicPartitionsRequest, _ names) { r.Topics, r.ResponsePartitionLimit = nil, 1000 }),
		of(func(r *kmsg.DescribeTopicPartitionsRequest, _ names) { r.Topics, r.Cursor = nil, nil }),
		of(func(r *kmsg.DescribeTopicPartitionsRequest, _ names) { r.Cursor = nil }),
	},
}

func askForTime(r *kmsg.ListOffsetsRequest, time int64) {
	r.Topics[0].Partitions[0].Timestamp, r.Topics[0].Partitions[0].MaxNumOffsets = time, 10
}

// resources are the ways to name a resource of a configuration.
func resources[R kmsg.Request](set func(r R, kind kmsg.ConfigResourceType, name string)) (variants []variant) {
	for kind, name := range map[kmsg.ConfigResourceType]func(names) string{
		kmsg.ConfigResourceTypeTopic:         func(n names) string { return n.topic },
		kmsg.ConfigResourceTypeGroupConfig:   func(n names) string { return n.group },
		kmsg.ConfigResourceTypeBroker:        func(names) string { return "0" },
		kmsg.ConfigResourceTypeBrokerLogger:  func(names) string { return "0" },
		kmsg.ConfigResourceTypeClientMetrics: func(n names) string { return n.user },
		kmsg.ConfigResourceTypeUnknown:       func(n names) string { return n.group },
	} {
		variants = append(variants, of(func(r R, n names) { set(r, kind, name(n)) }))
	}
	return variants
}
