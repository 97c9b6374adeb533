//go:build servers

package reset

import (
	"slices"
	"time"

	"daybook/e2e/puppet"
)

// step is something that a client is told.
type step func(*puppet.Puppet) error

func (c *cells) byClient(name string) {
	command := puppet.Commands(c.t, name)[name]
	start := func(id string) *puppet.Puppet {
		p, err := puppet.Run(c.t, c.Address(), name, command, puppet.Options{Group: c.group, ClientID: id})
		if err != nil {
			c.t.Fatal(err)
		}
		return p
	}
	once := func(id string, steps ...step) func() (string, bool) {
		return func() (string, bool) { return c.once(start(id), steps) }
	}
	assign := func(p *puppet.Puppet) error { return p.Assign(before) }
	there := func(p *puppet.Puppet) error { return p.Assign(target) }
	seek := func(p *puppet.Puppet) error { return p.SeekTo(target) }
	commit := func(p *puppet.Puppet) error { return p.Commit(target, "") }
	for _, w := range ways {
		if !slices.Contains(w.by, name) {
			continue
		}
		switch w.name {
		case byKafkajs:
			c.try(byKafkajs, "admin", target, once(name, func(p *puppet.Puppet) error { return p.SetOffsets(target) }))
		case byCommit:
			c.try(byCommit, "commits", target, once(name, commit))
		case bySeek:
			c.try(bySeek, "seeks", target, once(name, assign, seek, commit))
		case byReading:
			c.try(byReading, "fetches", target, once(name, assign, c.awaitFetch, seek, commit))
			c.try(byReading, "fetches, with the running one's client.id", target, once(runningID, there, c.awaitFetch, commit))
		case byItself:
			c.itself(stable, start(name), (*puppet.Puppet).Subscribe)
			if !slices.Contains(kafkajs, name) {
				c.itself(leased, start(name), assign)
			}
		}
	}
}

// once has a client do the steps until one is refused, and end.
func (c *cells) once(p *puppet.Puppet, steps []step) (said string, ok bool) {
	c.t.Helper()
	for _, step := range steps {
		err := step(p)
		said, refused := puppet.Refused(err)
		if refused {
			p.Kill()
			return said, false
		}
		if err != nil {
			c.t.Fatal(err)
		}
	}
	if err := p.Close(); err != nil {
		c.t.Errorf("%s: close: %v", p.Name, err)
	}
	return "", true
}

// awaitFetch polls until Daybook knows of one more consumer.
func (c *cells) awaitFetch(p *puppet.Puppet) error {
	c.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if _, err := p.Poll(200*time.Millisecond, 1); err != nil {
			return err
		}
		if n := len(c.Show(c.t, c.group).Consumers); n > c.consumers {
			return nil
		}
	}
	c.t.Fatalf("%s does not fetch", p.Name)
	return nil
}

// itself has the running consumer move its own checkpoint.
func (c *cells) itself(s state, p *puppet.Puppet, begin func(*puppet.Puppet) error) {
	c.t.Helper()
	c.prepare()
	c.done("begin", begin(p))
	c.next(p, before)
	c.done("commit", p.Commit(before+1, ""))
	c.done("seek", p.SeekTo(target))
	c.next(p, target)
	c.done("commit", p.Commit(target+1, ""))
	if got := c.checkpoint(c.t, c.group); got != target+1 {
		c.t.Errorf("%s itself, %v: the checkpoint is %d, want %d", c.subject, s, got, target+1)
	}
	c.done("close", p.Close())
}

func (c *cells) done(step string, err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatalf("%s: %s: %v", c.subject, step, err)
	}
}

// next wants the consumer's next record to be that one.
func (c *cells) next(p *puppet.Puppet, want int64) {
	c.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		records, err := p.Poll(time.Second, 1)
		c.done("poll", err)
		if len(records) == 0 {
			continue
		}
		if records[0].Offset != want {
			c.t.Fatalf("%s: the next record is %d, want %d", c.subject, records[0].Offset, want)
		}
		return
	}
	c.t.Fatalf("%s: record %d does not come", c.subject, want)
}
