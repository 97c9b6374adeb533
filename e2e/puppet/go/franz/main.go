// Command franz is franz-go as a puppet: puppet.go tells the commands.
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
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"
)

func main() {
	if len(os.Args) != 9 {
		log.Fatal("puppet.go tells the arguments")
	}
	p := &puppet{topic: os.Args[4], group: os.Args[5]}
	session, err := strconv.Atoi(os.Args[8])
	if err != nil {
		log.Fatal(err)
	}
	reset := map[string]kgo.Offset{"earliest": kgo.NewOffset().AtStart(), "latest": kgo.NewOffset().AtEnd(), "none": kgo.NoResetOffset()}
	p.options = []kgo.Opt{
		kgo.SeedBrokers(os.Args[1]), kgo.SASL(plain.Auth{User: os.Args[2], Pass: os.Args[3]}.AsMechanism()),
		kgo.ClientID(os.Args[7]), kgo.ConsumeResetOffset(reset[os.Args[6]]),
	}
	p.member = []kgo.Opt{
		kgo.ConsumerGroup(p.group), kgo.ConsumeTopics(p.topic), kgo.DisableAutoCommit(),
		kgo.SessionTimeout(time.Duration(session) * time.Millisecond), kgo.HeartbeatInterval(time.Duration(session) * time.Millisecond / 6),
	}
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

type puppet struct {
	topic, group    string
	options, member []kgo.Opt
	client          *kgo.Client
	subscribed      bool
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
		p.subscribed = true
		return p.start(p.member...)
	case "assign":
		offset := kgo.NewOffset().At(n)
		if len(words) == 1 { // without a group the client knows no checkpoint
			var err error
			if offset, err = p.checkpoint(); err != nil {
				return err
			}
		}
		return p.start(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{p.topic: {0: offset}}))
	case "poll":
		limit, err := strconv.Atoi(words[2])
		if err != nil {
			return err
		}
		return p.poll(out, time.Duration(n)*time.Millisecond, limit)
	case "seek":
		p.client.SetOffsets(map[string]map[int32]kgo.EpochOffset{p.topic: {0: {Epoch: -1, Offset: n}}})
	case "commit":
		return p.commit(n, words[2])
	case "close":
		if p.client != nil {
			p.client.Close()
		}
	default:
		return errors.New("no such command")
	}
	return nil
}

func (p *puppet) start(options ...kgo.Opt) (err error) {
	p.client, err = kgo.NewClient(append(options, p.options...)...)
	return err
}

// checkpoint asks for the group's, with a client that does nothing else.
func (p *puppet) checkpoint() (kgo.Offset, error) {
	client, err := kgo.NewClient(p.options...)
	if err != nil {
		return kgo.Offset{}, err
	}
	defer client.Close()
	req := kmsg.NewPtrOffsetFetchRequest()
	topic := kmsg.NewOffsetFetchRequestGroupTopic()
	topic.Topic, topic.Partitions = p.topic, []int32{0}
	if topic.TopicID, err = p.topicID(client); err != nil {
		return kgo.Offset{}, err
	}
	group := kmsg.NewOffsetFetchRequestGroup()
	group.Group, group.Topics = p.group, append(group.Topics, topic)
	req.Groups = append(req.Groups, group)
	resp, err := req.RequestWith(context.Background(), client)
	if err != nil {
		return kgo.Offset{}, err
	}
	if offset := resp.Groups[0].Topics[0].Partitions[0].Offset; offset >= 0 {
		return kgo.NewOffset().At(offset), nil
	}
	return kgo.NewOffset().AtStart(), nil
}

// topicID is what the newest versions name a topic by.
func (p *puppet) topicID(client *kgo.Client) ([16]byte, error) {
	req := kmsg.NewPtrMetadataRequest()
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = &p.topic
	req.Topics = append(req.Topics, topic)
	resp, err := req.RequestWith(context.Background(), client)
	if err != nil {
		return [16]byte{}, err
	}
	return resp.Topics[0].TopicID, kerr.ErrorForCode(resp.Topics[0].ErrorCode)
}

func (p *puppet) poll(out *bufio.Writer, wait time.Duration, limit int) error {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	fetches := p.client.PollRecords(ctx, limit)
	fetches.EachRecord(func(r *kgo.Record) {
		fmt.Fprintf(out, "record\t%d\t%s\t%s\n", r.Offset, orNull(r.Key), orNull(r.Value))
	})
	if err := fetches.Err(); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// commit commits as a member, or, without being one, as admin tools do.
func (p *puppet) commit(offset int64, metadata string) (err error) {
	ctx := context.Background()
	if p.subscribed {
		ctx = kgo.PreCommitFnContext(ctx, func(req *kmsg.OffsetCommitRequest) error {
			req.Topics[0].Partitions[0].Metadata = &metadata
			return nil
		})
		offsets := map[string]map[int32]kgo.EpochOffset{p.topic: {0: {Epoch: -1, Offset: offset}}}
		p.client.CommitOffsetsSync(ctx, offsets, func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, resp *kmsg.OffsetCommitResponse, failed error) {
			err = committed(resp, failed)
		})
		return err
	}
	if p.client == nil {
		if err := p.start(); err != nil {
			return err
		}
	}
	topic, partition := kmsg.NewOffsetCommitRequestTopic(), kmsg.NewOffsetCommitRequestTopicPartition()
	partition.Offset, partition.Metadata = offset, &metadata
	topic.Topic, topic.Partitions = p.topic, append(topic.Partitions, partition)
	if topic.TopicID, err = p.topicID(p.client); err != nil {
		return err
	}
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.Topics = p.group, append(req.Topics, topic)
	return committed(req.RequestWith(ctx, p.client))
}

func committed(resp *kmsg.OffsetCommitResponse, err error) error {
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.Topics[0].Partitions[0].ErrorCode)
}

func orNull(b []byte) []byte {
	if b == nil {
		return []byte("NULL")
	}
	return b
}
