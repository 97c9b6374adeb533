package group_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/group"
)

// silence is the default of group.Options.ReaderTimeout.
const silence = 10 * time.Second

// reader is a connection that fetches.
type reader struct {
	*group.Reader
	t       *testing.T
	client  group.Client
	waiting <-chan group.Turn
}

// reader opens a connection of the client of that name. Like the requests of a
// consumer of that name, it comes from 10.0.0.1.
func (r *rig) reader(name string) *reader {
	return r.readerAt(name, "10.0.0.1")
}

func (r *rig) readerAt(name, host string) *reader {
	r.connections++
	client := group.Client{ID: name, Host: "/" + host, Address: fmt.Sprint(host, ":", r.connections)}
	return &reader{Reader: r.OpenReader(groupID, topic, client), t: r.t, client: client}
}

// fetch is one Fetch that does not wait.
func (r *reader) fetch() group.Turn { return r.fetchFrom(0) }

func (r *reader) fetchFrom(offset int64) group.Turn {
	defer r.End(offset)
	return r.Begin(offset)
}

// poll is a Fetch that waits for a change of its turn, for ever.
func (r *reader) poll() *reader {
	began := make(chan struct{})
	r.waiting = later(func() group.Turn {
		defer r.End(0)
		turn := r.Begin(0)
		close(began)
		for was := turn; turn == was; {
			changed := r.Changed()
			if turn = r.Turn(); turn == was {
				<-changed
			}
		}
		return turn
	})
	<-began
	return r
}

func (r *reader) want(what string, turns ...group.Turn) {
	r.t.Helper()
	for _, want := range turns {
		if got := r.fetch(); got != want {
			r.t.Fatalf("%s: %s has turn %s, want %s", what, r.client.ID, name(got), name(want))
		}
	}
}

// wantPolled waits for the end of poll.
func (r *reader) wantPolled(what string, want group.Turn) {
	r.t.Helper()
	synctest.Wait()
	select {
	case got := <-r.waiting:
		if got != want {
			r.t.Fatalf("%s: %s is woken with turn %s, want %s", what, r.client.ID, name(got), name(want))
		}
	default:
		r.t.Fatalf("%s: %s still waits", what, r.client.ID)
	}
}

func name(t group.Turn) string { return [...]string{"standby", "active", "lost"}[t] }

// keep has the readers fetch for d.
func keep(d time.Duration, readers ...*reader) {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		for _, r := range readers {
			r.fetch()
		}
	}
}

// keep has the member and the readers do what they do for d.
func (c *consumer) keep(d time.Duration, readers ...*reader) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		wantCode(c.r.t, "heartbeat", c.heartbeat(), nil)
		keep(time.Second, readers...)
	}
}

const (
	standby = group.Standby
	active  = group.Active
	lost    = group.Lost
)

func TestAssignModeSuccession(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		a, b, c := r.reader("a"), r.reader("b"), r.reader("c")
		a.want("first", active, active)
		b.want("second", standby, standby)
		c.want("third", standby)
		b.poll()
		c.poll()
		a.Close()
		b.wantPolled("after a ended", active)
		b.want("and from then on", active)
		blocked(t, "c", c.waiting)
		b.Close()
		c.wantPolled("after b ended", active)
		c.Close()
		r.reader("d").want("after all ended", active)
	})
}

func TestAssignModeSilence(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		a, b := r.reader("a"), r.reader("b")
		a.want("first", active)
		b.want("second", standby)
		b.poll()
		time.Sleep(silence - time.Millisecond)
		blocked(t, "b", b.waiting)
		time.Sleep(time.Millisecond)
		b.wantPolled("when a was silent", active)
		a.want("when it comes back", lost, standby, standby)
		keep(3*silence, a, b)
		b.want("as long as it fetches", active)
		b.Close()
		a.want("when b ended", active)
	})
}

func TestAWaitingFetchIsNoSilence(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		a, b := r.reader("a"), r.reader("b")
		a.poll()
		b.poll()
		time.Sleep(10 * silence)
		blocked(t, "a", a.waiting)
		blocked(t, "b", b.waiting)
		a.Close() // else their goroutines never end
		b.wantPolled("after a ended", active)
		a.wantPolled("after its end", standby)
	})
}

func TestSilentAlone(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		a := r.reader("a")
		a.want("first", active)
		time.Sleep(5 * silence)
		if v, _ := r.View(groupID); len(v.Consumers) != 0 {
			t.Errorf("consumers after long silence: %+v", v.Consumers)
		}
		a.want("nobody took its place", active)
		// b is heard of once and never again: it is not given the turn.
		b, c := r.reader("b"), r.reader("c")
		b.want("second", standby)
		keep(silence, a)
		c.want("third", standby)
		a.Close()
		c.want("b was silent", active)
		b.want("b comes back", standby)
	})
}

