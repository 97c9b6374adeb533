//go:build servers

// Package takeover shows with stock clients that one consumer of a group is
// active, that another goes on when it is closed, killed, frozen or cut off, and
// that it cannot commit when it comes back.
package takeover

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"daybook/admin"
	"daybook/e2e/harness"
	"daybook/e2e/puppet"
	"daybook/e2e/servers"
)

var only = flag.String("only", "", "run only scenarios whose names match this")

// rowEvery is the pause between two rows.
const rowEvery = 50 * time.Millisecond

var clients = []string{"java-1.1.1", "java-4.4.0", "librdkafka-2.15.1", "kafka-python-3.0.12", "sarama-newest", "kafkajs-2.2.4"}

var plays = []struct {
	name  string
	modes []mode
	play  func(*scenario)
}{
	{"five", []mode{subscribe, assign}, five},
	{"two", []mode{subscribe, resume}, two},
	{"together", []mode{subscribe, assign, resume}, together},
}

func TestTakeover(t *testing.T) {
	var all []cast
	for _, client := range clients {
		for _, p := range plays {
			for _, m := range p.modes {
				all = append(all, cast{client, fmt.Sprintf("%s-%s-%s", client, m, p.name), m, p.play})
			}
		}
	}
	perform(t, all)
}

// cast is one scenario: who plays what.
type cast struct {
	client, group string
	mode          mode
	play          func(*scenario)
}

// perform runs those that -only matches and that the client can do.
func perform(t *testing.T, all []cast) {
	t.Helper()
	pattern, err := regexp.Compile(*only)
	if err != nil {
		t.Fatal(err)
	}
	all = slices.DeleteFunc(all, func(c cast) bool {
		none := c.mode != subscribe && strings.HasPrefix(c.client, "kafkajs") // it has no assign
		return none || !pattern.MatchString(c.group)
	})
	var names, groups []string
	for _, c := range all {
		names, groups = append(names, c.client), append(groups, c.group)
	}
	names = slices.Compact(names)
	if !isolated(t, names) {
		return
	}
	s := &stage{commands: puppet.Commands(t, names...), jvms: make(chan struct{}, 3), others: make(chan struct{}, 8), times: map[string][]string{}}
	s.open(t, groups)
	t.Run("group", func(t *testing.T) { // ends when all that it runs have
		for _, c := range all {
			t.Run(c.group, func(t *testing.T) {
				t.Parallel()
				places := s.others
				if strings.HasPrefix(c.client, "java") {
					places = s.jvms
				}
				places <- struct{}{}
				t.Cleanup(func() { <-places })
				c.play(newScenario(t, s, c.client, c.mode, c.group))
			})
		}
	})
	t.Logf("seconds from the fault to the successor's first record:\n%s", s.table(names))
}

// open starts Daybook and the rows.
func (s *stage) open(t *testing.T, groups []string) {
	t.Helper()
	name, db := servers.Get(t, source).Database(t)
	db.Exec("CREATE TABLE steps (id BIGINT PRIMARY KEY)")
	d := harness.Start(t, harness.Config{Source: servers.Get(t, source).Address, Include: []string{name + ".*"},
		SchemaChanges: "none", Groups: groups, Host: host, Listener: "allow_plaintext: true"})
	d.WaitLog("state=Normal", time.Minute)
	s.address = d.Address()
	token, err := os.ReadFile(d.TokenFile())
	if err != nil {
		t.Fatal(err)
	}
	if s.admin, err = admin.NewClient(admin.ClientOptions{URL: d.AdminURL(), Token: strings.TrimSpace(string(token))}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.admin.Close)
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for t.Context().Err() == nil {
			if err := db.Try(fmt.Sprintf("INSERT INTO steps VALUES (%d)", s.inserted.Load())); err != nil {
				t.Errorf("insert: %v", err)
				return
			}
			s.inserted.Add(1)
			time.Sleep(rowEvery)
		}
	}()
	t.Cleanup(func() { <-stopped })
}

// took notes the time of a takeover.
func (s *stage) took(sc *scenario, fault string, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	cell := fmt.Sprint(sc.client, sc.mode, fault)
	s.times[cell] = append(s.times[cell], fmt.Sprintf("%.1f", d.Seconds()))
}

// table renders the times for docs/operations.md.
func (s *stage) table(clients []string) string {
	var b strings.Builder
	for _, client := range clients {
		for _, m := range []mode{subscribe, assign, resume} {
			if s.times[fmt.Sprint(client, m, closed)] == nil {
				continue // it cannot, or was not asked for
			}
			fmt.Fprintf(&b, "| %s | %s |", client, m)
			for _, fault := range []string{closed, killed, frozen, cutOff} {
				times := s.times[fmt.Sprint(client, m, fault)]
				slices.Sort(times)
				fmt.Fprintf(&b, " %s |", strings.Join(times, ", "))
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// five consumers: each fault hits the one that is active then.
func five(s *scenario) {
	for range 5 {
		s.start()
	}
	active := s.settle()
	active = s.close(active)
	active = s.kill(active)
	active = s.freeze(active)
	s.cut(active)
	s.end()
}

// two consumers: the one that was frozen is the only one to take over when the
// other is cut off, and so on.
func two(s *scenario) {
	s.start()
	s.start()
	active := s.settle()
	active = s.freeze(active)
	active = s.cut(active)
	s.kill(active)
	s.start()
	s.close(s.settle())
	s.end()
}

// together is three consumers of one host.
func together(s *scenario) {
	s.together = true
	for range 3 {
		s.start()
	}
	active := s.freeze(s.settle())
	s.kill(active)
	s.close(s.settle())
	s.end()
}
