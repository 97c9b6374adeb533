//go:build servers

package clients

import (
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/e2e/harness"
	"daybook/e2e/kafka"
	"daybook/e2e/servers"
)

// lacks lists, for each wire_compression, the clients that would need a
// package more than their own, or a library that they were built without.
var lacks = map[string][]string{
	"none":   {},
	"gzip":   {"librdkafka-1.9.2", "librdkafka-2.15.1", "confluent-kafka-1.9.2", "kafka-javascript-1.10.1"}, // zlib
	"snappy": {"kafka-python-2.0.6", "kafka-python-3.0.12", "aiokafka-0.14.0", "kafkajs-2.2.4"},
	"lz4":    {"kafka-python-2.0.6", "kafka-python-3.0.12", "aiokafka-0.14.0", "kafkajs-2.2.4"},
	// kafka-python 2.0 fetches in a version that is told no zstd
	"zstd": {"kafka-python-3.0.12", "aiokafka-0.14.0", "kafkajs-2.2.4",
		"librdkafka-1.9.2", "librdkafka-2.15.1", "confluent-kafka-1.9.2", "kafka-javascript-1.10.1"}, // libzstd
}

// The compression is changed from one start to the next, over the same log.
func TestEveryClientReadsEveryCompression(t *testing.T) {
	names := append(script(t, "list"), "kafka-python-codecs-3.0.12", "aiokafka-codecs-0.14.0")
	all := clients(t, names)
	db, d := start(t, servers.Get(t, "mysql-8.0"), all)
	want := append(change(db, 0), large(db)...)
	config := d.Config()
	extra := config.Extra
	var model []record
	for _, compression := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		if code := d.Stop(); code != 0 {
			t.Errorf("daybook ended with exit code %d", code)
		}
		config.Extra = extra + "    wire_compression: " + compression + "\n"
		d.WriteConfig(config)
		d.Start()
		if got := onTheWire(t, d); got != compression {
			t.Errorf("the records are compressed with %s, want %s", got, compression)
		}
		able := slices.DeleteFunc(slices.Clone(all), func(c client) bool { return slices.Contains(lacks[compression], c.name) })
		got := readAll(t, d, able, count(len(want)), "0")
		if model == nil {
			model = got[0]
			compare(t, able[0].name, model, want)
		}
		expect(t, able, got, model)
	}
}

// onTheWire returns the compression of the first batch that a new client gets.
func onTheWire(t *testing.T, d *harness.Daybook) string {
	t.Helper()
	conn, err := kafka.Dial(t, d.Address())
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.Login(harness.Username, harness.Password); err != nil {
		t.Fatal(err)
	}
	req := kmsg.NewPtrFetchRequest()
	req.Version, req.MaxBytes = 12, 1<<20
	partition := kmsg.NewFetchRequestTopicPartition()
	partition.PartitionMaxBytes = 1 << 20
	topic := kmsg.NewFetchRequestTopic()
	topic.Topic, topic.Partitions = harness.Topic, append(topic.Partitions, partition)
	req.Topics = append(req.Topics, topic)
	resp, err := conn.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	var batch kmsg.RecordBatch
	if err := batch.ReadFrom(resp.(*kmsg.FetchResponse).Topics[0].Partitions[0].RecordBatches); err != nil {
		t.Fatal(err)
	}
	return []string{"none", "gzip", "snappy", "lz4", "zstd"}[batch.Attributes&7]
}
