//go:build servers

package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/e2e/harness"
	"daybook/e2e/oracle"
)

// way is how a Daybook meets the change.
type way string

const (
	connected way = "connected"
	cutOff    way = "cut off"
	offline   way = "Daybook stopped"
)

var ways = []way{connected, cutOff, offline}

// verdict is what a cell must come to.
type verdict string

const (
	exact   verdict = "goes on, exactly"
	stopped verdict = "Error"
	either  verdict = "goes on, exactly, or Error"
)

// observer is one Daybook, which reaches the source through a proxy.
type observer struct {
	way     way
	daybook *harness.Daybook
	proxy   *harness.Proxy
	client  *kgo.Client
	away    bool
	logged  int // bytes of the process's log before join
}

func newObserver(t *testing.T, w way, source string) *observer {
	proxy := harness.NewProxy(t, source)
	d := harness.Start(t, harness.Config{
		Source: proxy.Address(), Include: []string{database + ".*"}, SchemaChanges: "none",
	})
	return &observer{way: w, daybook: d, proxy: proxy, client: d.Client()}
}

func (o *observer) part(t *testing.T) {
	switch o.way {
	case cutOff:
		o.proxy.Close()
		o.away = true
	case offline:
		if code := o.daybook.Stop(); code != 0 {
			t.Fatalf("SIGTERM ended with exit code %d", code)
		}
		o.away = true
	}
	o.logged = len(o.daybook.Log())
}

func (o *observer) join() {
	switch o.way {
	case cutOff:
		o.proxy.Open()
	case offline:
		o.proxy.Open()
		o.daybook.Start()
	}
	o.away = false
}

// high asks for the log's end.
func (o *observer) high() (int64, error) {
	req := kmsg.NewPtrListOffsetsRequest()
	topic, partition := kmsg.NewListOffsetsRequestTopic(), kmsg.NewListOffsetsRequestTopicPartition()
	topic.Topic, partition.Timestamp = harness.Topic, -1
	topic.Partitions = append(topic.Partitions, partition)
	req.Topics = append(req.Topics, topic)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	resp, err := req.RequestWith(ctx, o.client)
	if err != nil {
		return 0, err
	}
	if code := resp.Topics[0].Partitions[0].ErrorCode; code != 0 {
		return 0, fmt.Errorf("ListOffsets: error code %d", code)
	}
	return resp.Topics[0].Partitions[0].Offset, nil
}

// wait waits until the log has n records.
func (o *observer) wait(n int, limit time.Duration) error {
	for deadline := time.Now().Add(limit); ; time.Sleep(30 * time.Millisecond) {
		high, err := o.high()
		if err == nil && high >= int64(n) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the log has %d of %d records (%v); the last lines are\n%s", high, n, err, o.tail())
		}
	}
}

// stoppedLine is how the binary says that a task is in Error; a lost connection
// is none.
var stoppedLine = regexp.MustCompile(`(?m)^.*level=ERROR msg="task stopped.*$`)

// stops waits for an Error since the source was changed, that has one of the words.
func (o *observer) stops(names string, limit time.Duration) error {
	word := regexp.MustCompile("(?i)" + names)
	for deadline := time.Now().Add(limit); ; time.Sleep(30 * time.Millisecond) {
		lines := stoppedLine.FindAllString(o.daybook.Log()[o.logged:], -1)
		for _, line := range lines {
			if word.MatchString(line) {
				return nil
			}
		}
		if time.Now().After(deadline) && len(lines) > 0 {
			return fmt.Errorf("no message matches %q, but there is\n%s", names, lines[len(lines)-1])
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the task is not in Error; the last lines are\n%s", o.tail())
		}
	}
}

// check compares the outcome with what is wanted.
func (o *observer) check(t *testing.T, want verdict, names string, written []string, limit time.Duration) {
	t.Helper()
	switch want {
	case exact:
		if err := o.wait(len(written), limit); err != nil {
			t.Error(err)
		}
	case stopped:
		if err := o.stops(names, limit); err != nil {
			t.Error(err)
		}
	case either:
		for deadline := time.Now().Add(limit); ; {
			if o.stops(names, 0) == nil || o.wait(len(written), 0) == nil {
				break
			}
			if time.Now().After(deadline) {
				t.Errorf("neither all rows nor an Error: %v", o.wait(len(written), 0))
				break
			}
			time.Sleep(30 * time.Millisecond)
		}
	}
	o.compare(t, written)
}

// compare checks that the log has the first of the rows, once and in order. That
// there are all of them is the caller's to know.
func (o *observer) compare(t *testing.T, written []string) {
	t.Helper()
	i := 0
	for record := range oracle.Records(t, o.daybook, -1) {
		got, err := rowOf(record.Value)
		if err != nil {
			t.Fatalf("record %d: %v: %s", record.Offset, err, record.Value)
		}
		if got == "" {
			continue
		}
		if i >= len(written) || got != written[i] {
			t.Errorf("record %d is %q, after %d rows; written were\n%s", record.Offset, got, i, strings.Join(written, "\n"))
			return
		}
		i++
	}
	t.Logf("%d of %d rows are in the log", i, len(written))
}

// rowOf returns "id v" of an inserted row, nothing for what is no row.
func rowOf(value []byte) (string, error) {
	var e struct {
		Op    string
		After *struct {
			ID int
			V  string
		}
	}
	if err := json.Unmarshal(value, &e); err != nil {
		return "", err
	}
	if e.Op == "" || e.Op == "gap" {
		return "", nil
	}
	if e.Op != "c" || e.After == nil {
		return "", fmt.Errorf("the test only inserts")
	}
	return fmt.Sprint(e.After.ID, " ", e.After.V), nil
}

func (o *observer) tail() string {
	lines := strings.Split(strings.TrimSpace(o.daybook.Log()), "\n")
	return strings.Join(lines[max(0, len(lines)-8):], "\n")
}
