// Command segmentio processes the records of a Daybook task with
// segmentio/kafka-go, each at least once, until SIGINT or SIGTERM.
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
	"strings"
	"syscall"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) (err error) {
	dialer, err := login()
	if err != nil {
		return err
	}
	// A Reader retries a wrong login for ever; this tells it.
	conn, err := dialer.DialContext(ctx, "tcp", strings.Split(os.Getenv("BROKERS"), ",")[0])
	if err != nil {
		return err
	}
	conn.Close()
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers:        strings.Split(os.Getenv("BROKERS"), ","),
		Dialer:         dialer,
		GroupID:        os.Getenv("GROUP"),
		Topic:          os.Getenv("TOPIC"),
		StartOffset:    kafka.FirstOffset,
		MaxWait:        500 * time.Millisecond,
		CommitInterval: time.Second,
		ErrorLogger:    kafka.LoggerFunc(log.Printf),
	})
	defer func() { err = errors.Join(err, reader.Close()) }() // commits the rest and leaves the group
	for {
		r, err := reader.FetchMessage(ctx)
		if errors.Is(err, context.Canceled) {
			return nil
		} else if err != nil {
			return err
		}
		process(r)
		// Only hands the offset over; it is committed within CommitInterval.
		if err := reader.CommitMessages(context.WithoutCancel(ctx), r); err != nil {
			return err
		}
	}
}

// process is your code. Records can come twice, after a crash or a takeover; a
// tombstone's value is nil.
func process(r kafka.Message) {
	fmt.Printf("%d\t%s\t%s\n", r.Offset, r.Key, r.Value)
}

func login() (*kafka.Dialer, error) {
	dialer := &kafka.Dialer{Timeout: 10 * time.Second}
	username, password := os.Getenv("ACCOUNT")+"-"+os.Getenv("GROUP"), os.Getenv("PASSWORD")
	file, ok := os.LookupEnv("CA")
	if !ok {
		dialer.SASLMechanism = plain.Mechanism{Username: username, Password: password}
		return dialer, nil
	}
	ca, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(ca) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	dialer.TLS = &tls.Config{RootCAs: pool}
	dialer.SASLMechanism, err = scram.Mechanism(scram.SHA512, username, password)
	return dialer, err
}
