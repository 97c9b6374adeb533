package group_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var seedFlag = flag.Uint64("seed", 0, "run the random test with this seed only")

// TestRandomConsumers lets consumers join, sync, heartbeat, fetch, commit, leave,
// fall silent and come back at random, and others fetch and commit in assign
// mode, while time passes and the machine crashes, and compares what they are
// told with a model. Then everybody behaves, and the group must become stable.
func TestRandomConsumers(t *testing.T) {
	for _, seed := range seeds(60) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSimulation(t, seed)
				defer func() { s.r.close() }()
				for range 800 {
					s.step()
				}
				s.settle()
				s.settleReaders()
			})
		})
	}
}

// seeds returns n random seeds, or the one that was asked for.
func seeds(n int) []uint64 {
	if *seedFlag != 0 {
		return []uint64{*seedFlag}
	}
	list := make([]uint64, n)
	for i := range list {
		list[i] = rand.Uint64()
	}
	return list
}

// simulation is the random run and its model: what any observer may rely on,
// without any of the coordinator's reasons.
type simulation struct {
	t      *testing.T
	rng    *rand.Rand
	fs     *vfs.MemFS
	r      *rig
	actors []*actor
	nextID int

	generation int32            // the newest that anybody was told of
	owners     map[int32]string // generation → the member that was given the partition
	checkpoint int64            // of the last commit that was answered with success
	nextOffset int64

	fetchers  []*fetcher
	given     map[int32]string // generation → the member ID that the leader gave the partition
	wasStable bool             // and not Empty since
}

// actor is a consumer with at most one request under way.
type actor struct {
	*consumer
	cancel  context.CancelFunc
	joining <-chan *kmsg.JoinGroupResponse
	syncing <-chan *kmsg.SyncGroupResponse
	phase   phase
	owns    bool      // it was given the partition, and has not been told otherwise
	heard   time.Time // the last request that the coordinator answered well
}

type phase int

const (
	outside phase = iota // not a member, or not sure of it
	joined               // has a generation, and no assignment yet
	owning               // has its assignment
)

func newSimulation(t *testing.T, seed uint64) *simulation {
	s := &simulation{
		t: t, rng: rand.New(rand.NewPCG(seed, 1)), fs: vfs.NewCrashableMem(),
		owners: map[int32]string{}, given: map[int32]string{}, checkpoint: -1,
	}
	s.r = open(t, s.fs, nil)
	for range 4 {
		s.actors = append(s.actors, s.newActor())
	}
	return s
}

func (s *simulation) newActor() *actor {
	s.nextID++
	a := &actor{consumer: s.r.consumer(fmt.Sprint("c", s.nextID), "range", "sticky")}
	a.host = fmt.Sprint("10.0.1.", s.nextID) // else one may be taken for another that has no connection
	a.version = int16(s.rng.IntN(10))
	a.readable = s.rng.IntN(4) > 0
	if a.version >= 5 && s.rng.IntN(3) == 0 {
		a.static(fmt.Sprint("instance", s.rng.IntN(2)))
	}
	return a
}

func (s *simulation) step() {
	i := s.rng.IntN(len(s.actors))
	a := s.actors[i]
	switch n := s.rng.IntN(100); {
	case n < 50:
		s.advance(a)
	case n < 70:
		s.fetchStep()
	case n < 74:
		s.commit(a)
	case n < 75:
		s.heartbeat(a)
	case n < 78:
		s.leave(a)
	case n < 81: // it dies, or only its connection does
		s.disconnect(a)
		if s.rng.IntN(2) == 0 {
			s.actors[i] = s.newActor()
		}
	case n < 82:
		s.commitFromOutside()
	case n < 83:
		s.crash()
	default:
		time.Sleep(time.Duration(s.rng.Int64N(int64(4 * time.Second))))
	}
	s.collect()
	s.observe()
	if got := s.r.fetch(); got != s.checkpoint {
		s.t.Fatalf("checkpoint is %d, the last commit that was accepted is %d", got, s.checkpoint)
	}
}

// advance does what the consumer would do next.
func (s *simulation) advance(a *actor) {
	switch {
	case a.busy():
	case a.phase == outside:
		ctx, cancel := context.WithCancel(context.Background())
		a.cancel = cancel
		req := a.joinRequest()
		a.joining = later(func() *kmsg.JoinGroupResponse { return a.send(ctx, req) })
	case a.phase == joined:
		var give []string
		if a.leader {
			for _, m := range a.members {
				give = append(give, m.MemberID)
			}
			s.rng.Shuffle(len(give), func(i, j int) { give[i], give[j] = give[j], give[i] })
			s.given[a.generation] = give[0]
		}
		a.syncing = later(func() *kmsg.SyncGroupResponse { return a.sync(give...) })
	case a.phase == owning:
		s.heartbeat(a)
	}
}

func (a *actor) busy() bool { return a.joining != nil || a.syncing != nil }

// collect takes the answers that have come and checks them.
func (s *simulation) collect() {
	synctest.Wait()
	for _, a := range s.actors {
		select {
		case resp := <-a.joining:
			a.joining = nil
			s.joinAnswered(a, resp)
		case resp := <-a.syncing:
			a.syncing = nil
			s.syncAnswered(a, resp)
		default:
		}
	}
}

