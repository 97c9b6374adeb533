//go:build servers

package takeover

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"daybook/admin"
	"daybook/e2e/puppet"
)

// crowd is the consumers of one group and the model of what they may do: one is
// active and reads a run of consecutive records; the next run begins at the
// checkpoint, so no record is lost and only those after the checkpoint come
// twice. (With plain assign a run begins where its consumer stood.)
type crowd struct {
	mode  mode
	group string
	admin *admin.Client
	over  <-chan struct{} // closed when the test is

	mu         sync.Mutex
	cond       *sync.Cond // with mu, when anything below has changed
	active     *member    // who read the last run
	runs       int
	records    int   // read in the last run
	end        int64 // after the highest record that was read
	checkpoint int64
	pending    int64 // a commit that is not answered yet, else checkpoint
	wrong      []string
	trace      strings.Builder
}

// record tells that the member was given a record; it returns whether a run
// begins with it.
func (c *crowd) record(m *member, r puppet.Record) (first bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.cond.Broadcast()
	var v struct{ After struct{ ID int64 } }
	if err := json.Unmarshal([]byte(r.Value), &v); err != nil || v.After.ID != r.Offset {
		c.fault(m, "record %d is %.200q", r.Offset, r.Value)
	}
	if c.active == m && r.Offset == m.next {
		m.advance(r.Offset)
		c.records++
		return false
	}
	want := []int64{c.checkpoint, c.pending}
	if c.mode == assign {
		want = []int64{m.next}
	}
	if r.Offset == m.next && r.Offset < m.limit && !c.active.ended() && !c.active.leaving.Load() {
		c.say(m, "had been sent %d before", r.Offset)
		m.next++
		return false
	}
	right := slices.Contains(want, r.Offset)
	if !right {
		c.fault(m, "reads from %d, want one of %v; %d was processed", r.Offset, want, c.end)
	}
	c.say(m, "reads from %d, checkpoint %d, processed up to %d", r.Offset, c.checkpoint, c.end)
	c.active, c.records, m.limit = m, 1, 0
	c.runs++
	m.advance(r.Offset)
	return true
}

// ended says if the consumer has left or its process is gone.
func (m *member) ended() bool {
	select {
	case <-m.done:
		return true
	default:
		return false
	}
}

// advance is called with mu held.
func (m *member) advance(offset int64) {
	m.next, m.idle = offset+1, 0
	m.end = max(m.end, m.next)
}

func (m *member) isActive() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.active == m
}

// attempt and committed tell of a commit of what the member has processed.
func (c *crowd) attempt(m *member) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.trying = c.active == m; m.trying {
		c.pending = m.next
	}
}

func (c *crowd) committed(m *member, answer string, accepted bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.cond.Broadcast()
	switch {
	case !accepted:
		m.refused++
		c.say(m, "commit of %d refused: %.200s", m.next, answer)
	case !m.trying:
		c.fault(m, "its commit of %d was accepted though %s is active", m.next, c.active.name)
	case c.active == m, m.next > c.checkpoint: // the next one may be quicker to read than this one to tell
		c.checkpoint = m.next
	}
	if c.active == m || c.pending < c.checkpoint {
		c.pending = c.checkpoint
	}
}

func (c *crowd) note(m *member, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.say(m, "%.200s", text)
}

// broken tells of something that should work.
func (c *crowd) broken(m *member, format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault(m, format, args...)
}

// fault and say are called with mu held.
func (c *crowd) fault(m *member, format string, args ...any) {
	c.say(m, "WRONG: "+format, args...)
	c.wrong = append(c.wrong, m.name+": "+fmt.Sprintf(format, args...))
}

func (c *crowd) say(m *member, format string, args ...any) {
	fmt.Fprintf(&c.trace, "%s %s: %s\n", time.Now().Format("04:05.000"), m.name, fmt.Sprintf(format, args...))
}

// wait waits until the condition, which is called with mu held, holds.
func (c *crowd) wait(what string, limit time.Duration, condition func() bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	late := false
	defer time.AfterFunc(limit, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		late = true
		c.cond.Broadcast()
	}).Stop()
	for !condition() {
		if late {
			return fmt.Errorf("not within %v: %s", limit, what)
		}
		c.cond.Wait()
	}
	return nil
}

// fetchCheckpoint asks Daybook for the group's checkpoint.
func (c *crowd) fetchCheckpoint() (int64, error) {
	g, err := c.admin.Group(context.Background(), c.group)
	if err != nil || g.Checkpoint == nil {
		return 0, cmp.Or(err, errors.New("no checkpoint"))
	}
	return g.Checkpoint.Offset, nil
}
