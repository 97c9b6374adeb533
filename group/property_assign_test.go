package group_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"daybook/group"
)

// TestRandomReaders lets readers without members fetch, wait, fall silent and
// close at random, and compares every turn with a model of the queue.
func TestRandomReaders(t *testing.T) {
	for _, seed := range seeds(100) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, r *rig) {
				q := &queue{t: t, rng: rand.New(rand.NewPCG(seed, 2)), r: r}
				for range 300 {
					q.step()
				}
			})
		})
	}
}

// queue is the run and its model.
type queue struct {
	t       *testing.T
	rng     *rand.Rand
	r       *rig
	readers []*queued // the longest-waiting first
	active  *queued
	opened  int
}

// queued is a reader and what is expected of it.
type queued struct {
	*reader
	inFlight bool
	heard    time.Time
	served   bool // it is active and was told
	fell     bool // it was served, and nobody has been since
	lost     bool // another one has been, and it was not told
}

func (q *queue) step() {
	switch n := q.rng.IntN(100); {
	case n < 10 && len(q.readers) < 5:
		q.opened++
		q.readers = append(q.readers, &queued{reader: q.r.reader(fmt.Sprint("r", q.opened))})
	case n < 15 && len(q.readers) > 0:
		r := q.any()
		if r.inFlight {
			r.End(0)
		}
		r.Close()
		if q.active == r {
			q.release()
		}
		q.readers = slices.DeleteFunc(q.readers, func(o *queued) bool { return o == r })
		q.choose(time.Now())
	case n < 75 && len(q.readers) > 0:
		q.use(q.any())
	default:
		time.Sleep(time.Duration(q.rng.Int64N(int64(silence / 2))))
		q.pass(time.Now())
	}
	synctest.Wait()
	for _, r := range q.readers {
		if r.inFlight {
			q.expect(r, r.Turn())
		}
	}
}

func (q *queue) any() *queued { return q.readers[q.rng.IntN(len(q.readers))] }

// use begins or ends a Fetch.
func (q *queue) use(r *queued) {
	now := time.Now()
	if r.inFlight {
		r.End(0)
		r.inFlight, r.heard = false, now
		return
	}
	turn := r.Begin(0)
	if !r.alive(now) {
		q.last(r)
	}
	r.inFlight, r.heard = true, now
	q.choose(now)
	q.expect(r, turn)
}

func (q *queue) expect(r *queued, got group.Turn) {
	q.t.Helper()
	want := standby
	switch {
	case q.active == r:
		want, r.served = active, true
	case r.lost:
		want, r.lost = lost, false
	}
	if got != want {
		q.t.Fatalf("%s has turn %s, want %s", r.client.ID, name(got), name(want))
	}
}

func (r *queued) alive(at time.Time) bool { return r.inFlight || at.Sub(r.heard) < silence }

// pass is the passing of time until now.
func (q *queue) pass(now time.Time) {
	for q.active != nil && !q.active.alive(now) {
		end := q.active.heard.Add(silence)
		q.release()
		q.choose(end)
	}
}

func (q *queue) release() {
	q.active.fell, q.active.served = q.active.served, false
	q.last(q.active)
	q.active = nil
}

// choose gives the turn to the longest-waiting reader that is alive, if nobody
// has it.
func (q *queue) choose(at time.Time) {
	i := slices.IndexFunc(q.readers, func(r *queued) bool { return r.alive(at) })
	if q.active != nil || i < 0 {
		return
	}
	q.active = q.readers[i]
	for _, r := range q.readers {
		r.lost, r.fell = r.lost || r.fell, false
	}
	q.active.lost = false
}

func (q *queue) last(r *queued) {
	q.readers = append(slices.DeleteFunc(q.readers, func(o *queued) bool { return o == r }), r)
}
