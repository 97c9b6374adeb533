// Command segmentio reads records with segmentio/kafka-go.
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
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl/plain"
)

func main() {
	if len(os.Args) < 7 {
		log.Fatal("usage: segmentio BROKERS USERNAME PASSWORD TOPIC GROUP COUNT [FROM]")
	}
	brokers, username, password, topic, group := os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]
	count, err := strconv.Atoi(os.Args[6])
	check(err)
	config := kafka.ReaderConfig{
		Brokers: strings.Split(brokers, ","),
		Dialer:  &kafka.Dialer{Timeout: 10 * time.Second, SASLMechanism: plain.Mechanism{Username: username, Password: password}},
		Topic:   topic,
		MaxWait: 500 * time.Millisecond,
	}
	subscribe := len(os.Args) == 7
	if subscribe {
		config.GroupID, config.StartOffset = group, kafka.FirstOffset
	}
	reader := kafka.NewReader(config)
	defer reader.Close()
	ctx := context.Background()
	if !subscribe {
		seek(ctx, reader, os.Args[7])
	}
	var r kafka.Message
	for range count {
		r, err = reader.FetchMessage(ctx)
		check(err)
		show(r)
	}
	if subscribe {
		check(reader.CommitMessages(ctx, r))
	}
}

func seek(ctx context.Context, reader *kafka.Reader, from string) {
	millis, byTime := strings.CutPrefix(from, "@")
	n, err := strconv.ParseInt(millis, 10, 64)
	check(err)
	if byTime {
		check(reader.SetOffsetAt(ctx, time.UnixMilli(n)))
	} else {
		check(reader.SetOffset(n))
	}
}

func show(r kafka.Message) {
	fmt.Printf("%d\t%d\t%s\t%s\n", r.Offset, r.Time.UnixMilli(), orNull(r.Key), orNull(r.Value))
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
