package broker_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/store"
)

// TestDescribeOwnRetention has a topic with a retention of its own.
func TestDescribeOwnRetention(t *testing.T) {
	c := newCluster(t)
	p, err := c.store.EnsurePartition(topic)
	if err == nil {
		err = p.SetRetention(store.Retention{Age: 72 * time.Hour, Bytes: 5 << 30})
	}
	if err != nil {
		t.Fatal(err)
	}
	c.versions(kmsg.NewPtrDescribeConfigsRequest(), func(t *testing.T, cl *client, v int16) {
		for kind, want := range map[kmsg.ConfigResourceType][]string{
			kmsg.ConfigResourceTypeTopic:  {"retention.bytes=5368709120", "retention.ms=259200000"},
			kmsg.ConfigResourceTypeBroker: {"log.retention.bytes=-1", "log.retention.ms=86400000"},
		} {
			req := kmsg.NewPtrDescribeConfigsRequest()
			req.Version = v
			r := kmsg.NewDescribeConfigsRequestResource()
			r.ResourceType, r.ResourceName = kind, "0"
			if kind == kmsg.ConfigResourceTypeTopic {
				r.ResourceName = topic
			}
			req.Resources = append(req.Resources, r)
			var got []string
			for _, e := range ask[*kmsg.DescribeConfigsResponse](cl, req).Resources[0].Configs {
				if strings.Contains(e.Name, "retention.") {
					got = append(got, e.Name+"="+*e.Value)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%v: %v, want %v", kind, got, want)
			}
		}
	})
}

// What a client sees of the configuration, and what is hidden from it.
func TestDescribeConfigs(t *testing.T) {
	c := newCluster(t)
	c.versions(kmsg.NewPtrDescribeConfigsRequest(), func(t *testing.T, cl *client, v int16) {
		describe := func(kind kmsg.ConfigResourceType, name string, names ...string) kmsg.DescribeConfigsResponseResource {
			req := kmsg.NewPtrDescribeConfigsRequest()
			req.Version, req.IncludeSynonyms, req.IncludeDocumentation = v, true, true
			r := kmsg.NewDescribeConfigsRequestResource()
			r.ResourceType, r.ResourceName, r.ConfigNames = kind, name, names
			req.Resources = append(req.Resources, r)
			return ask[*kmsg.DescribeConfigsResponse](cl, req).Resources[0]
		}
		all := describe(kmsg.ConfigResourceTypeTopic, topic)
		if all.ErrorCode != 0 || all.ResourceName != topic || len(all.Configs) < 5 {
			t.Errorf("topic: %+v", all)
		}
		if !slices.IsSortedFunc(all.Configs, func(a, b kmsg.DescribeConfigsResponseResourceConfig) int {
			return strings.Compare(a.Name, b.Name)
		}) {
			t.Error("the settings are not sorted")
		}
		one := describe(kmsg.ConfigResourceTypeTopic, topic, "retention.ms", "no.such.setting")
		if len(one.Configs) != 1 {
			t.Fatalf("one setting of the topic: %+v", one)
		}
		e := one.Configs[0]
		if *e.Value != "86400000" || !e.ReadOnly || e.IsDefault || e.IsSensitive {
			t.Errorf("retention.ms: %+v", e)
		}
		if v >= 1 && (e.Source != kmsg.ConfigSourceStaticBrokerConfig || len(e.ConfigSynonyms) != 1 || e.ConfigSynonyms[0].Name != "log.retention.ms") {
			t.Errorf("source of retention.ms: %+v", e)
		}
		if v >= 3 && (e.ConfigType != kmsg.ConfigTypeLong || *e.Documentation == "") {
			t.Errorf("type of retention.ms: %+v", e)
		}
		if b := describe(kmsg.ConfigResourceTypeBroker, "0", "auto.create.topics.enable"); b.ErrorCode != 0 || *b.Configs[0].Value != "false" {
			t.Errorf("broker 0: %+v", b)
		}
		if b := describe(kmsg.ConfigResourceTypeBroker, ""); b.ErrorCode != 0 || len(b.Configs) != 0 {
			t.Errorf("all brokers: %+v", b)
		}
		if g := describe(kmsg.ConfigResourceTypeGroupConfig, groupID); g.ErrorCode != 0 || len(g.Configs) != 0 {
			t.Errorf("the group: %+v", g)
		}
		for _, test := range []struct {
			kind kmsg.ConfigResourceType
			name string
			want *kerr.Error
		}{
			{kmsg.ConfigResourceTypeGroupConfig, "ledger", kerr.GroupAuthorizationFailed},
			{kmsg.ConfigResourceTypeGroupConfig, "nobody", kerr.GroupAuthorizationFailed},
			{kmsg.ConfigResourceTypeGroupConfig, "", kerr.GroupAuthorizationFailed},
			{kmsg.ConfigResourceTypeTopic, otherTopic, kerr.UnknownTopicOrPartition},
			{kmsg.ConfigResourceTypeBroker, "1", kerr.InvalidRequest},
			{kmsg.ConfigResourceTypeBrokerLogger, "0", kerr.InvalidRequest},
			{kmsg.ConfigResourceTypeUnknown, "", kerr.InvalidRequest},
		} {
			if r := describe(test.kind, test.name); r.ErrorCode != test.want.Code || len(r.Configs) != 0 {
				t.Errorf("%v %q: %+v, want %v", test.kind, test.name, r, test.want)
			}
		}
	})
}

func TestDescribeLogDirs(t *testing.T) {
	c := newCluster(t)
	c.produce(100)
	c.versions(kmsg.NewPtrDescribeLogDirsRequest(), func(t *testing.T, cl *client, v int16) {
		for _, test := range []struct {
			topic      string // "": all
			partitions []int32
			found      bool
		}{{"", nil, true}, {topic, []int32{0}, true}, {topic, []int32{1}, false}, {otherTopic, []int32{0}, false}} {
			req := kmsg.NewPtrDescribeLogDirsRequest()
			req.Version = v
			if test.topic != "" {
				req.Topics = []kmsg.DescribeLogDirsRequestTopic{{Topic: test.topic, Partitions: test.partitions}}
			}
			resp := ask[*kmsg.DescribeLogDirsResponse](cl, req)
			if resp.ErrorCode != 0 || len(resp.Dirs) != 1 || resp.Dirs[0].ErrorCode != 0 || len(resp.Dirs[0].Topics) == 1 != test.found {
				t.Fatalf("%+v: %+v", test, resp)
			}
			if !test.found {
				continue
			}
			if rt := resp.Dirs[0].Topics[0]; rt.Topic != topic || rt.Partitions[0].Size != c.part.StoredBytes() || rt.Partitions[0].Size == 0 {
				t.Errorf("%+v, want %d bytes", rt, c.part.StoredBytes())
			}
		}
	})
}

func TestDescribeTopicPartitions(t *testing.T) {
	c := newCluster(t)
	c.versions(kmsg.NewPtrDescribeTopicPartitionsRequest(), func(t *testing.T, cl *client, v int16) {
		for _, test := range []struct {
			names  string // separated by blanks
			cursor string // topic/partition
			want   string // name:partitions or name:error
		}{
			{"", "", "shop:1"},
			{"shop", "", "shop:1"},
			{"shop nope bank shop", "", "bank:UNKNOWN_TOPIC_OR_PARTITION nope:UNKNOWN_TOPIC_OR_PARTITION shop:1"},
			{"shop nope", "p/0", "nope:INVALID_REQUEST shop:INVALID_REQUEST"}, // not one of those asked for
			{"shop nope p", "p/0", "p:UNKNOWN_TOPIC_OR_PARTITION shop:1"},
			{"", "p/0", "shop:1"},
			{"shop", "shop/0", "shop:1"},
			{"shop", "shop/1", "shop:0"},
			{"", "t/0", ""},
		} {
			req := kmsg.NewPtrDescribeTopicPartitionsRequest()
			req.Version, req.ResponsePartitionLimit = v, 1
			for _, name := range strings.Fields(test.names) {
				req.Topics = append(req.Topics, kmsg.DescribeTopicPartitionsRequestTopic{Topic: name})
			}
			if from, partition, ok := strings.Cut(test.cursor, "/"); ok {
				req.Cursor = &kmsg.DescribeTopicPartitionsRequestCursor{Topic: from, Partition: int32(partition[0] - '0')}
			}
			resp := ask[*kmsg.DescribeTopicPartitionsResponse](cl, req)
			var got []string
			for _, rt := range resp.Topics {
				what := fmt.Sprint(len(rt.Partitions))
				if err := kerr.TypedErrorForCode(rt.ErrorCode); err != nil {
					what = err.Message
				} else if rt.TopicID != c.part.TopicID() {
					t.Errorf("topic ID %x", rt.TopicID)
				}
				for _, rp := range rt.Partitions {
					if rp.EligibleLeaderReplicas == nil || rp.LastKnownELR == nil {
						t.Errorf("%+v: null, which the Java admin client does not take", rp)
					}
				}
				got = append(got, *rt.Topic+":"+what)
			}
			if s := strings.Join(got, " "); s != test.want || resp.NextCursor != nil {
				t.Errorf("topics %q from %q: got %q, want %q", test.names, test.cursor, s, test.want)
			}
		}
	})
}

func TestNothingIsReassigned(t *testing.T) {
	c := newCluster(t)
	c.versions(kmsg.NewPtrListPartitionReassignmentsRequest(), func(t *testing.T, cl *client, v int16) {
		for _, topics := range [][]kmsg.ListPartitionReassignmentsRequestTopic{nil, {{Topic: topic, Partitions: []int32{0}}}} {
			req := kmsg.NewPtrListPartitionReassignmentsRequest()
			req.Version, req.Topics = v, topics
			if resp := ask[*kmsg.ListPartitionReassignmentsResponse](cl, req); resp.ErrorCode != 0 || len(resp.Topics) != 0 {
				t.Errorf("%+v", resp)
			}
		}
	})
}

func TestNoQuotasAndNoSCRAM(t *testing.T) {
	c := newCluster(t)
	c.versions(kmsg.NewPtrDescribeClientQuotasRequest(), func(t *testing.T, cl *client, v int16) {
		req := kmsg.NewPtrDescribeClientQuotasRequest()
		req.Version = v
		if resp := ask[*kmsg.DescribeClientQuotasResponse](cl, req); resp.ErrorCode != 0 || resp.Entries == nil || len(resp.Entries) != 0 {
			t.Errorf("quotas: %+v", resp)
		}
	})
	c.versions(kmsg.NewPtrDescribeUserSCRAMCredentialsRequest(), func(t *testing.T, cl *client, v int16) {
		req := kmsg.NewPtrDescribeUserSCRAMCredentialsRequest()
		req.Version = v
		if resp := ask[*kmsg.DescribeUserSCRAMCredentialsResponse](cl, req); resp.ErrorCode != 0 || len(resp.Results) != 0 {
			t.Errorf("all users: %+v", resp)
		}
		req.Users = []kmsg.DescribeUserSCRAMCredentialsRequestUser{{Name: user}}
		if resp := ask[*kmsg.DescribeUserSCRAMCredentialsResponse](cl, req); resp.ErrorCode != 0 || resp.Results[0].ErrorCode != kerr.ResourceNotFound.Code {
			t.Errorf("one user: %+v", resp)
		}
	})
}

// writes has for each API that would change something a request on what the
// principal sees and on what it does not, and the errors that each of them gets.
var writes = []struct {
	req  func(c *cluster) kmsg.Request
	want func(version int16) []*kerr.Error
	got  func(kmsg.Response) []int16
}{
	{
		func(c *cluster) kmsg.Request {
			req := kmsg.NewPtrCreateTopicsRequest()
			for _, name := range []string{topic, "new"} {
				req.Topics = append(req.Topics, kmsg.CreateTopicsRequestTopic{Topic: name, NumPartitions: 1, ReplicationFactor: 1})
			}
			return req
		},
		always(kerr.TopicAuthorizationFailed, kerr.TopicAuthorizationFailed),
		func(r kmsg.Response) (codes []int16) {
			for _, t := range r.(*kmsg.CreateTopicsResponse).Topics {
				codes = append(codes, t.ErrorCode)
			}
			return codes
		},
	},
	{
		func(c *cluster) kmsg.Request {
			other, _ := c.store.Partition(otherTopic)
			req := kmsg.NewPtrDeleteTopicsRequest()
			req.TopicNames = []string{topic, otherTopic}
			req.Topics = []kmsg.DeleteTopicsRequestTopic{{Topic: kmsg.StringPtr(topic)}, {TopicID: other.TopicID()}}
			return req
		},
		func(version int16) []*kerr.Error {
			if version >= 6 {
				return []*kerr.Error{kerr.TopicAuthorizationFailed, kerr.UnknownTopicID}
			}
			return []*kerr.Error{kerr.TopicAuthorizationFailed, kerr.UnknownTopicOrPartition}
		},
		func(r kmsg.Response) (codes []int16) {
			for _, t := range r.(*kmsg.DeleteTopicsResponse).Topics {
				codes = append(codes, t.ErrorCode)
			}
			return codes
		},
	},
	{
		func(c *cluster) kmsg.Request {
			req := kmsg.NewPtrDeleteRecordsRequest()
			for _, name := range []string{topic, otherTopic} {
				req.Topics = append(req.Topics, kmsg.DeleteRecordsRequestTopic{Topic: name, Partitions: []kmsg.DeleteRecordsRequestTopicPartition{{Partition: 0, Offset: -1}}})
			}
			return req
		},
		always(kerr.TopicAuthorizationFailed, kerr.UnknownTopicOrPartition),
		func(r kmsg.Response) (codes []int16) {
			for _, t := range r.(*kmsg.DeleteRecordsResponse).Topics {
				codes = append(codes, t.Partitions[0].ErrorCode)
			}
			return codes
		},
	},
	{
		func(c *cluster) kmsg.Request {
			req := kmsg.NewPtrCreatePartitionsRequest()
			for _, name := range []string{topic, otherTopic} {
				req.Topics = append(req.Topics, kmsg.CreatePartitionsRequestTopic{Topic: name, Count: 2})
			}
			return req
		},
		always(kerr.TopicAuthorizationFailed, kerr.UnknownTopicOrPartition),
		func(r kmsg.Response) (codes []int16) {
			for _, t := range r.(*kmsg.CreatePartitionsResponse).Topics {
				codes = append(codes, t.ErrorCode)
			}
			return codes
		},
	},
	{
		func(c *cluster) kmsg.Request {
			req := kmsg.NewPtrAlterConfigsRequest()
			for _, r := range alterable {
				req.Resources = append(req.Resources, kmsg.AlterConfigsRequestResource{ResourceType: r})
			}
			return req
		},
		always(alterErrors...),
		func(r kmsg.Response) (codes []int16) {
			for _, r := range r.(*kmsg.AlterConfigsResponse).Resources {
				codes = append(codes, r.ErrorCode)
			}
			return codes
		},
	},
	{
		func(c *cluster) kmsg.Request {
			req := kmsg.NewPtrIncrementalAlterConfigsRequest()
			for _, r := range alterable {
				req.Resources = append(req.Resources, kmsg.IncrementalAlterConfigsRequestResource{ResourceType: r})
			}
			return req
		},
		always(alterErrors...),
		func(r kmsg.Response) (codes []int16) {
			for _, r := range r.(*kmsg.IncrementalAlterConfigsResponse).Resources {
				codes = append(codes, r.ErrorCode)
			}
			return codes
		},
	},
	{
		func(c *cluster) kmsg.Request { return kmsg.NewPtrDescribeACLsRequest() },
		always(kerr.SecurityDisabled),
		func(r kmsg.Response) []int16 { return []int16{r.(*kmsg.DescribeACLsResponse).ErrorCode} },
	},
	{
		func(c *cluster) kmsg.Request {
			req := kmsg.NewPtrCreateACLsRequest()
			req.Creations = make([]kmsg.CreateACLsRequestCreation, 2)
			return req
		},
		always(kerr.SecurityDisabled, kerr.SecurityDisabled),
		func(r kmsg.Response) (codes []int16) {
			for _, r := range r.(*kmsg.CreateACLsResponse).Results {
				codes = append(codes, r.ErrorCode)
			}
			return codes
		},
	},
	{
		func(c *cluster) kmsg.Request {
			req := kmsg.NewPtrDeleteACLsRequest()
			req.Filters = make([]kmsg.DeleteACLsRequestFilter, 2)
			return req
		},
		always(kerr.SecurityDisabled, kerr.SecurityDisabled),
		func(r kmsg.Response) (codes []int16) {
			for _, r := range r.(*kmsg.DeleteACLsResponse).Results {
				codes = append(codes, r.ErrorCode)
			}
			return codes
		},
	},
}

var (
	alterable = []kmsg.ConfigResourceType{
		kmsg.ConfigResourceTypeTopic, kmsg.ConfigResourceTypeBroker, kmsg.ConfigResourceTypeGroupConfig, kmsg.ConfigResourceTypeUnknown,
	}
	alterErrors = []*kerr.Error{
		kerr.TopicAuthorizationFailed, kerr.ClusterAuthorizationFailed, kerr.GroupAuthorizationFailed, kerr.InvalidRequest,
	}
)

func always(errs ...*kerr.Error) func(int16) []*kerr.Error {
	return func(int16) []*kerr.Error { return errs }
}

// Each topic, partition or resource that a write names has its error, in every
// version, and the connection goes on.
func TestWritesAreRefused(t *testing.T) {
	c := newCluster(t)
	c.produce(1)
	for _, w := range writes {
		req := w.req(c)
		t.Run(kmsg.NameForKey(req.Key()), func(t *testing.T) {
			c := *c
			c.t = t
			c.versions(req, func(t *testing.T, cl *client, v int16) {
				req.SetVersion(v)
				got := w.got(do(cl, req))
				var want []int16
				for _, err := range w.want(v) {
					want = append(want, err.Code)
				}
				if !slices.Equal(got, want) {
					t.Errorf("errors %v, want %v", got, want)
				}
			})
		})
	}
}
