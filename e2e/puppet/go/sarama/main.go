// Command sarama is sarama as a puppet, at the protocol of the Kafka release
// that KAFKA_VERSION names: puppet.go tells the commands.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

func main() {
	if len(os.Args) != 9 {
		log.Fatal("puppet.go tells the arguments")
	}
	client, err := sarama.NewClient([]string{os.Args[1]}, config())
	check(err)
	p := &puppet{topic: os.Args[4], group: os.Args[5], client: client,
		records: make(chan delivery), failures: make(chan error, 64), again: make(chan struct{}), polled: make(chan struct{})}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	out := bufio.NewWriter(os.Stdout)
	for in.Scan() {
		words := strings.Split(in.Text(), "\t")
		if err := p.run(out, words); err != nil {
			fmt.Fprintf(out, "error\t%s\n", strings.ReplaceAll(err.Error(), "\n", " "))
		} else {
			fmt.Fprintln(out, "ok")
		}
		out.Flush()
		if words[0] == "close" {
			return
		}
	}
}

func config() *sarama.Config {
	c := sarama.NewConfig()
	c.Version = sarama.MaxVersion
	if v := os.Getenv("KAFKA_VERSION"); v != "" {
		var err error
		c.Version, err = sarama.ParseKafkaVersion(v)
		check(err)
	}
	c.Net.SASL.Enable = true
	c.Net.SASL.User, c.Net.SASL.Password = os.Args[2], os.Args[3]
	if !c.Version.IsAtLeast(sarama.V1_0_0_0) {
		c.Net.SASL.Version, c.ApiVersionsRequest = sarama.SASLHandshakeV0, false
	}
	session, err := strconv.Atoi(os.Args[8])
	check(err)
	c.ClientID = os.Args[7]
	c.Consumer.Group.Session.Timeout = time.Duration(session) * time.Millisecond
	c.Consumer.Group.Heartbeat.Interval = c.Consumer.Group.Session.Timeout / 6
	c.Consumer.Offsets.AutoCommit.Enable = false
	c.Consumer.Return.Errors = true
	// "latest" is where it begins, and what it turns to below the log's start; there is no "none" to begin with.
	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	if os.Args[6] == "latest" {
		c.Consumer.Offsets.Initial = sarama.OffsetNewest
	}
	c.Consumer.Group.ResetInvalidOffsets = os.Args[6] != "none"
	return c
}

type puppet struct {
	topic, group string
	client       sarama.Client
	records      chan delivery
	failures     chan error

	// of a member
	members sarama.ConsumerGroup
	session sarama.ConsumerGroupSession // that of the record polled last
	again   chan struct{}
	mu      sync.Mutex
	polled  chan struct{} // closed when the next poll begins

	// of a consumer with an assigned partition
	consumer  sarama.Consumer
	partition sarama.PartitionConsumer
	stop      chan struct{} // ends the handing over of records
	ended     chan struct{}
	offsets   sarama.OffsetManager
	managed   sarama.PartitionOffsetManager
}

// delivery is one record, and the session it came in, if there is one.
type delivery struct {
	record  *sarama.ConsumerMessage
	session sarama.ConsumerGroupSession
}

func (p *puppet) run(out *bufio.Writer, words []string) error {
	var n int64
	if len(words) > 1 {
		var err error
		if n, err = strconv.ParseInt(words[1], 10, 64); err != nil {
			return err
		}
	}
	switch words[0] {
	case "subscribe":
		return p.subscribe()
	case "assign":
		return p.assign(n, len(words) == 1)
	case "poll":
		limit, err := strconv.Atoi(words[2])
		if err != nil {
			return err
		}
		p.beginPoll()
		return p.poll(out, time.Duration(n)*time.Millisecond, limit)
	case "seek":
		return p.seek(n)
	case "commit":
		return p.commit(n, words[2])
	case "close":
		return p.close()
	}
	return errors.New("no such command")
}

func (p *puppet) subscribe() (err error) {
	if p.members, err = sarama.NewConsumerGroupFromClient(p.group, p.client); err != nil {
		return err
	}
	go func() {
		for err := range p.members.Errors() {
			p.failed(err)
		}
	}()
	go func() {
		for !errors.Is(err, sarama.ErrClosedConsumerGroup) { // Consume returns at each rebalance
			if err = p.members.Consume(context.Background(), []string{p.topic}, p); err != nil {
				p.failed(err)
				time.Sleep(100 * time.Millisecond) // the broker may be away
			}
		}
	}()
	return nil
}

// failed keeps the newest failures.
func (p *puppet) failed(err error) {
	for {
		select {
		case p.failures <- err:
			return
		default:
		}
		select {
		case <-p.failures:
		default:
		}
	}
}

// Setup, Cleanup and ConsumeClaim are sarama.ConsumerGroupHandler's.
func (*puppet) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (*puppet) Cleanup(sarama.ConsumerGroupSession) error { return nil }

