// Command franz reads records with franz-go.
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

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
)

func main() {
	if len(os.Args) < 7 {
		log.Fatal("usage: franz BROKERS USERNAME PASSWORD TOPIC GROUP COUNT [FROM]")
	}
	brokers, username, password, topic, group := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]
	left, err := strconv.Atoi(os.Args[6])
	check(err)
	options := []kgo.Opt{
		kgo.SeedBrokers(brokers),
		kgo.SASL(plain.Auth{User: username, Pass: password}.AsMechanism()),
	}
	subscribe := len(os.Args) == 7
	if subscribe {
		options = append(options, kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	} else {
		options = append(options, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: offset(os.Args[7])}}))
	}
	client, err := kgo.NewClient(options...)
	check(err)
	defer client.Close()
	ctx := context.Background()
	for left > 0 {
		fetches := client.PollRecords(ctx, left)
		check(fetches.Err())
		left -= fetches.NumRecords()
		fetches.EachRecord(show)
		if subscribe {
			check(client.CommitRecords(ctx, fetches.Records()...))
		}
	}
}

func offset(from string) kgo.Offset {
	millis, byTime := strings.CutPrefix(from, "@")
	n, err := strconv.ParseInt(millis, 10, 64)
	check(err)
	if byTime {
		return kgo.NewOffset().AfterMilli(n)
	}
	return kgo.NewOffset().At(n)
}

func show(r *kgo.Record) {
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
