// Command franz processes the records of a Daybook task with franz-go, each at
// least once, until SIGINT or SIGTERM.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	options, err := settings()
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return err
	}
	defer client.Close() // leaves the group
	// Reading retries for ever; this tells what is wrong with the address or the login.
	if err := client.Ping(ctx); err != nil {
		return err
	}
	for {
		fetches := client.PollFetches(ctx)
		fetches.EachRecord(process)
		// Without ctx: what was processed is committed, also when the program ends.
		if err := client.CommitUncommittedOffsets(context.WithoutCancel(ctx)); err != nil {
			log.Print("another member has taken over, from the last checkpoint: ", err)
		}
		if err := fetches.Err(); errors.Is(err, context.Canceled) {
			return nil
		} else if err != nil {
			return err // those that pass are retried inside
		}
	}
}

// process is your code. Records can come twice, after a crash or a takeover; a
// tombstone's value is nil.
func process(r *kgo.Record) {
	fmt.Printf("%d\t%s\t%s\n", r.Offset, r.Key, r.Value)
}

func settings() ([]kgo.Opt, error) {
	username, password := os.Getenv("ACCOUNT")+"-"+os.Getenv("GROUP"), os.Getenv("PASSWORD")
	options := []kgo.Opt{
		kgo.SeedBrokers(os.Getenv("BROKERS")),
		kgo.ConsumerGroup(os.Getenv("GROUP")),
		kgo.ConsumeTopics(os.Getenv("TOPIC")),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
	}
	file, ok := os.LookupEnv("CA")
	if !ok {
		return append(options, kgo.SASL(plain.Auth{User: username, Pass: password}.AsMechanism())), nil
	}
	ca, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return append(options, kgo.DialTLSConfig(&tls.Config{RootCAs: pool}),
		kgo.SASL(scram.Auth{User: username, Pass: password}.AsSha512Mechanism())), nil
}
