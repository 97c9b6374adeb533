package admin

import (
	"log/slog"
	"strings"
	"sync"
	"time"
)

// logInterval is the time between two lines about what anybody can cause.
const logInterval = 10 * time.Second

// limitedLog logs what clients that are not authenticated can cause: one line
// in logInterval, with the number of those left out before it.
type limitedLog struct {
	log *slog.Logger

	mu      sync.Mutex
	next    time.Time
	leftOut int
}

func (l *limitedLog) warn(msg string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Before(l.next) {
		l.leftOut++
		return
	}
	if l.leftOut > 0 {
		args = append(args, "left_out", l.leftOut)
	}
	l.next, l.leftOut = now.Add(logInterval), 0
	l.log.Warn(msg, args...)
}

// errorLog takes what net/http has to say, such as failed TLS handshakes.
type errorLog struct{ *limitedLog }

// Write implements io.Writer.
func (l errorLog) Write(p []byte) (int, error) {
	l.warn("admin API", "error", strings.TrimSpace(string(p)))
	return len(p), nil
}