func (s *simulation) joinAnswered(a *actor, resp *kmsg.JoinGroupResponse) {
	switch kerr.ErrorForCode(resp.ErrorCode) {
	case nil:
		if resp.Generation < s.generation {
			s.t.Fatalf("%s joined generation %d after somebody was told of %d", a.name, resp.Generation, s.generation)
		}
		s.generation = resp.Generation
		a.id, a.generation, a.members = resp.MemberID, resp.Generation, resp.Members
		a.leader = resp.LeaderID == resp.MemberID && !resp.SkipAssignment
		a.phase = joined
		a.heard = time.Now()
	case kerr.MemberIDRequired:
		a.id = resp.MemberID
	case kerr.UnknownMemberID, kerr.FencedInstanceID:
		a.id = ""
	case kerr.RebalanceInProgress, kerr.CoordinatorNotAvailable:
	default:
		s.t.Fatalf("%s's join: %v", a.name, kerr.ErrorForCode(resp.ErrorCode))
	}
}

func (s *simulation) syncAnswered(a *actor, resp *kmsg.SyncGroupResponse) {
	if resp.ErrorCode != 0 {
		s.lost(a, "sync", resp.ErrorCode)
		return
	}
	a.phase = owning
	a.heard = time.Now()
	a.owns = len(resp.MemberAssignment) > 0
	if !a.owns {
		return
	}
	// A static member's next incarnation has its place, under another ID.
	owner := a.owner()
	if other, ok := s.owners[a.generation]; ok && other != owner {
		s.t.Fatalf("generation %d: %s was given the partition, %s has it", a.generation, owner, other)
	}
	s.owners[a.generation] = owner
}

// lost makes the actor begin again after an error that may come at any time.
func (s *simulation) lost(a *actor, what string, errorCode int16) {
	a.phase, a.owns = outside, false
	switch kerr.ErrorForCode(errorCode) {
	case kerr.RebalanceInProgress, kerr.IllegalGeneration, kerr.CoordinatorNotAvailable:
	case kerr.UnknownMemberID, kerr.FencedInstanceID:
		a.id = ""
	default:
		s.t.Fatalf("%s's %s: %v", a.name, what, kerr.ErrorForCode(errorCode))
	}
}

func (s *simulation) heartbeat(a *actor) {
	if a.phase == outside || a.busy() {
		return
	}
	expired := time.Since(a.heard) >= session
	got := a.heartbeat()
	if got == 0 && a.generation != s.generation {
		s.t.Fatalf("%s: heartbeat of generation %d is fine, and %d exists", a.name, a.generation, s.generation)
	}
	if expired && got != kerr.UnknownMemberID.Code && got != kerr.FencedInstanceID.Code {
		s.t.Fatalf("%s: heartbeat %v after the last sign of life gives %v", a.name, time.Since(a.heard), kerr.ErrorForCode(got))
	}
	if got == 0 || got == kerr.RebalanceInProgress.Code {
		a.heard = time.Now()
	}
	if got != 0 {
		s.lost(a, "heartbeat", got)
	}
}

// commit commits, also when the consumer should know that it may not.
func (s *simulation) commit(a *actor) {
	if a.generation == 0 || a.busy() {
		return
	}
	s.nextOffset++
	got := a.commit(s.nextOffset)
	switch {
	case got == 0 && a.generation != s.generation:
		s.t.Fatalf("%s: a commit of generation %d was accepted, and %d exists", a.name, a.generation, s.generation)
	case got == 0:
		s.checkpoint = s.nextOffset
		a.heard = time.Now()
	case a.phase != outside:
		s.lost(a, "commit", got)
	}
}

func (s *simulation) commitFromOutside() {
	s.nextOffset++
	state, members := s.r.describe()
	got := s.r.commit(commitRequest(s.nextOffset))
	if alone := state == "Empty" || state == "Dead"; (got == 0) != alone {
		s.t.Fatalf("a commit from outside to a group that is %s with members %v gives %v", state, members, kerr.ErrorForCode(got))
	}
	if got == 0 {
		s.checkpoint = s.nextOffset
	}
}

func (s *simulation) leave(a *actor) {
	if a.id == "" || a.instance != nil || a.busy() {
		return
	}
	if got := a.leave(); got != 0 && got != kerr.UnknownMemberID.Code {
		s.t.Fatalf("%s's leave: %v", a.name, kerr.ErrorForCode(got))
	}
	a.id, a.phase, a.owns = "", outside, false
	for _, f := range s.fetchers {
		f.left = f.left || f.actor == a
	}
}

// disconnect ends the request that the actor waits for.
func (s *simulation) disconnect(a *actor) {
	if a.joining != nil {
		a.cancel()
	}
}

// crash reopens what the disk has when nothing that was not synced remains.
func (s *simulation) crash() {
	crashed := s.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: s.rng.IntN(101), RNG: s.rng})
	s.r.close()
	s.collect()
	s.fs = crashed
	s.r = open(s.t, crashed, nil)
	s.fetchers, s.wasStable = nil, false
	for _, a := range s.actors {
		a.r = s.r
	}
}

// settle: with everybody alive and well, one of them is given the partition.
func (s *simulation) settle() {
	instances := map[string]bool{}
	for i, a := range s.actors { // two with the same instance ID fence each other for ever
		if a.instance != nil && instances[*a.instance] {
			s.disconnect(a)
			s.actors[i] = s.newActor()
			s.actors[i].instance = nil
		} else if a.instance != nil {
			instances[*a.instance] = true
		}
	}
	deadline := time.Now().Add(session + 2*rebal)
	for time.Now().Before(deadline) {
		for range 3 {
			for _, a := range s.actors {
				s.advance(a)
				s.collect()
			}
		}
		time.Sleep(time.Second)
	}
	state, members := s.r.describe()
	if state != "Stable" || s.owners[s.generation] == "" {
		s.t.Errorf("in the end the group is %s with members %v, generation %d belongs to %q", state, members, s.generation, s.owners[s.generation])
	}
}
