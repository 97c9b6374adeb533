package store_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"daybook/store"
	"daybook/store/storetest"
)

// setClock is a wall clock that can be set.
type setClock struct{ by atomic.Int64 }

func (c *setClock) now() time.Time { return time.Now().Add(time.Duration(c.by.Load())) }

func (c *setClock) set(by time.Duration) { c.by.Store(int64(by)) }

// TestClockThatIsSet sets the clock in every way. A batch goes 24 hours after it was
// appended, by the time that has passed.
func TestClockThatIsSet(t *testing.T) {
	const month = 30 * 24 * time.Hour
	type step struct {
		set  time.Duration // where the wall clock is from now on, ahead of the time that passes
		stop time.Duration // stopped for so long; < 0: restarted at once
		run  time.Duration // then it runs so long
		want bool          // the batch is still there then
	}
	for name, steps := range map[string][]step{
		"not":                            {{run: 23*time.Hour + 58*time.Minute, want: true}, {run: 5 * time.Minute}},
		"ahead while running":            {{set: month, run: 23 * time.Hour, want: true}, {set: month, run: 2 * time.Hour}},
		"ahead, and restarted":           {{set: month, run: 2 * time.Hour, want: true}, {set: month, stop: -1, run: 20 * time.Hour, want: true}, {set: month, run: 3 * time.Hour}},
		"ahead, and back while stopped":  {{set: month, run: 2 * time.Hour, want: true}, {stop: -1, run: 20 * time.Hour, want: true}, {run: 3 * time.Hour}},
		"back while running":             {{set: -month, run: 23 * time.Hour, want: true}, {set: -month, run: 2 * time.Hour}},
		"back, and restarted":            {{set: -month, run: time.Hour, want: true}, {set: -month, stop: -1, run: 22 * time.Hour, want: true}, {set: -month, run: 2 * time.Hour}},
		"of 1970 at boot":                {{set: -month, stop: time.Hour, run: time.Minute, want: true}, {run: 22 * time.Hour, want: true}, {run: 3 * time.Hour}},
		"ahead at boot, then right":      {{set: month, stop: time.Hour, run: 10 * time.Minute, want: true}, {run: 21 * time.Hour, want: true}, {run: 3 * time.Hour}},
		"stopped for days":               {{stop: 3 * 24 * time.Hour, run: 50 * time.Minute, want: true}, {run: 15 * time.Minute}},
		"stopped for half a day":         {{stop: 12 * time.Hour, run: 11 * time.Hour, want: true}, {run: 2 * time.Hour}},
		"stopped, and restarted at once": {{stop: 3 * 24 * time.Hour, run: 10 * time.Minute, want: true}, {stop: -1, run: 50 * time.Minute, want: true}, {run: 15 * time.Minute}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				clock := &setClock{}
				o := store.Options{Dir: "data", FS: vfs.NewMem(), Wall: clock.now}
				s := storetest.OpenWith(t, o)
				appendBatch(t, partition(t, s, "shop"), storetest.Batch(0, "a"), store.State{})
				time.Sleep(2 * time.Minute)
				for i, step := range steps {
					if step.stop != 0 {
						storetest.Close(t, s)
						time.Sleep(max(step.stop, 0))
					}
					clock.set(step.set)
					if step.stop != 0 {
						s = storetest.OpenWith(t, o)
					}
					time.Sleep(step.run)
					if there := partition(t, s, "shop").LogStartOffset() == 0; there != step.want {
						t.Fatalf("after step %d the batch is there: %v", i, there)
					}
				}
			})
		})
	}
}
