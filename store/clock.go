package store

import (
	"log/slog"
	"sync"
	"time"
)

// clock tells the time by which batches age. It runs with the time that passes, so
// that a wall clock that is set moves nothing: a batch stays for the retention age after it was
// appended, whatever the wall clock said then and says now.
//
// How long Daybook was stopped only the wall clock tells. That is believed not before Daybook
// has run for a while (grace), if the clock still says so then, and no more than it
// said at first: a clock that is wrong at boot is mended in that time.
type clock struct {
	wall  func() time.Time
	grace time.Duration
	log   *slog.Logger

	mu      sync.Mutex
	opened  time.Time     // monotonic
	base    int64         // this clock's time when opened, milliseconds
	ahead   int64         // how far the wall clock is ahead of this one
	stopped time.Duration // what the wall clock said at first; 0: it is counted, or there is nothing to count
}

// clockReading is what both clocks said in one moment, in milliseconds.
type clockReading struct {
	Retention int64 `json:"retention"`
	Wall      int64 `json:"wall"`
}

// open sets the clock to what it was at a moment of the last run, not before
// newest, when a batch was appended (0: there is none). Without a reading the newest batch's
// time was that of both clocks.
func (c *clock) open(last *clockReading, newest int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opened = time.Now()
	wall := c.wall().UnixMilli()
	switch {
	case last != nil:
		c.base, c.ahead = max(last.Retention, newest), last.Wall-last.Retention
	case newest > 0:
		c.base = newest
	default:
		c.base = wall
	}
	c.stopped = time.Duration(max(wall-c.ahead-c.base, 0)) * time.Millisecond
	if c.stopped == 0 {
		c.ahead = wall - c.base // it has been set back
	}
	if c.stopped > c.grace {
		c.log.Info("the clock says that Daybook was stopped for long; that counts for retention if it still says so in a while",
			"stopped", c.stopped.Round(time.Second), "in", c.grace)
	}
}

func (c *clock) now() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.nowLocked()
}

func (c *clock) nowLocked() int64 { return c.base + time.Since(c.opened).Milliseconds() }

// reading is what open needs the next time. While the time that Daybook was stopped is
// not counted, it is left out of the wall clock's, so that it is still seen then.
func (c *clock) reading() *clockReading {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.nowLocked()
	return &clockReading{Retention: now, Wall: now + c.ahead}
}

// look compares the clocks, from time to time.
func (c *clock) look() {
	c.mu.Lock()
	defer c.mu.Unlock()
	ahead := c.wall().UnixMilli() - c.nowLocked() // if nothing happened: ahead and stopped
	if c.stopped == 0 {
		if jump := time.Duration(ahead-c.ahead) * time.Millisecond; jump.Abs() > time.Minute {
			c.log.Warn("the clock has been set; retention goes on by the time that passes", "by", jump.Round(time.Second))
			c.ahead = ahead
		}
		return
	}
	if time.Since(c.opened) < c.grace {
		return
	}
	counts := min(c.stopped.Milliseconds(), max(ahead-c.ahead, 0))
	c.base += counts
	c.ahead, c.stopped = ahead-counts, 0
}