// ConsumeClaim returns, and so lets sarama join the next generation, only when
// what was handed over is processed: when the next poll begins.
func (p *puppet) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	var processed <-chan struct{} // nil until a record was handed over
	for r := range claim.Messages() {
		select {
		case p.records <- delivery{r, session}:
			processed = p.nextPoll()
			continue
		case <-p.again:
			return nil
		case <-session.Context().Done():
		}
		break
	}
	if processed != nil {
		select {
		case <-processed:
		case <-p.again:
		}
	}
	return nil
}

// nextPoll returns a channel that is closed when the next poll begins.
func (p *puppet) nextPoll() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.polled
}

// beginPoll tells those who wait that a poll begins.
func (p *puppet) beginPoll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.polled)
	p.polled = make(chan struct{})
}

func (p *puppet) assign(offset int64, fromCheckpoint bool) (err error) {
	if p.consumer, err = sarama.NewConsumerFromClient(p.client); err != nil {
		return err
	}
	if err := p.manage(); err != nil {
		return err
	}
	if fromCheckpoint {
		offset, _ = p.managed.NextOffset()
	}
	return p.consume(offset)
}

// manage begins to keep the checkpoint of one who is no member.
func (p *puppet) manage() (err error) {
	if p.offsets, err = sarama.NewOffsetManagerFromClient(p.group, p.client); err != nil {
		return err
	}
	if p.managed, err = p.offsets.ManagePartition(p.topic, 0); err != nil {
		return err
	}
	go func() {
		for err := range p.managed.Errors() {
			p.failed(err)
		}
	}()
	return nil
}

func (p *puppet) consume(offset int64) (err error) {
	if p.partition, err = p.consumer.ConsumePartition(p.topic, 0, offset); err != nil {
		return err
	}
	partition, stop, ended := p.partition, make(chan struct{}), make(chan struct{})
	p.stop, p.ended = stop, ended
	go func() {
		for err := range partition.Errors() {
			p.failed(err)
		}
	}()
	go func() {
		defer close(ended) // the partition is free then
		for r := range partition.Messages() {
			select {
			case p.records <- delivery{r, nil}:
			case <-stop:
			}
		}
	}()
	return nil
}

// poll waits for the first record; what has come with it follows at once.
func (p *puppet) poll(out *bufio.Writer, wait time.Duration, limit int) error {
	end := time.After(wait)
	for n := 0; n < limit; n++ {
		select {
		case d := <-p.records:
			p.session = d.session
			fmt.Fprintf(out, "record\t%d\t%s\t%s\n", d.record.Offset, orNull(d.record.Key), orNull(d.record.Value))
			if n == 0 {
				end = time.After(10 * time.Millisecond)
			}
		case <-end:
			if n > 0 {
				return nil
			}
			select {
			case err := <-p.failures:
				return err
			default:
				return nil
			}
		}
	}
	return nil
}

// seek of a member goes by the checkpoint: sarama has no other way.
func (p *puppet) seek(offset int64) error {
	if p.members != nil {
		if err := p.commit(offset, ""); err != nil {
			return err
		}
		p.again <- struct{}{}
		return nil
	}
	close(p.stop)
	p.partition.AsyncClose()
	<-p.ended
	return p.consume(offset)
}

// commit marks in both directions: one of the two does nothing.
func (p *puppet) commit(offset int64, metadata string) error {
	for len(p.failures) > 0 {
		<-p.failures
	}
	if p.members == nil && p.managed == nil {
		if err := p.manage(); err != nil {
			return err
		}
	}
	switch {
	case p.managed != nil:
		p.managed.MarkOffset(offset, metadata)
		p.managed.ResetOffset(offset, metadata)
		p.offsets.Commit()
	case p.session != nil:
		p.session.MarkOffset(p.topic, 0, offset, metadata)
		p.session.ResetOffset(p.topic, 0, offset, metadata)
		p.session.Commit()
	default:
		return errors.New("no session yet")
	}
	return p.confirm(offset)
}

// confirm looks whether a commit has come through, which Commit does not tell.
func (p *puppet) confirm(offset int64) error {
	coordinator, err := p.client.Coordinator(p.group)
	if err != nil {
		return err
	}
	req := &sarama.OffsetFetchRequest{Version: 1, ConsumerGroup: p.group}
	req.AddPartition(p.topic, 0)
	resp, err := coordinator.FetchOffset(req)
	if err != nil {
		return err
	}
	if block := resp.GetBlock(p.topic, 0); block != nil && block.Offset == offset {
		return nil
	}
	select {
	case err := <-p.failures:
		return err
	case <-time.After(5 * time.Second):
		return errors.New("the commit has not come through")
	}
}

func (p *puppet) close() error {
	if p.members != nil {
		p.beginPoll()
		return p.members.Close()
	}
	return p.client.Close()
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
