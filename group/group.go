package group

import (
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/store"
)

// state is a group's state, with Kafka's name for it.
type state string

const (
	empty               state = "Empty"               // no members; it may have checkpoints
	preparingRebalance  state = "PreparingRebalance"  // waits for the members to join again
	completingRebalance state = "CompletingRebalance" // waits for the leader's assignment
	stable              state = "Stable"
	dead                state = "Dead" // being deleted, or the coordinator is closed
)

// group is one consumer group. Methods without a comment on locking are called
// with mu held; none of them does I/O.
type group struct {
	id   string
	c    *Coordinator
	opts *Options
	log  *slog.Logger

	mu           sync.Mutex
	state        state
	generation   int32
	protocolType string // "consumer", …; of the last members while the group is empty
	protocol     string // the one that the members' votes selected
	leader       string // member ID
	members      []*member
	static       map[string]*member // by instance ID
	pending      map[string]promise // member IDs given out with MEMBER_ID_REQUIRED
	emptySince   time.Time          // when the last member went; zero if there never was one
	hadMembers   bool               // the process ended while the group had members; until Open is done
	initial      bool               // PreparingRebalance waits for InitialRebalanceDelay
	topic        string             // whose partition the group reads; empty until somebody fetches
	lease        lease
	lastRead     time.Time // when there was an active reader last, but for the present one

	// phase ends the present state if the members do not: the join phase in
	// PreparingRebalance, the sync phase after it. phaseNumber tells a timer
	// that has been replaced while its function waited for mu.
	phase       *time.Timer
	phaseNumber int

	checkpoints map[partition]checkpoint // durable ones
	generationW *write                   // saves the present generation
	checkpointW *write                   // the newest change of checkpoints
}

// member is one member of a group.
type member struct {
	id               string
	instance         *string // group.instance.id of a static member
	client           Client
	session          time.Duration
	rebalanceTimeout time.Duration
	protocols        []kmsg.JoinGroupRequestProtocol // in the member's order of preference
	assignment       []byte
	synced           bool // sent SyncGroup in this generation
	left             bool // of its own will

	joinedAt        time.Time
	assignedAt      time.Time // when it was assigned the partition, if it is a claimant
	readerlessSince time.Time // a claimant: when a Fetch of its own was seen last
	hasRead         bool      // a connection was taken for its own,
	readsAs         string    // with this client.id

	join *waiter[joinAnswer] // the JoinGroup that waits, or nil
	sync *waiter[syncAnswer] // the SyncGroup that waits, or nil

	timer    *time.Timer
	deadline time.Time // when the session ends unless something is heard
}

// waiter is a blocked request: it gets exactly one answer, or is abandoned.
type waiter[A any] struct{ answer chan A }

func newWaiter[A any]() *waiter[A] { return &waiter[A]{make(chan A, 1)} }

func newGroup(c *Coordinator, id string) *group {
	return &group{
		id: id, c: c, opts: &c.opts, log: c.log.With("group", id),
		state:       empty,
		static:      make(map[string]*member),
		pending:     make(map[string]promise),
		checkpoints: make(map[partition]checkpoint),
	}
}

// visible says if the group is one for the Kafka protocol: one that is only
// read, and was never joined or committed to, does not exist there.
func (g *group) visible() bool {
	return g.state != empty || g.generation > 0 || len(g.checkpoints) > 0 || len(g.pending) > 0 || len(g.lease.readers) == 0
}

func (g *group) member(id string) *member {
	for _, m := range g.members {
		if m.id == id {
			return m
		}
	}
	return nil
}

// lockSettled locks the group at a moment when every change of its checkpoints
// that was accepted is on disk, or has failed.
func (g *group) lockSettled() {
	for {
		g.mu.Lock()
		w := g.checkpointW
		if w.settled() {
			return
		}
		g.mu.Unlock()
		<-w.done
	}
}

// validate finds the member that a request comes from and fences a static
// member whose place was taken by a newer one with the same instance ID.
func (g *group) validate(memberID string, instance *string) (*member, *kerr.Error) {
	if instance != nil {
		m := g.static[*instance]
		if m == nil {
			return nil, kerr.UnknownMemberID
		}
		if m.id != memberID {
			return nil, kerr.FencedInstanceID
		}
	}
	if m := g.member(memberID); m != nil {
		return m, nil
	}
	return nil, kerr.UnknownMemberID
}

// validateGeneration is validate and a check of the generation.
func (g *group) validateGeneration(memberID string, instance *string, generation int32) (*member, *kerr.Error) {
	if g.state == dead {
		return nil, kerr.CoordinatorNotAvailable
	}
	m, err := g.validate(memberID, instance)
	if err == nil && generation != g.generation {
		err = kerr.IllegalGeneration
	}
	return m, err
}

// touch puts the end of the member's session off.
func (g *group) touch(m *member) {
	m.deadline = time.Now().Add(m.session)
	if m.timer == nil {
		m.timer = time.AfterFunc(m.session, func() { g.expire(m) })
	} else {
		m.timer.Reset(m.session)
	}
}

// expire ends the session of a member that was not heard of. It locks the group.
func (g *group) expire(m *member) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.state == dead || !slices.Contains(g.members, m) || time.Now().Before(m.deadline) {
		return
	}
	if m.join != nil || m.sync != nil { // it waits for us, not we for it
		g.touch(m)
		return
	}
	g.log.Info("member's session expired", "member", m.id, "session", m.session)
	g.remove(m)
	g.rebalance("a session expired")
}

// expirePending takes back a member ID that nobody joined with. It locks the group.
func (g *group) expirePending(id string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, ok := g.pending[id]; ok && g.state != dead {
		delete(g.pending, id)
		g.maybeCompleteJoin()
	}
}

// remove takes a member out of the group; a rebalance is the caller's.
func (g *group) remove(m *member) {
	if m.timer != nil {
		m.timer.Stop()
	}
	g.answerJoin(m, joinAnswer{err: kerr.UnknownMemberID})
	g.answerSync(m, syncAnswer{err: kerr.UnknownMemberID})
	g.members = slices.DeleteFunc(g.members, func(o *member) bool { return o == m })
	g.orphan(m)
	if m.instance != nil && g.static[*m.instance] == m {
		delete(g.static, *m.instance)
	}
	if g.leader == m.id {
		g.leader = ""
		if len(g.members) > 0 {
			g.leader = g.members[0].id
		}
	}
}

func (g *group) answerJoin(m *member, a joinAnswer) {
	if m.join != nil {
		m.join.answer <- a
		m.join = nil
	}
}

func (g *group) answerSync(m *member, a syncAnswer) {
	if m.sync != nil {
		m.sync.answer <- a
		m.sync = nil
	}
}

// saveGeneration makes the generation durable; who is told of it waits for that.
func (g *group) saveGeneration() {
	g.generationW = g.c.saver.save([]store.Write{{
		Key: groupKey(g.id), Value: g.value(),
	}}, nil)
}

// close ends the group with its coordinator. It locks the group.
func (g *group) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.state = dead
	g.stopPhase()
	g.endLease()
	for _, p := range g.pending {
		p.timer.Stop()
	}
	for _, m := range g.members {
		m.timer.Stop()
		g.answerJoin(m, joinAnswer{err: kerr.CoordinatorNotAvailable})
		g.answerSync(m, syncAnswer{err: kerr.CoordinatorNotAvailable})
	}
}
