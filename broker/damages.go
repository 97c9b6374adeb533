package broker

import (
	"log/slog"
	"sync"
	"time"
)

const (
	// damageSilence is how long a damage is not told again.
	damageSilence = 10 * time.Minute
	// maxDamages bounds what is remembered of what was told.
	maxDamages = 100
)

// damages remembers what was told of logs that cannot be read: a consumer comes back to
// such a place several times a second, for as long as nobody mends it.
type damages struct {
	mu   sync.Mutex
	told map[damage]time.Time
}

type damage struct{ topic, text string }

// pass tells whether it is to be told.
func (d *damages) pass(topic string, err error) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	key, now := damage{topic, err.Error()}, time.Now()
	if at, ok := d.told[key]; ok && now.Sub(at) < damageSilence {
		return false
	}
	if d.told == nil || len(d.told) >= maxDamages {
		d.told = make(map[damage]time.Time)
	}
	d.told[key] = now
	return true
}

// complainOfDamage logs that a consumer cannot have what it asked for, if that was not told
// a short while ago.
func (c *conn) complainOfDamage(message, topic string, err error, args ...any) {
	if c.s.damages.pass(topic, err) {
		c.complain(slog.LevelError, message, append([]any{"topic", topic, "error", err}, args...)...)
	}
}
