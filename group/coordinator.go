// Package group coordinates consumer groups as Kafka's classic group protocol
// does: members join and leave, each rebalance makes a new generation, the
// members' elected leader gives the partition to one of them, and a group's
// checkpoint (its committed offset) is kept in the store. One connection of a
// group at a time may read the partition, whatever protocol its consumers use.
//
// The main types are [Coordinator], and [Reader], a connection that reads. The
// Coordinator speaks kmsg structs, a request in and a response out; the request's Version decides the behaviour, and sockets,
// framing and the question who may use which group are the broker's.
//
// Guarantees:
//   - A checkpoint is synced to the store before its commit is answered, and
//     survives a crash.
//   - One Reader of a group at most is Active at any instant. If it ends, or is
//     silent for [Options].ReaderTimeout, another one that waits is.
//   - A commit is taken only from a member of the current generation, or, while
//     the group has no members, from anybody but a standby. Commits reach the store in the
//     order in which they were accepted, and OffsetFetch waits for those
//     accepted before it, so no commit of an older generation shows up after
//     the next generation has read the checkpoint.
//   - A group's generation only grows, across restarts too.
//   - What a group keeps in memory is bounded by [Options].
//
// Every method of the Coordinator may be called from any goroutine, those of a
// Reader by the goroutine that opened it. JoinGroup and SyncGroup block
// until the rebalance ends or their context is done. A request and its byte
// slices may be reused once the method has returned.
package group

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"golang.org/x/sync/errgroup"

	"daybook/store"
)

// ErrClosed is why nothing can be saved once the Coordinator is closed.
var ErrClosed = errors.New("group coordinator is closed")

// Options configures a Coordinator. Store is required; a zero value of another
// field means its default.
type Options struct {
	Store  *store.Store
	Logger *slog.Logger // default: discards

	// MinSession and MaxSession bound the session timeout that a member may ask
	// for. Defaults 6 s and 30 min, as Kafka's.
	MinSession, MaxSession time.Duration

	// InitialRebalanceDelay is how long the first rebalance of an empty group
	// waits for more members. The default is none: a topic has one partition,
	// so all that a second rebalance moves is that one, and a lone consumer,
	// the usual case, starts at once.
	InitialRebalanceDelay time.Duration

	// Retention is how long a group stays that has no members and is not
	// committed to; then it is deleted with its checkpoints. Default 7 days, as
	// Kafka's offsets.retention.minutes.
	Retention time.Duration

	// ReaderTimeout is after how long without a Fetch a reader has lost its turn
	// to one that waits. Default 10 s: consumers fetch several times a second,
	// and those that process what they got for longer than their group's session
	// lasts (10 s by default up to Kafka 2.8) should join it, to be known by
	// their heartbeats.
	ReaderTimeout time.Duration

	// MaxMembers is how many members a group may have, default 256. Member IDs
	// handed out but not yet used count too.
	MaxMembers int

	// MaxMemberBytes bounds the protocol metadata that a member may send and
	// the assignment it may be given, default 64 KiB each.
	MaxMemberBytes int
}

// Client tells who sent a request.
type Client struct {
	ID      string // client.id
	Host    string // the remote IP address, in the form in which DescribeGroups shows it
	Address string // the remote IP address and port: one connection
}

func (c Client) clone() Client {
	return Client{strings.Clone(c.ID), strings.Clone(c.Host), strings.Clone(c.Address)}
}

// Coordinator is the coordinator of all groups.
type Coordinator struct {
	opts  Options
	log   *slog.Logger
	saver *saver
	tasks errgroup.Group
	stop  context.CancelFunc // ends sweep

	mu     sync.Mutex // after a group's mu: never lock that one while holding this
	groups map[string]*group
	closed bool
}

// New returns a Coordinator that does nothing until it is opened.
func New(o Options) *Coordinator {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.MinSession == 0 {
		o.MinSession = 6 * time.Second
	}
	if o.MaxSession == 0 {
		o.MaxSession = 30 * time.Minute
	}
	if o.Retention == 0 {
		o.Retention = 7 * 24 * time.Hour
	}
	if o.ReaderTimeout == 0 {
		o.ReaderTimeout = 10 * time.Second
	}
	if o.MaxMembers == 0 {
		o.MaxMembers = 256
	}
	if o.MaxMemberBytes == 0 {
		o.MaxMemberBytes = 64 << 10
	}
	return &Coordinator{opts: o, log: o.Logger, groups: make(map[string]*group)}
}

// Open loads the groups and their checkpoints from the store, which must be
// open, and begins to save.
func (c *Coordinator) Open(ctx context.Context) error {
	table := c.opts.Store.Table(tableName)
	if err := c.load(ctx, table); err != nil {
		return fmt.Errorf("load groups: %w", err)
	}
	c.saver = newSaver(table, c.log)
	c.tasks.Go(func() error {
		c.saver.run()
		return nil
	})
	for _, g := range c.all() {
		g.countLost(time.Now())
	}
	// Not ctx: like the saver, it lives until Close.
	ctx, c.stop = context.WithCancel(context.WithoutCancel(ctx))
	c.tasks.Go(func() error {
		c.sweep(ctx)
		return nil
	})
	return nil
}

// Close answers everybody who waits with COORDINATOR_NOT_AVAILABLE, saves what
// was accepted, and returns when nothing of the Coordinator runs any more.
func (c *Coordinator) Close() error {
	c.mu.Lock()
	c.closed = true
	groups := make([]*group, 0, len(c.groups))
	for _, g := range c.groups {
		groups = append(groups, g)
	}
	c.mu.Unlock()
	for _, g := range groups {
		g.close()
	}
	if c.saver != nil {
		c.stop()
		c.saver.close()
	}
	return c.tasks.Wait()
}

// lookup returns the group, and makes it if create is set. It returns nil for
// a group that is not there, or when the Coordinator is closed.
func (c *Coordinator) lookup(id string, create bool) *group {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.groups[id]
	if g == nil && create && !c.closed {
		g = newGroup(c, strings.Clone(id))
		c.groups[g.id] = g
	}
	return g
}

// forget removes a deleted group.
func (c *Coordinator) forget(g *group) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.groups[g.id] == g {
		delete(c.groups, g.id)
	}
}

// all returns the groups in the order of their IDs.
func (c *Coordinator) all() []*group {
	c.mu.Lock()
	defer c.mu.Unlock()
	groups := make([]*group, 0, len(c.groups))
	for _, g := range c.groups {
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b *group) int { return strings.Compare(a.id, b.id) })
	return groups
}

func (c *Coordinator) sessionInRange(d time.Duration) bool {
	return d >= c.opts.MinSession && d <= c.opts.MaxSession
}

// code returns the Kafka error code of e; 0 for nil.
func code(e *kerr.Error) int16 {
	if e == nil {
		return 0
	}
	return e.Code
}

func millis(n int32) time.Duration { return time.Duration(n) * time.Millisecond }
