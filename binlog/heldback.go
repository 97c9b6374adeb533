package binlog

import (
	"cmp"
	"fmt"
	"log/slog"
	"time"

	"daybook/binlog/dump"
)

// holdPatience is how long a scan waits for what a source says that its binlog has, and sends heartbeats
// instead: it keeps what is not synced to its disk from its replicas. It is twice the time of an answer.
func (r *Reader) holdPatience() time.Duration {
	return 2 * cmp.Or(r.o.Source.Times.Answer, 30*time.Second)
}

// heldBack watches a scan that has not come to its end, for a source that holds the rest back.
type heldBack struct {
	log      *slog.Logger
	source   string
	patience time.Duration

	at, heartbeat place
	since         time.Time
	told          bool
}

// look is asked whenever nothing is there to be read: heartbeats alone keep coming. A source that is silent is
// not held to be one, as it may look for the place.
func (h *heldBack) look(s *stream) error {
	if at := (place{s.file, s.offset}); h.since.IsZero() || s.heartbeat == (place{}) || at != h.at || s.heartbeat != h.heartbeat {
		h.at, h.heartbeat, h.since = at, s.heartbeat, time.Now()
		return nil
	}
	waited := time.Since(h.since)
	if waited > h.patience/4 && !h.told {
		h.told = true
		h.log.Warn("the source sends no more of its binlog, whose end has not been synced to its disk: it is waited for",
			"source", h.source, "file", h.at.file, "pos", h.at.pos)
	}
	if waited > h.patience {
		return dump.Transient(fmt.Errorf("for %s the source has not sent what its binlog has behind %s:%d: transactions there wait to be synced to its disk; "+
			"look at the disk of its binlogs, and at SHOW PROCESSLIST for who waits to commit; the task goes on when they have committed", h.patience, h.at.file, h.at.pos))
	}
	return nil
}
