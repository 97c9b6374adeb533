//go:build servers

package groups

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"daybook/e2e/harness"
	"daybook/e2e/puppet"
)

// reader is the consumer of one group. It processes what its client gives it,
// and holds the client to the rule: the next record is the one that follows, or
// one at a checkpoint, once it was started again or lost its membership.
type reader struct {
	group, client string
	assign        bool          // it takes the partition itself, in place of subscribing
	batch         int           // records of a poll
	commitEvery   int64         // records
	pause         time.Duration // after each poll, while there is more to come
	interrupt     time.Duration // how often, about, the client is ended, in order or by a kill
	start         func() (*puppet.Puppet, error)
	rng           *rand.Rand
	total         *atomic.Int64 // records of the log; -1: not known yet

	processed []([sha256.Size]byte) // by offset
	position  int64                 // the next record, if nothing happens
	acked     int64                 // the checkpoint that was acknowledged last
	attempted []int64               // commits since then: one may have come through
	refused   bool                  // the last commit was, and no record has come since

	committed func(context.Context) (harness.Checkpoint, error) // asks for the checkpoint

	// For the report; next is also read by others.
	next                   atomic.Int64
	doubles, starts, kills int
}

// prepare gives the reader what it runs with.
func (r *reader) prepare(t *testing.T, d *harness.Daybook, total *atomic.Int64, rng *rand.Rand) {
	t.Helper()
	command := puppet.Commands(t, r.client)[r.client]
	r.total, r.rng = total, rand.New(rand.NewPCG(rng.Uint64(), 0))
	asking := d.GroupClient(t, r.group)
	r.committed = func(ctx context.Context) (harness.Checkpoint, error) {
		return harness.Committed(ctx, asking, r.group)
	}
	r.start = func() (*puppet.Puppet, error) {
		return puppet.Run(t, d.Address(), r.client, command, puppet.Options{Group: r.group, Session: 6 * time.Second})
	}
}

// run processes the log from its start to its end.
func (r *reader) run(ctx context.Context) error {
	for ctx.Err() == nil {
		done, err := r.incarnation(ctx)
		if done || err != nil {
			return err
		}
	}
	return fmt.Errorf("%s: only %d of %d records came", r.group, len(r.processed), r.total.Load())
}

// incarnation is the life of one process.
func (r *reader) incarnation(ctx context.Context) (done bool, err error) {
	p, err := r.start()
	if err != nil {
		return false, err
	}
	defer p.Kill()
	r.starts++
	if r.assign {
		err = p.Assign(-1)
	} else {
		err = p.Subscribe()
	}
	if err != nil {
		return false, err
	}
	var end <-chan time.Time
	if r.interrupt > 0 && r.total.Load() < 0 {
		end = time.After(r.interrupt/2 + time.Duration(r.rng.Int64N(int64(r.interrupt))))
	}
	for ctx.Err() == nil {
		select {
		case <-end:
			return false, r.end(p)
		default:
		}
		if done, err := r.step(ctx, p); done || err != nil {
			return done, err
		}
	}
	return false, nil
}

// end kills the client, or has it leave, after a commit or without one.
func (r *reader) end(p *puppet.Puppet) error {
	switch r.starts % 3 {
	case 1:
		r.kills++
		return nil
	case 2:
		if _, err := r.commit(p); err != nil {
			return err
		}
	}
	err := p.Close()
	if _, refused := puppet.Refused(err); err != nil && !refused { // while Daybook is away a client cannot leave
		return fmt.Errorf("%s: %w", r.group, err)
	}
	return nil
}

// step is one poll, and a commit if it is time.
func (r *reader) step(ctx context.Context, p *puppet.Puppet) (done bool, err error) {
	records, err := p.Poll(time.Second, r.batch)
	if _, refused := puppet.Refused(err); err != nil && !refused {
		return false, fmt.Errorf("%s: %w", r.group, err)
	}
	for _, record := range records {
		if err := r.process(record); err != nil {
			return false, err
		}
	}
	if r.refused = r.refused && len(records) == 0; r.refused {
		// The client lost its membership, and goes on at the checkpoint when it has it
		// again: it must not commit meanwhile where it was before.
		cp, err := r.committed(ctx)
		if err != nil || cp.Offset != r.position {
			return false, nil
		}
		r.acked, r.attempted, r.refused = cp.Offset, nil, false
	}
	total := r.total.Load()
	if r.position-r.acked >= r.commitEvery || r.position == total {
		acked, err := r.commit(p)
		if err != nil || acked && r.position == total {
			return err == nil, err
		}
	}
	if total < 0 {
		sleep(ctx, r.pause)
	}
	return false, nil
}

func (r *reader) process(record puppet.Record) error {
	sum := hash(record.Key, record.Value)
	if record.Offset != r.position {
		if record.Offset != r.acked && !slices.Contains(r.attempted, record.Offset) || record.Offset > r.position {
			return fmt.Errorf("%s: after offset %d comes %d; acknowledged is the checkpoint %d, since then %v were tried",
				r.group, r.position-1, record.Offset, r.acked, r.attempted)
		}
		r.acked, r.attempted = record.Offset, nil
	}
	r.position = record.Offset + 1
	if record.Offset < int64(len(r.processed)) {
		r.doubles++
		if r.processed[record.Offset] != sum {
			return fmt.Errorf("%s: offset %d was another record before: now %.200s", r.group, record.Offset, record.Value)
		}
		return nil
	}
	r.processed = append(r.processed, sum)
	r.next.Store(r.position)
	return nil
}

// commit commits the position. That it is refused, as one that is no member any
// more is, or fails while Daybook is away, is no error.
func (r *reader) commit(p *puppet.Puppet) (acked bool, err error) {
	r.attempted = append(r.attempted, r.position)
	err = p.Commit(r.position, "")
	if _, r.refused = puppet.Refused(err); r.refused {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("%s: %w", r.group, err)
	}
	r.acked, r.attempted = r.position, nil
	return true, nil
}

// compare wants what was processed to be the log.
func (r *reader) compare(t *testing.T, log [][sha256.Size]byte) {
	t.Helper()
	for i, sum := range r.processed {
		if i < len(log) && sum != log[i] {
			t.Fatalf("%s: offset %d is not what the log holds", r.group, i)
		}
	}
	if len(r.processed) != len(log) {
		t.Errorf("%s: processed %d records, the log has %d", r.group, len(r.processed), len(log))
	}
}

func progress(readers []*reader) string {
	var s []string
	for _, r := range readers {
		s = append(s, fmt.Sprintf("%s at %d", r.group, r.next.Load()))
	}
	return strings.Join(s, ", ")
}

func hash(key, value string) [sha256.Size]byte {
	return sha256.Sum256([]byte(key + "\x00" + value))
}

func orNull(b []byte) string {
	if b == nil {
		return "NULL"
	}
	return string(b)
}
