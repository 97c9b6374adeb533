//go:build servers

package takeover

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"daybook/admin"
	"daybook/e2e/puppet"
)

const (
	session       = 6 * time.Second  // the shortest that a coordinator takes
	readerTimeout = 10 * time.Second // after it a silent holder loses the lease
	// slack is for a heartbeat's interval of a second, by which members learn of
	// a rebalance, and for a busy machine.
	slack = 6 * time.Second
)

// What happens to the active consumer.
const (
	closed = "close"
	killed = "kill -9"
	frozen = "SIGSTOP"
	cutOff = "link down"
)

// scenario is one client in one mode, and what happens to its group.
type scenario struct {
	*crowd
	t      *testing.T
	stage  *stage
	client string
	from   int64 // the group's checkpoint at first
	// together has the consumers on one host: neither addresses nor, but for plain
	// assign, client IDs differ.
	together bool
	started  []*member
	alive    int      // how many are consumers now
	order    []string // their addresses when all was settled, in the order of succession
}

// stage is what the scenarios share: Daybook, and a table that grows slowly.
type stage struct {
	address  string
	inserted atomic.Int64 // rows so far; the row's id is the record's offset
	links    atomic.Int64
	commands map[string][]string
	admin    *admin.Client
	jvms     chan struct{} // a place for each scenario of JVMs that runs
	others   chan struct{} // and for each other one

	mu    sync.Mutex
	times map[string][]string // of takeovers, by client, mode and fault
}

func newScenario(t *testing.T, s *stage, client string, m mode, group string) *scenario {
	t.Helper()
	from := max(0, s.inserted.Load()-10)
	c := &crowd{mode: m, group: group, admin: s.admin, over: t.Context().Done(), checkpoint: from, pending: from, end: from}
	c.cond = sync.NewCond(&c.mu)
	sc := &scenario{crowd: c, t: t, stage: s, client: client, from: from}
	_, err := s.admin.ResetGroup(t.Context(), group, admin.ResetRequest{ToOffset: &from})
	sc.must(err)
	t.Cleanup(func() {
		for _, m := range sc.started {
			<-m.done
		}
		for _, text := range c.wrong {
			t.Error(text)
		}
		t.Logf("%s\n%s", group, c.trace.String())
	})
	return sc
}

func (s *scenario) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// start starts a consumer.
func (s *scenario) start() *member {
	s.t.Helper()
	m := &member{crowd: s.crowd, name: fmt.Sprintf("#%d", len(s.started)+1), link: link{address: host},
		done: make(chan struct{}), held: make(chan struct{}, 1), release: make(chan struct{})}
	m.next = s.from
	o := puppet.Options{Group: s.group, ClientID: s.client, Session: session}
	if s.together && s.mode == assign {
		// Daybook could tell them apart by their offsets alone, and here all go over
		// the same ones.
		o.ClientID += m.name
	}
	if !s.together {
		m.link = newLink(int(s.stage.links.Add(1)))
		o.Prefix = m.link.prefix()
	}
	var err error
	m.puppet, err = puppet.Run(s.t, s.stage.address, s.client, s.stage.commands[s.client], o)
	s.must(err)
	if !s.together {
		s.must(m.link.plug())
	}
	switch s.mode {
	case subscribe:
		s.must(m.puppet.Subscribe())
	case assign:
		s.must(m.puppet.Assign(s.from))
	case resume:
		s.must(m.puppet.Assign(-1))
	}
	s.started = append(s.started, m)
	s.alive++
	go m.work()
	return m
}

// settle waits until everybody who is alive is a member or stands by, one is
// active, and the administrator is told the same. It returns the active one.
func (s *scenario) settle() *member {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		s.joined()
		s.idle()
		s.must(s.wait("one active, the others idle", 30*time.Second, func() bool {
			idle := 0
			for _, m := range s.started {
				if m != s.active && m.idle >= 3 {
					idle++
				}
			}
			return s.active != nil && s.records >= 10 && idle >= len(s.started)-1
		}))
		s.mu.Lock()
		active := s.active
		s.mu.Unlock()
		if s.order = s.joined(); s.order[0] == active.link.address {
			return active
		}
		// the partition has just moved, or
		if time.Now().After(deadline) {
			s.t.Fatalf("%s is active, but the consumers are told to be %v", active.link.address, s.order)
		}
	}
}

