package broker

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/recordbatch"
)

// DescribeConfigs tells the settings of the principal's topic and of the
// broker under Kafka's names, those that have a meaning here and no others.
// None can be altered by clients.

func describeConfigsAPI() api {
	return serve(0, 4, `[ 1 s [s] ] 1:1- 1:3-`, (*conn).describeConfigs)
}

// setting is one configuration entry.
type setting struct {
	name, value string
	broker      string // name of the broker's setting that a topic's one comes from
	kind        kmsg.ConfigType
	source      kmsg.ConfigSource
	doc         string
}

func (c *conn) describeConfigs(_ context.Context, req *kmsg.DescribeConfigsRequest) (kmsg.Response, error) {
	resp := kmsg.NewPtrDescribeConfigsResponse()
	resp.Version = req.Version
	for _, r := range req.Resources {
		rr := kmsg.NewDescribeConfigsResponseResource()
		rr.ResourceType, rr.ResourceName = r.ResourceType, r.ResourceName
		settings, failure := c.settings(r.ResourceType, r.ResourceName)
		if failure != nil {
			rr.ErrorCode, rr.ErrorMessage = failure.Code, &failure.Description
		}
		for _, s := range settings {
			// Kafka takes an empty list of names as all names, too.
			if len(r.ConfigNames) == 0 || slices.Contains(r.ConfigNames, s.name) {
				rr.Configs = append(rr.Configs, s.entry(req))
			}
		}
		resp.Resources = append(resp.Resources, rr)
	}
	return resp, nil
}

func (s setting) entry(req *kmsg.DescribeConfigsRequest) kmsg.DescribeConfigsResponseResourceConfig {
	e := kmsg.NewDescribeConfigsResponseResourceConfig()
	e.Name, e.Value, e.ConfigType, e.Source = s.name, &s.value, s.kind, s.source
	e.ReadOnly = true
	e.IsDefault = s.source == kmsg.ConfigSourceDefaultConfig
	if req.IncludeSynonyms {
		synonym := kmsg.NewDescribeConfigsResponseResourceConfigConfigSynonym()
		synonym.Name, synonym.Value, synonym.Source = s.broker, &s.value, s.source
		e.ConfigSynonyms = append(e.ConfigSynonyms, synonym)
	}
	if req.IncludeDocumentation {
		e.Documentation = &s.doc
	}
	return e
}

// settings returns those of a resource, sorted by name.
func (c *conn) settings(kind kmsg.ConfigResourceType, name string) ([]setting, *kerr.Error) {
	switch kind {
	case kmsg.ConfigResourceTypeTopic:
		if c.lookUp(name, noTopicID, 0) == nil {
			return nil, kerr.UnknownTopicOrPartition
		}
		return c.topicSettings(name), nil
	case kmsg.ConfigResourceTypeBroker:
		if name == "" { // what all brokers are set to at run time: nothing
			return nil, nil
		}
		if name != strconv.Itoa(nodeID) {
			return nil, kerr.InvalidRequest
		}
		return c.brokerSettings(), nil
	case kmsg.ConfigResourceTypeGroupConfig: // has none: they are for the groups of KIP-848
		if name != c.principal.Group {
			return nil, kerr.GroupAuthorizationFailed
		}
		return nil, nil
	}
	return nil, kerr.InvalidRequest
}

func (c *conn) topicSettings(topic string) []setting {
	const none = kmsg.ConfigSourceDefaultConfig
	compression := c.s.compressionSetting(topic)
	age, bytes := c.retention(topic)
	return []setting{
		{"cleanup.policy", "delete", "log.cleanup.policy", kmsg.ConfigTypeList, none, "Old records are removed, never compacted."},
		{"compression.type", compression, "compression.type", kmsg.ConfigTypeString, compressionSource(compression), "Of what consumers fetch; at rest, records are always compressed."},
		{"max.message.bytes", "2147483647", "message.max.bytes", kmsg.ConfigTypeInt, none, "A record is as large as its row."},
		{"message.timestamp.type", "CreateTime", "log.message.timestamp.type", kmsg.ConfigTypeString, none, "The time of the change at its source."},
		{"min.insync.replicas", "1", "min.insync.replicas", kmsg.ConfigTypeInt, none, "There is one replica."},
		{"retention.bytes", bytes, "log.retention.bytes", kmsg.ConfigTypeLong, capSource(bytes), "The cap on stored bytes: the topic's own, or that of all topics together; -1 is none."},
		{"retention.ms", age, "log.retention.ms", kmsg.ConfigTypeLong, kmsg.ConfigSourceStaticBrokerConfig, "Nothing younger is removed, unless a cap on bytes says so."},
	}
}

func (c *conn) brokerSettings() []setting {
	const static = kmsg.ConfigSourceStaticBrokerConfig
	const none = kmsg.ConfigSourceDefaultConfig
	age, bytes := c.retention("")
	settings := []setting{
		{"advertised.listeners", c.listener.name + "://" + c.listener.advertised(), "", kmsg.ConfigTypeString, static, "The listener that the client came by."},
		{"auto.create.topics.enable", "false", "", kmsg.ConfigTypeBoolean, none, "Topics are made by change tracking tasks only."},
		{"broker.id", strconv.Itoa(nodeID), "", kmsg.ConfigTypeInt, none, "There is one broker."},
		{"connections.max.idle.ms", millis(c.s.o.IdleTimeout), "", kmsg.ConfigTypeLong, none, "A connection without a request for so long is closed."},
		{"default.replication.factor", "1", "", kmsg.ConfigTypeInt, none, "There is one broker."},
		{"delete.topic.enable", "false", "", kmsg.ConfigTypeBoolean, none, "Clients delete no topics."},
		{"log.retention.bytes", bytes, "", kmsg.ConfigTypeLong, capSource(bytes), "The cap on stored bytes, of all topics together; -1 is none."},
		{"log.retention.ms", age, "", kmsg.ConfigTypeLong, static, "Nothing younger is removed, unless a cap on bytes says so."},
		{"min.insync.replicas", "1", "", kmsg.ConfigTypeInt, none, "There is one replica."},
		{"num.partitions", "1", "", kmsg.ConfigTypeInt, none, "The order of all changes needs one partition."},
	}
	for i := range settings {
		settings[i].broker = settings[i].name
	}
	return settings
}

const uncompressed = "uncompressed"

func (s *Server) compressionSetting(topic string) string {
	if c := s.o.Compression(topic); c != "" && c != recordbatch.None {
		return string(c)
	}
	return uncompressed
}

// compressionSource tells if a compression was set.
func compressionSource(value string) kmsg.ConfigSource {
	if value == uncompressed {
		return kmsg.ConfigSourceDefaultConfig
	}
	return kmsg.ConfigSourceStaticBrokerConfig
}

// capSource tells if a cap on bytes was set.
func capSource(bytes string) kmsg.ConfigSource {
	if bytes == noCap {
		return kmsg.ConfigSourceDefaultConfig
	}
	return kmsg.ConfigSourceStaticBrokerConfig
}

const noCap = "-1"

// retention returns the values of retention.ms and retention.bytes: those of a topic, or,
// where that has none of its own, of all.
func (c *conn) retention(topic string) (age, bytes string) {
	r := c.s.o.Store.Retention()
	if p, ok := c.s.o.Store.Partition(topic); ok {
		own := p.Retention()
		r.Age, r.Bytes = own.Age, cmp.Or(own.Bytes, r.Bytes)
	}
	if r.Bytes == 0 {
		return millis(r.Age), noCap
	}
	return millis(r.Age), strconv.FormatInt(r.Bytes, 10)
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
