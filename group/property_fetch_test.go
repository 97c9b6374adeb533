package group_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"daybook/group"
)

// The part of the simulation that fetches: consumers in assign mode, and the
// actors that believe to have the partition, be they right or evicted long ago.

// fetcher is a connection that fetches.
type fetcher struct {
	*reader
	actor    *actor // nil in assign mode
	inFlight bool
	held     bool // it was active, and was not told that it lost its turn
	served   bool // it was active while its actor was a member
	left     bool // its actor left
	// Since when its actor is no member, and when it fetched first since then.
	out, back time.Time
}

// fetchStep has somebody fetch, or commit in assign mode.
func (s *simulation) fetchStep() {
	assign := slices.DeleteFunc(slices.Clone(s.fetchers), func(f *fetcher) bool { return f.actor != nil })
	switch n := s.rng.IntN(100); {
	case n < 5 && len(assign) < 3:
		s.nextID++
		s.fetchers = append(s.fetchers, &fetcher{reader: s.r.readerAt(fmt.Sprint("f", s.nextID), "10.0.0.2")})
	case n < 30:
		a := s.actors[s.rng.IntN(len(s.actors))]
		has := slices.ContainsFunc(s.fetchers, func(f *fetcher) bool { return f.actor == a })
		if a.owns && (!has || n < 8) {
			s.fetchers = append(s.fetchers, &fetcher{reader: s.r.readerAt(a.name, a.host), actor: a})
		}
	case len(s.fetchers) == 0:
	case n < 35:
		i := s.rng.IntN(len(s.fetchers))
		s.closeFetcher(s.fetchers[i])
		s.fetchers = slices.Delete(s.fetchers, i, i+1)
	case n < 42 && len(assign) > 0:
		s.commitAssigned(assign[s.rng.IntN(len(assign))])
	default:
		s.useFetcher(s.fetchers[s.rng.IntN(len(s.fetchers))])
	}
}

func (s *simulation) closeFetcher(f *fetcher) {
	if f.inFlight {
		f.End(0)
	}
	f.Close()
}

// useFetcher begins or ends a Fetch.
func (s *simulation) useFetcher(f *fetcher) {
	if f.inFlight {
		f.End(0)
		f.inFlight = false
		return
	}
	if !f.out.IsZero() && f.back.IsZero() {
		f.back = time.Now()
	}
	turn := f.Begin(0)
	f.inFlight = true
	s.told(f, turn)
}

// told checks what a fetcher is told.
func (s *simulation) told(f *fetcher, turn group.Turn) {
	switch turn {
	case active:
		f.held = true
		if why := s.mayNotRead(f); why != "" {
			state, members := s.r.describe()
			s.t.Fatalf("%s is served in a group that is %s, generation %d, with members %v: %s", f.client.ID, state, s.generation, members, why)
		}
	case lost:
		if !f.held {
			s.t.Fatalf("%s is told that it lost its turn, and never had it, or knows already", f.client.ID)
		}
		f.held = false
	}
}

// mayNotRead says why it is wrong that f is the active one.
func (s *simulation) mayNotRead(f *fetcher) string {
	state, members := s.r.describe()
	alone := state == "Empty" || state == "Dead"
	switch {
	case f.actor == nil && state == "Stable":
		return "it uses assign mode"
	case f.actor == nil && !alone && s.wasStable:
		return "it uses assign mode, in a rebalance"
	case f.actor == nil:
		return ""
	case alone && f.served && !f.left && (f.back.IsZero() || time.Since(f.back) < silence):
		return "its member was evicted, and it may not know"
	case alone:
		f.served = false
		return ""
	case !s.wasStable: // the actor's connection is no member's now
		return ""
	case !slices.Contains(members, f.actor.name):
		return "its actor is no member"
	case state == "Stable" && !strings.HasPrefix(s.given[s.generation], f.actor.owner()+"-"):
		return "the partition was given to " + s.given[s.generation]
	}
	f.served = true
	return ""
}

// owner is how the actor's member IDs begin.
func (a *actor) owner() string {
	if a.instance != nil {
		return *a.instance
	}
	return a.name
}

// observe looks at everybody after a step: there is one active reader at most.
func (s *simulation) observe() {
	state, members := s.r.describe()
	switch state {
	case "Stable":
		s.wasStable = true
	case "Empty", "Dead":
		s.wasStable = false
	}
	var served []string
	for _, f := range s.fetchers {
		if f.actor != nil && slices.Contains(members, f.actor.name) {
			f.served = f.served && f.out.IsZero() // as another member
			f.out, f.back, f.left = time.Time{}, time.Time{}, false
		} else if f.actor != nil && f.out.IsZero() {
			f.out = time.Now()
		}
		if !f.inFlight {
			continue
		}
		turn := f.Turn()
		s.told(f, turn)
		if turn == active {
			served = append(served, f.client.ID)
		}
	}
	if len(served) > 1 {
		s.t.Fatalf("%v are served at the same time", served)
	}
}

// commitAssigned commits with generation -1 on a fetching connection.
func (s *simulation) commitAssigned(f *fetcher) {
	s.nextOffset++
	state, _ := s.r.describe()
	alone := state == "Empty" || state == "Dead"
	got := s.r.commitBy(f.reader, s.nextOffset)
	isActive := f.inFlight && f.Turn() == active
	otherIs := slices.ContainsFunc(s.fetchers, func(o *fetcher) bool { return o != f && o.inFlight && o.Turn() == active })
	switch {
	case got == 0 && !alone:
		s.t.Fatalf("%s's commit in assign mode was taken by a group that is %s", f.client.ID, state)
	case got == 0 && otherIs:
		s.t.Fatalf("%s's commit was taken, and another one is active", f.client.ID)
	case got != 0 && alone && isActive:
		s.t.Fatalf("the active one's commit is refused: %v", kerr.ErrorForCode(got))
	case got == 0:
		s.checkpoint = s.nextOffset
	case got != kerr.UnknownMemberID.Code:
		s.t.Fatalf("%s's commit: %v", f.client.ID, kerr.ErrorForCode(got))
	}
}

// settleReaders: in a group that has settled, the owner's connection is served,
// and when all members have left, one in assign mode.
func (s *simulation) settleReaders() {
	for _, f := range s.fetchers {
		s.closeFetcher(f)
	}
	assign := s.r.readerAt("in assign mode", "10.0.0.2")
	assign.want("beside members", standby)
	for _, a := range s.actors {
		if strings.HasPrefix(s.given[s.generation], a.owner()+"-") {
			s.r.readerAt(a.name, a.host).want("the owner", active)
		}
	}
	assign.want("beside members", standby)
	for _, a := range s.actors {
		a.leave()
	}
	assign.want("alone", active)
}
