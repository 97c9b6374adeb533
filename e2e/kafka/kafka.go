// Package kafka runs a real Apache Kafka broker beside Daybook, filled with the
// very records that Daybook serves, so that tests can hold the answers of the
// two against each other.
//
// The main type is [Broker]. It listens with SASL/PLAIN and knows the users that
// it is told; as in Daybook, each may read one topic and use one group. Every
// function fails the test with what went wrong; a Broker ends with its test. The
// tests of this package are the comparison itself: side_test.go says how it is
// done, differences_test.go lists what differs, and why.
package kafka

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"

	"daybook/e2e/harness"
)

// The superuser, whose password is its name.
const superuser = "admin"

// patience is for a JVM on a busy machine, and the first download of the jars.
const patience = 5 * time.Minute

// NoTopics are topics that do not exist and that all may read, so that it is
// their absence that is told.
var NoTopics = []string{"absent", "a/b"}

// Config says what the broker serves.
type Config struct {
	Release   string // of Apache Kafka
	ClusterID string
	Users     []User
	Topics    []string // with one partition each
}

// User may read the topic and use the group.
type User struct {
	Name, Password string
	Topic, Group   string
	Cluster        bool // may see the cluster, which shows all groups
}

// Broker is a running Kafka broker.
type Broker struct {
	t    *testing.T
	addr string

	mu  sync.Mutex
	log bytes.Buffer
}

// The releases of Apache Kafka that Daybook is put beside.
const (
	Release = "3.9.1"
	Newest  = "4.3.1"
)

// Beside runs a broker of a release with Daybook's cluster ID and Daybook's records. Its
// users are those of the groups of [harness.Account], as in Daybook, of which
// that of [harness.Group] sees the cluster; further topics are empty.
func Beside(t *testing.T, release string, d *harness.Daybook, groups []string, topics ...string) *Broker {
	t.Helper()
	metadata, err := kmsg.NewPtrMetadataRequest().RequestWith(t.Context(), d.Client())
	if err != nil {
		t.Fatalf("ask Daybook for its cluster ID: %v", err)
	}
	c := Config{Release: release, ClusterID: *metadata.ClusterID, Topics: append(topics, harness.Topic)}
	for _, g := range groups {
		c.Users = append(c.Users, User{harness.Account + "-" + g, harness.Password, harness.Topic, g, g == harness.Group})
	}
	b := Start(t, c)
	b.Fill(d)
	return b
}

// Start runs a broker and waits until it answers.
func Start(t *testing.T, c Config) *Broker {
	t.Helper()
	b := &Broker{t: t, addr: harness.FreeAddress(t)}
	_, file, _, _ := runtime.Caller(0)
	script := filepath.Join(filepath.Dir(file), "../../scripts/kafka.sh")
	cmd := exec.Command(script, "broker", c.Release, t.TempDir(), c.ClusterID, b.addr,
		"authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"super.users=User:"+superuser+";User:ANONYMOUS",
		"listener.name.clients.plain.sasl.jaas.config="+jaas(c.Users))
	cmd.Stdout, cmd.Stderr = b, b
	// It must not outlive a test binary that is killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // whatever ends it before the test does is seen by the requests
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended already
		<-ended
		if t.Failed() {
			t.Logf("Kafka's log:\n%s", b.output())
		}
	})
	b.await(ended)
	b.createTopics(c.Topics)
	b.allow(c.Users)
	return b
}

func jaas(users []User) string {
	var s strings.Builder
	fmt.Fprintf(&s, "org.apache.kafka.common.security.plain.PlainLoginModule required username=%[1]q password=%[1]q user_%[1]s=%[1]q", superuser)
	for _, u := range users {
		fmt.Fprintf(&s, " user_%s=%q", u.Name, u.Password)
	}
	return s.String() + ";"
}

// Write collects the broker's output. It implements io.Writer.
func (b *Broker) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.Write(p)
}

func (b *Broker) output() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.log.String()
}

// Address returns the listener's host:port.
func (b *Broker) Address() string { return b.addr }

// Client returns a franz-go client of the superuser, closed with the test.
func (b *Broker) Client(opts ...kgo.Opt) *kgo.Client {
	b.t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(b.addr),
		kgo.SASL(plain.Auth{User: superuser, Pass: superuser}.AsMechanism()),
	}, opts...)...)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(c.Close)
	return c
}

// await waits until the broker knows its controller.
func (b *Broker) await(ended <-chan struct{}) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	c := b.Client(kgo.RetryTimeout(time.Second))
	for {
		resp, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, c)
		if err == nil && resp.ControllerID >= 0 {
			return
		}
		select {
		case <-ended:
			b.t.Fatal("Kafka ended while it started")
		case <-ctx.Done():
			b.t.Fatalf("Kafka does not answer: %v", err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func (b *Broker) createTopics(names []string) {
	b.t.Helper()
	req := kmsg.NewPtrCreateTopicsRequest()
	for _, name := range names {
		topic := kmsg.NewCreateTopicsRequestTopic()
		topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, 1, 1
		req.Topics = append(req.Topics, topic)
	}
	resp, err := req.RequestWith(b.t.Context(), b.Client())
	if err != nil {
		b.t.Fatalf("create topics: %v", err)
	}
	for _, topic := range resp.Topics {
		if topic.ErrorCode != 0 {
			b.t.Fatalf("create topic %s: error %d", topic.Topic, topic.ErrorCode)
		}
	}
}

func (b *Broker) allow(users []User) {
	b.t.Helper()
	req := kmsg.NewPtrCreateACLsRequest()
	rule := func(principal string, kind kmsg.ACLResourceType, name string, operations ...kmsg.ACLOperation) {
		for _, operation := range operations {
			c := kmsg.NewCreateACLsRequestCreation()
			c.Principal, c.Host, c.PermissionType = "User:"+principal, "*", kmsg.ACLPermissionTypeAllow
			c.ResourceType, c.ResourceName, c.ResourcePatternType = kind, name, kmsg.ACLResourcePatternTypeLiteral
			c.Operation = operation
			req.Creations = append(req.Creations, c)
		}
	}
	for _, name := range NoTopics {
		rule("*", kmsg.ACLResourceTypeTopic, name, kmsg.ACLOperationRead, kmsg.ACLOperationDescribeConfigs)
	}
	for _, u := range users {
		if u.Cluster {
			rule(u.Name, kmsg.ACLResourceTypeCluster, "kafka-cluster", kmsg.ACLOperationDescribe, kmsg.ACLOperationDescribeConfigs)
		}
		rule(u.Name, kmsg.ACLResourceTypeTopic, u.Topic, kmsg.ACLOperationRead, kmsg.ACLOperationDescribeConfigs)
		rule(u.Name, kmsg.ACLResourceTypeGroup, u.Group, kmsg.ACLOperationRead, kmsg.ACLOperationDelete, kmsg.ACLOperationDescribeConfigs)
	}
	resp, err := req.RequestWith(b.t.Context(), b.Client())
	if err != nil {
		b.t.Fatalf("create ACLs: %v", err)
	}
	for _, r := range resp.Results {
		if r.ErrorCode != 0 {
			b.t.Fatalf("create ACLs: error %d", r.ErrorCode)
		}
	}
}