// While the group is Stable only the connection of the member that has the
// partition is served, whoever was before.
func TestSubscribeModeEndsAssignMode(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		a, b := r.reader("assigned"), r.reader("other")
		a.want("alone", active)
		b.want("alone", standby)
		m := r.consumer("m")
		wantCode(t, "join", m.join(background).ErrorCode, nil)
		a.want("until the group is Stable", active)
		a.poll()
		wantCode(t, "sync", m.sync(m.id).ErrorCode, nil)
		a.wantPolled("Stable", lost)
		mr := r.reader("m")
		mr.want("the member's own", active, active)
		a.want("from then on", standby)
		b.want("as before", standby)
		wantCode(t, "a commit in assign mode", r.commitBy(a, 5), kerr.UnknownMemberID)
		keep(2*time.Second, mr, a, b)
		wantCode(t, "leave", m.leave(), nil)
		b.want("the member has left, and b has waited longest", active)
		a.want("the member has left", standby)
		mr.want("the member has left", lost, standby)
	})
}

// commitBy commits with generation -1 on the reader's own connection.
func (r *rig) commitBy(rd *reader, offset int64) int16 {
	return r.commitFrom(rd.client, offset)
}

func (r *rig) commitFrom(client group.Client, offset int64) int16 {
	return r.OffsetCommit(background, client, commitRequest(offset)).Topics[0].Partitions[0].ErrorCode
}

// two brings two members to Stable, or through another rebalance. What give
// returns then has the partition.
func two(t *testing.T, a, b *consumer, give func() *consumer) {
	t.Helper()
	if a.id == "" {
		wantCode(t, "join", a.join(background).ErrorCode, nil)
		b.joinOnce(background) // has its ID
	}
	first, second := a, b
	if b.leader || b.generation == 0 { // a new member, or the leader, begins a rebalance
		first, second = b, a
	}
	joins := []<-chan *kmsg.JoinGroupResponse{later(func() *kmsg.JoinGroupResponse { return first.joinOnce(background) })}
	synctest.Wait()
	joins = append(joins, later(func() *kmsg.JoinGroupResponse { return second.joinOnce(background) }))
	for _, j := range joins {
		wantCode(t, "join", (<-j).ErrorCode, nil)
	}
	leader, other := a, b
	if b.leader {
		leader, other = b, a
	}
	synced := later(func() *kmsg.SyncGroupResponse { return other.sync() })
	wantCode(t, "sync", leader.sync(give().id).ErrorCode, nil)
	wantCode(t, "sync", (<-synced).ErrorCode, nil)
}

func TestSubscribeModeHandover(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		a, b := r.consumer("a"), r.consumer("b")
		two(t, a, b, func() *consumer { return a })
		ar := r.reader("a")
		ar.want("a has the partition", active)
		ar.poll()
		// A rebalance alone changes nothing.
		b.protocols[0].Metadata = append(b.protocols[0].Metadata, 0) // else nothing has changed
		join := later(func() *kmsg.JoinGroupResponse { return b.joinOnce(background) })
		synctest.Wait()
		r.wantState("PreparingRebalance", "a", "b")
		blocked(t, "a", ar.waiting)
		wantCode(t, "a joins", a.joinOnce(background).ErrorCode, nil)
		<-join
		r.wantState("CompletingRebalance", "a", "b")
		blocked(t, "a", ar.waiting)
		other := later(func() *kmsg.SyncGroupResponse { return b.sync() })
		wantCode(t, "sync", a.sync(b.id).ErrorCode, nil)
		<-other
		ar.wantPolled("b has the partition", lost)
		ar.want("b has the partition", standby)
		r.reader("b").want("b has the partition", active)
	})
}

// A member that is frozen, or cut off, until it is evicted gets nothing more on
// its connection when it comes back, even if nobody else is there; unless it is
// no member any more by its own choice.
func TestEvictedMembersConnection(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		m := r.consumer("m").start()
		mr := r.reader("m")
		mr.want("its own", active)
		time.Sleep(session)
		synctest.Wait()
		r.wantState("Empty")
		mr.want("woken", lost, standby)
		wantCode(t, "its commit", m.commit(7), kerr.UnknownMemberID)
		other := r.reader("other")
		other.want("an assign-mode one", active)
		other.Close()
		mr.want("though it is alone", standby)
		// It finds out, and joins again: over the same connection it reads on.
		time.Sleep(time.Millisecond)
		m.id = ""
		m.start()
		mr.want("the member that joined since may be its client", active)
		own := r.reader("m")
		own.want("one that surely is", active)
		mr.want("there is a better one", lost, standby)
		own.Close()
		m.leave()
		mr.want("the member has left", active)
	})
}

