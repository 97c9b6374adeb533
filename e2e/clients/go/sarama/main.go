// Command sarama reads records with sarama, which speaks the protocol of the
// Kafka release that KAFKA_VERSION names (default: the newest that it knows).
//
// Without FROM: subscribes, reads COUNT records from the group's checkpoint on,
// commits. FROM is an offset, or @ and milliseconds since 1970: goes there,
// reads COUNT records. Prints offset, timestamp, key and value with tabs between.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"

	"github.com/IBM/sarama"
)

func main() {
	if len(os.Args) < 7 {
		log.Fatal("usage: sarama BROKERS USERNAME PASSWORD TOPIC GROUP COUNT [FROM]")
	}
	brokers, username, password, topic, group := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]
	count, err := strconv.Atoi(os.Args[6])
	check(err)
	config := sarama.NewConfig()
	config.Version = sarama.MaxVersion
	if v := os.Getenv("KAFKA_VERSION"); v != "" {
		config.Version, err = sarama.ParseKafkaVersion(v)
		check(err)
	}
	config.Net.SASL.Enable = true
	config.Net.SASL.User, config.Net.SASL.Password = username, password
	if !config.Version.IsAtLeast(sarama.V1_0_0_0) {
		config.Net.SASL.Version = sarama.SASLHandshakeV0
		config.ApiVersionsRequest = false
	}
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Enable = false
	client, err := sarama.NewClient(strings.Split(brokers, ","), config)
	check(err)
	defer client.Close()
	if len(os.Args) == 7 {
		subscribe(client, topic, group, count)
	} else {
		assign(client, topic, count, os.Args[7])
	}
}

func subscribe(client sarama.Client, topic, group string, count int) {
	members, err := sarama.NewConsumerGroupFromClient(group, client)
	check(err)
	defer members.Close()
	ctx, cancel := context.WithCancel(context.Background())
	h := &handler{left: count, done: cancel}
	for ctx.Err() == nil { // Consume returns at each rebalance
		check(members.Consume(ctx, []string{topic}, h))
	}
}

// handler implements sarama.ConsumerGroupHandler.
type handler struct {
	left int
	done func()
}

func (*handler) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (*handler) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (h *handler) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for r := range claim.Messages() {
		show(r)
		session.MarkMessage(r, "")
		if h.left--; h.left == 0 {
			session.Commit()
			h.done()
			break
		}
	}
	return nil
}

func assign(client sarama.Client, topic string, count int, from string) {
	millis, byTime := strings.CutPrefix(from, "@")
	offset, err := strconv.ParseInt(millis, 10, 64)
	check(err)
	if byTime {
		offset, err = client.GetOffset(topic, 0, offset)
		check(err)
	}
	consumer, err := sarama.NewConsumerFromClient(client)
	check(err)
	defer consumer.Close()
	partition, err := consumer.ConsumePartition(topic, 0, offset)
	check(err)
	defer partition.Close()
	for range count {
		show(<-partition.Messages())
	}
}

func show(r *sarama.ConsumerMessage) {
	fmt.Printf("%d\t%d\t%s\t%s\n", r.Offset, r.Timestamp.UnixMilli(), orNull(r.Key), orNull(r.Value))
}

func orNull(b []byte) []byte {
	if b == nil {
		return []byte("NULL")
	}
	return b
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