// joined waits until everybody who is alive is a consumer of the group, and
// returns their addresses: the active one's first, then those of the standbys.
func (s *scenario) joined() []string {
	s.t.Helper()
	for deadline := time.Now().Add(40 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		g, err := s.admin.Group(s.t.Context(), s.group)
		s.must(err)
		var order []string
		for _, c := range g.Consumers {
			if c.Mode == string(subscribe) == (s.mode == subscribe) {
				ip, _, _ := strings.Cut(c.Address, ":")
				order = append(order, ip)
			}
		}
		stable := s.mode != subscribe || g.State == "Stable"
		if stable && len(order) == s.alive && g.Consumers[0].Role == admin.RoleActive {
			return order
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("want %d consumers, one of them active: %+v", s.alive, g)
		}
	}
}

// idle has everybody's idle polls counted anew; who has ended is idle.
func (s *scenario) idle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records = 0
	for _, m := range s.started {
		m.idle = 0
		if m.ended() {
			m.idle = 1000
		}
	}
}

// takeover waits until another consumer is active. Began is when the fault
// happened.
func (s *scenario) takeover(from *member, fault string, runs int, began time.Time, limit time.Duration) *member {
	s.t.Helper()
	s.must(s.wait("a takeover after "+fault, limit, func() bool { return s.runs > runs }))
	took := time.Since(began)
	s.mu.Lock()
	next := s.active
	s.mu.Unlock()
	if next == from {
		s.t.Errorf("%s: %s is active again", fault, from.name)
	}
	if s.order = s.order[1:]; s.mode != subscribe && next.link.address != s.order[0] { // else the members' leader decides
		s.t.Errorf("%s: %s took over, want %v", fault, next.link.address, s.order)
	}
	s.note(next, fmt.Sprintf("took over after %s in %v", fault, took.Round(time.Millisecond)))
	s.stage.took(s, fault, took)
	return next
}

func (s *scenario) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.runs
}

// close has the active consumer leave in order.
func (s *scenario) close(m *member) *member {
	s.t.Helper()
	runs := s.count()
	m.leaving.Store(true)
	<-m.done
	s.must(m.err)
	s.alive--
	return s.takeover(m, closed, runs, time.Now(), slack)
}

// kill ends the active consumer with SIGKILL.
func (s *scenario) kill(m *member) *member {
	s.t.Helper()
	s.must(m.stop())
	runs := s.count()
	s.must(m.signal(syscall.SIGKILL))
	m.release <- struct{}{}
	s.alive--
	limit := session
	if s.mode != subscribe {
		limit = 0 // its connections end with it
	}
	return s.takeover(m, killed, runs, time.Now(), limit+slack)
}

// freeze stops the active consumer, waits for the takeover, and wakes it.
func (s *scenario) freeze(m *member) *member {
	s.t.Helper()
	return s.silence(m, frozen, func() error { return m.signal(syscall.SIGSTOP) }, func() error { return m.signal(syscall.SIGCONT) })
}

// cut takes the active consumer's link down, waits for the takeover, and puts it
// up again.
func (s *scenario) cut(m *member) *member {
	s.t.Helper()
	return s.silence(m, cutOff, m.link.cut, m.link.restore)
}

// silence wants the commit refused with which the consumer comes back. As a new
// member it may be assigned the partition again; as a standby it has to wait.
func (s *scenario) silence(m *member, fault string, begin, end func() error) *member {
	s.t.Helper()
	s.must(m.stop())
	runs := s.count()
	s.must(begin())
	began := time.Now()
	s.mu.Lock()
	m.limit = s.stage.inserted.Load() + 20 // about a second's
	refused := m.refused
	s.mu.Unlock()
	limit := session
	if s.mode != subscribe {
		limit = readerTimeout
	}
	next := s.takeover(m, fault, runs, began, limit+slack)
	s.must(s.wait("commits of the successor", 10*time.Second, func() bool { return s.records > 3*commitEach }))
	s.must(end())
	m.release <- struct{}{}
	s.must(s.wait("a refused commit of the one that is back", 30*time.Second, func() bool { return m.refused > refused }))
	active := s.settle()
	if s.mode != subscribe && active != next {
		s.t.Errorf("%s: %s came back and %s is active, not %s", fault, m.name, active.name, next.name)
	}
	return active
}

// end has all leave, the active one last.
func (s *scenario) end() {
	s.t.Helper()
	active := s.settle()
	for _, m := range append(s.others(active), active) {
		m.leaving.Store(true)
		<-m.done
	}
	s.must(active.err)
}

func (s *scenario) others(than *member) []*member {
	return slices.DeleteFunc(slices.Clone(s.started), func(m *member) bool { return m == than })
}