func TestEvictedMemberThatGoesOnFetching(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		r.consumer("m").start()
		mr := r.reader("m")
		mr.want("its own", active)
		time.Sleep(session)
		synctest.Wait()
		mr.want("woken", lost)
		keep(silence-time.Millisecond, mr)
		mr.want("for so long", active)
	})
}

// A member's connection that fails is replaced by the next one at once; one
// that is half open, after ReaderTimeout.
func TestMembersNextConnection(t *testing.T) {
	bubble(t, nil, func(t *testing.T, r *rig) {
		m := r.consumer("m").start()
		first, second, third := r.reader("m"), r.reader("m"), r.reader("m")
		first.want("first", active)
		second.want("second", standby)
		first.Close()
		second.want("the first has ended", active)
		third.want("third", standby)
		for range 4 {
			wantCode(t, "heartbeat", m.heartbeat(), nil)
			time.Sleep(silence / 4)
		}
		third.want("the second was silent", active)
		second.want("the second comes back", lost, standby)
	})
}

// Several consumers of one host often have the same client.id. One that uses
// assign is not taken for the member, and never starves it.
func TestConnectionsOfOneName(t *testing.T) {
	for _, tc := range []struct {
		name string
		run  func(t *testing.T, r *rig)
	}{
		{"the other fetched before the member was assigned the partition", func(t *testing.T, r *rig) {
			other := r.reader("m")
			other.want("alone", active)
			m := r.consumer("m")
			m.join(background)
			other.want("joined", active)
			m.sync(m.id)
			other.want("Stable", lost, standby)
			keep(2*time.Second, other)
			own := r.reader("m")
			own.want("its own", active)
			m.keep(2*silence, own, other)
			own.want("it stays so", active)
		}},
		{"the member takes longer than others wait", func(t *testing.T, r *rig) {
			other := r.reader("m")
			m := r.consumer("m")
			m.join(background)
			other.want("joined", active)
			m.sync(m.id)
			keep(4*time.Second, other)
			other.want("taken for the member's", active)
			m.keep(3*silence, other)
			own := r.reader("m")
			own.want("its own", active)
			other.want("not taken any more", lost, standby)
			keep(4*time.Second, own, other)
			own.want("it stays so", active)
		}},
		{"a new connection comes too early", func(t *testing.T, r *rig) {
			m := r.consumer("m").start()
			own, other := r.reader("m"), r.reader("m")
			own.want("its own", active)
			other.want("the other", standby)
			m.keep(2*silence, own, other)
			own.want("it stays so", active)
		}},
		{"the member fetches from other addresses than it joined by", func(t *testing.T, r *rig) {
			m := r.consumer("m").start()
			own := r.readerAt("m", "10.9.9.9")
			m.keep(silence-time.Second, own)
			own.want("too early", standby)
			m.keep(time.Second, own)
			own.want("nobody else came", active)
			m.keep(3*silence, own)
			right := r.reader("m")
			right.want("one of the right address", active)
			own.want("not taken any more", lost, standby)
		}},
		{"the member fetches by another name than it joins by", func(t *testing.T, r *rig) {
			m := r.consumer("m").start()
			own := r.reader("n")
			m.keep(2*time.Second, own)
			own.want("too early", standby)
			m.keep(2*time.Second, own)
			own.want("nobody else came", active)
			own.Close()
			r.reader("n").want("its next connection", active)
		}},
		{"it is evicted and joins anew, and keeps its connection", func(t *testing.T, r *rig) {
			m := r.consumer("m").start()
			own := r.reader("n")
			m.keep(4*time.Second, own)
			own.want("nobody else came", active)
			time.Sleep(session)
			synctest.Wait()
			own.want("evicted", lost)
			time.Sleep(time.Millisecond)
			m.id = ""
			m.start()
			m.keep(4*time.Second, own)
			own.want("nobody else came again", active)
		}},
		{"another name is taken for the member's, which comes late", func(t *testing.T, r *rig) {
			m := r.consumer("m").start()
			other := r.reader("n")
			m.keep(4*time.Second, other)
			other.want("nobody else came", active)
			own := r.reader("m")
			own.want("its own", active)
			other.want("not taken any more", lost, standby)
			own.Close()
			m.keep(2*silence, other)
			other.want("the member is known to read by its own name", standby)
		}},
		{"another name that was there before, or fetches from elsewhere", func(t *testing.T, r *rig) {
			before := r.reader("n")
			before.want("alone", active)
			m := r.consumer("m").start()
			elsewhere := r.readerAt("n", "10.9.9.9")
			m.keep(2*silence, before, elsewhere)
			before.want("never", standby)
			elsewhere.want("never", standby)
		}},
		{"another member's connection", func(t *testing.T, r *rig) {
			a, b := r.consumer("a"), r.consumer("b")
			two(t, a, b, func() *consumer { return a })
			time.Sleep(time.Millisecond)
			br := r.reader("b")
			for range 10 {
				br.want("never", standby)
				wantCode(t, "heartbeat", a.heartbeat(), nil)
				wantCode(t, "heartbeat", b.heartbeat(), nil)
				time.Sleep(silence / 3)
			}
		}},
		{"the member uses one connection for all", func(t *testing.T, r *rig) {
			own := r.reader("m")
			own.want("before", active)
			m := r.consumer("m")
			m.address = own.client.Address
			m.start()
			own.want("after", active, active)
		}},
		{"the partition goes to another member of the name and back", func(t *testing.T, r *rig) {
			a, b := r.consumer("m"), r.consumer("m")
			two(t, a, b, func() *consumer { return a })
			ar := r.reader("m")
			ar.want("a", active)
			time.Sleep(time.Millisecond)
			two(t, a, b, func() *consumer { return b })
			br := r.reader("m")
			ar.want("b has it", lost, standby)
			br.want("b has it", active)
			time.Sleep(time.Millisecond)
			two(t, a, b, func() *consumer { return a })
			br.want("a has it again", lost)
			ar.want("a has it again", active)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) { bubble(t, nil, tc.run) })
	}
}

