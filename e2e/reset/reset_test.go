//go:build servers

package reset

import (
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"daybook/e2e/harness"
	"daybook/e2e/puppet"
)

// A checkpoint stands at before when it is moved; a running consumer is at the
// log's end then, and has not committed that yet.
const before = 45

// target is where clients move the checkpoint.
const target = 10

func TestEveryWayToMoveACheckpoint(t *testing.T) {
	subjects := slices.Concat(itself, toolReleases, assigning, kafkajs)
	var groups []string
	for _, s := range subjects {
		groups = append(groups, "by-"+s)
	}
	f := fill(t, groups)
	for i, subject := range subjects {
		t.Run(subject, func(t *testing.T) {
			t.Parallel()
			c := &cells{t: t, fixture: f, group: groups[i], subject: subject}
			switch {
			case slices.Contains(itself, subject):
				c.byDaybook()
			case slices.Contains(toolReleases, subject):
				c.byTool(subject)
			default:
				c.byClient(subject)
			}
		})
	}
}

// cells goes through the table with one release or client, in a group of its
// own.
type cells struct {
	*fixture
	t              *testing.T
	group, subject string
	consumers      int // that read while the checkpoint is moved
}

// try moves the checkpoint in each state, and wants what the table says.
func (c *cells) try(name, detail string, to int64, move func() (said string, ok bool)) {
	c.t.Helper()
	i := slices.IndexFunc(ways, func(w way) bool { return w.name == name })
	if !slices.Contains(ways[i].by, c.subject) {
		c.t.Fatalf("the table has no %s by %s", name, c.subject)
	}
	for s, want := range ways[i].answers {
		where := fmt.Sprintf("%s %s, %v", c.subject, detail, state(s))
		began := time.Now()
		c.prepare()
		running := c.run(state(s))
		c.consumers = len(c.Show(c.t, c.group).Consumers)
		said, ok := move()
		c.check(where, want, to, said, ok)
		if running == nil {
			c.begins(where, to)
		} else {
			c.overwrite(where, running)
		}
		c.t.Logf("%s: %v", where, time.Since(began).Round(time.Millisecond))
	}
}

// prepare sets the checkpoint, which an empty group takes from anybody.
func (c *cells) prepare() {
	c.t.Helper()
	client := c.GroupClient(c.t, c.group)
	defer client.Close()
	if err := harness.Commit(c.t.Context(), client, c.group, harness.Checkpoint{Offset: before}); err != nil {
		c.t.Fatalf("set the checkpoint: %v", err)
	}
}

// check looks at what was said, and where the checkpoint is.
func (c *cells) check(where string, want answer, to int64, said string, ok bool) {
	c.t.Helper()
	switch {
	case want.refused == "" && !ok:
		c.t.Errorf("%s: refused: %.300s", where, oneLine(said))
	case want.refused != "" && ok:
		c.t.Errorf("%s: taken, want %s", where, want.text)
	case want.refused != "" && !regexp.MustCompile(want.refused).MatchString(said):
		c.t.Errorf("%s: says %.300q, want %s", where, oneLine(said), want.text)
	}
	if want.refused != "" {
		to = before
	}
	if got := c.checkpoint(c.t, c.group); got != to {
		c.t.Errorf("%s: the checkpoint is %d, want %d", where, got, to)
	}
}

// The session of a member that was killed keeps its place until it ends; the
// lease of a killed consumer ends with its connection.
func TestResetAfterAKill(t *testing.T) {
	const client = "librdkafka-2.15.1"
	for _, s := range []state{stable, leased} {
		t.Run(s.String(), func(t *testing.T) {
			group := "killed"
			f := fill(t, []string{group})
			p := puppet.Start(t, f.Address(), client, puppet.Options{Group: group, Session: 6 * time.Second})
			c := &cells{t: t, fixture: f, group: group, subject: client}
			if s == stable {
				c.done("subscribe", p.Subscribe())
			} else {
				c.done("assign", p.Assign(0))
			}
			c.next(p, 0)
			reset := func() (errors string, exit int) {
				_, errors, exit = f.Run("group", "reset", group, "--to-latest")
				return errors, exit
			}
			if errors, exit := reset(); exit != 6 {
				t.Errorf("with a consumer: exit code %d, %s", exit, errors)
			}
			p.Kill()
			killed := time.Now()
			if errors, exit := reset(); s == stable && exit != 6 {
				t.Errorf("before the session's end: exit code %d, %s", exit, errors)
			}
			for errors, exit := reset(); exit != 0; errors, exit = reset() {
				if time.Since(killed) > 20*time.Second {
					t.Fatalf("exit code %d, %s", exit, errors)
				}
				time.Sleep(100 * time.Millisecond)
			}
			if got := f.checkpoint(t, group); got != rows {
				t.Errorf("the checkpoint is %d, want %d", got, rows)
			}
			t.Logf("moved %v after the kill", time.Since(killed).Round(100*time.Millisecond))
		})
	}
}
