// Command sarama processes the records of a Daybook task with sarama, each at
// least once, until SIGINT or SIGTERM.
package main

import (
	"context"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/IBM/sarama"
	"github.com/xdg-go/scram"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	config, err := settings()
	if err != nil {
		return err
	}
	group, err := sarama.NewConsumerGroup(strings.Split(os.Getenv("BROKERS"), ","), os.Getenv("GROUP"), config)
	if err != nil {
		return err
	}
	defer group.Close() // leaves the group
	for ctx.Err() == nil {
		// It returns at each rebalance, and is to be called again.
		if err := group.Consume(ctx, []string{os.Getenv("TOPIC")}, handler{}); err != nil && !errors.Is(err, context.Canceled) {
			return err // those that pass are retried inside
		}
	}
	return nil
}

type handler struct{}

var _ sarama.ConsumerGroupHandler = handler{}

func (handler) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (handler) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (handler) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case r, ok := <-claim.Messages():
			if !ok {
				return nil
			}
			process(r)
			session.MarkMessage(r, "") // marked ones are committed every second, and at the end
		case <-session.Context().Done():
			return nil
		}
	}
}

// process is your code. Records can come twice, after a crash or a takeover; a
// tombstone's value is nil.
func process(r *sarama.ConsumerMessage) {
	fmt.Printf("%d\t%s\t%s\n", r.Offset, r.Key, r.Value)
}

func settings() (*sarama.Config, error) {
	config := sarama.NewConfig()
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Net.SASL.Enable = true
	config.Net.SASL.User = os.Getenv("ACCOUNT") + "-" + os.Getenv("GROUP")
	config.Net.SASL.Password = os.Getenv("PASSWORD")
	file, ok := os.LookupEnv("CA")
	if !ok {
		return config, nil
	}
	ca, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	config.Net.TLS.Enable, config.Net.TLS.Config = true, &tls.Config{RootCAs: pool}
	config.Net.SASL.Mechanism = sarama.SASLTypeSCRAMSHA512
	config.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &scramClient{} }
	return config, nil
}

// scramClient lets sarama use xdg-go/scram: it has no SCRAM of its own.
type scramClient struct{ *scram.ClientConversation }

func (c *scramClient) Begin(username, password, authzID string) error {
	client, err := scram.HashGeneratorFcn(sha512.New).NewClient(username, password, authzID)
	if err != nil {
		return err
	}
	c.ClientConversation = client.NewConversation()
	return nil
}