// assignment is what a leader of consumers writes.
func assignment(topics ...string) []byte {
	a := kmsg.NewConsumerMemberAssignment()
	for _, name := range topics {
		a.Topics = append(a.Topics, kmsg.ConsumerMemberAssignmentTopic{Topic: name, Partitions: []int32{0}})
	}
	return a.AppendTo(nil)
}

// Whatever the leader assigns, there is one reader at most.
func TestOddAssignments(t *testing.T) {
	nothing, garbage := assignment(), []byte("garbage")
	for name, tc := range map[string]struct {
		a, b []byte
		want [2]group.Turn
	}{
		"the second":                 {nothing, assignment(topic), [2]group.Turn{standby, active}},
		"several topics":             {assignment("x", topic, "y"), nothing, [2]group.Turn{active, standby}},
		"another topic":              {assignment("x"), nothing, [2]group.Turn{standby, standby}},
		"nobody":                     {nothing, nil, [2]group.Turn{standby, standby}},
		"both":                       {assignment(topic), assignment(topic), [2]group.Turn{active, standby}},
		"unreadable":                 {nothing, garbage, [2]group.Turn{standby, active}},
		"both unreadable":            {garbage, garbage, [2]group.Turn{active, standby}},
		"unreadable beside readable": {garbage, assignment(topic), [2]group.Turn{standby, active}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, r *rig) {
				a, b := r.consumer("a"), r.consumer("b")
				a.assign = [][]byte{tc.a, tc.b}
				b.assign = [][]byte{tc.b, tc.a}
				two(t, a, b, func() *consumer {
					if a.leader {
						return a
					}
					return b
				})
				ar, br, other := r.reader("a"), r.reader("b"), r.reader("other")
				for range 30 {
					if got := [2]group.Turn{ar.fetch(), br.fetch()}; got != tc.want {
						t.Fatalf("got %v, want %v", got, tc.want)
					}
					other.want("assign mode", standby)
					wantCode(t, "heartbeat", a.heartbeat(), nil)
					wantCode(t, "heartbeat", b.heartbeat(), nil)
					time.Sleep(time.Second)
				}
			})
		})
	}
}

func TestDeletedGroupsReadersLiveOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := open(t, vfs.NewMem(), nil)
		a, b := r.reader("a"), r.reader("b")
		a.want("first", active)
		b.want("second", standby)
		r.wantState("Dead") // for the Kafka protocol there is none
		wantCode(t, "commit", r.commitBy(a, 5), nil)
		r.wantState("Empty")
		if err := r.Delete(groupID); err != nil {
			t.Fatal(err)
		}
		r.wantState("Dead")
		b.want("the first to come", active)
		a.want("the second", standby)
		b.Close()
		a.want("after b ended", active)
		r.close()
		a.want("closed", standby)
		a.Close()
	})
}
