package cli

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

const (
	// outputLimit bounds the bytes that wait to be written.
	outputLimit = 256 << 10
	// flushLimit bounds what the end waits for the last lines to be written.
	flushLimit = time.Second
)

// output is what goes to stderr, the log above all. Whoever reads there may
// stop reading, and a write would then wait for good: so nobody but output's
// own goroutine writes. What others write waits in a queue; when that is full,
// lines are lost, and counted, and the number is told as soon as writing works
// again. Each Write is one line or several whole ones.
//
// Methods may be called from any goroutine.
type output struct {
	w    io.Writer
	done chan struct{} // closed when the goroutine has ended

	mu      sync.Mutex
	changed sync.Cond // pending or closed
	pending []byte    // whole lines
	full    bool      // nothing fitted any more since pending was last taken
	lost    int       // lines that nobody was told of yet
	since   time.Time // when the first of them was lost
	handler func(io.Writer) slog.Handler
	closed  bool
}

func newOutput(w io.Writer) *output {
	o := &output{w: w, done: make(chan struct{}), handler: func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) }}
	o.changed.L = &o.mu
	return o
}

func (o *output) open() { go o.run() }

// close waits for the last lines to be written, for flushLimit at most: if
// nobody reads, the goroutine ends with the process.
func (o *output) close() {
	o.mu.Lock()
	o.closed = true
	o.changed.Signal()
	o.mu.Unlock()
	select {
	case <-o.done:
	case <-time.After(flushLimit):
	}
}

// log returns a logger that writes here, with handlers that make makes. Lost
// lines are told in that form from now on.
func (o *output) log(make func(io.Writer) slog.Handler) *slog.Logger {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.handler = make
	return slog.New(make(o))
}

// Write implements io.Writer. It never waits, and never fails.
func (o *output) Write(lines []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.full || len(o.pending) > 0 && len(o.pending)+len(lines) > outputLimit {
		o.full = true // even if a shorter one would fit: what is lost is one stretch
		o.lose(lines)
		return len(lines), nil
	}
	o.pending = append(o.pending, lines...)
	o.changed.Signal()
	return len(lines), nil
}

// lose counts lines that are not written. o.mu is held.
func (o *output) lose(lines []byte) {
	if o.lost == 0 {
		o.since = time.Now()
	}
	o.lost += max(1, bytes.Count(lines, []byte("\n")))
}

// run writes what is pending, until it is closed and nothing is left.
func (o *output) run() {
	defer close(o.done)
	var lines []byte
	for {
		var full bool
		if lines, full = o.take(lines); len(lines) == 0 {
			return
		}
		if !full {
			o.tellLost() // they were lost before these lines
		}
		if n, err := o.w.Write(lines); err != nil {
			o.mu.Lock()
			o.lose(lines[n:])
			o.mu.Unlock()
		} else if full {
			o.tellLost()
		}
	}
}

// take waits for lines; there are none any more once it is closed. It takes an
// empty buffer to fill meanwhile: the one that was written last.
func (o *output) take(written []byte) (lines []byte, full bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.pending) == 0 && !o.closed {
		o.changed.Wait()
	}
	lines, full = o.pending, o.full
	o.pending, o.full = written[:0], false
	if cap(written) > outputLimit/4 {
		o.pending = nil // it was a flood
	}
	return lines, full
}

// tellLost tells how many lines were lost, if any were.
func (o *output) tellLost() {
	o.mu.Lock()
	lost, since, handler := o.lost, o.since, o.handler
	o.mu.Unlock()
	if lost == 0 {
		return
	}
	var line bytes.Buffer
	r := slog.NewRecord(time.Now(), slog.LevelWarn, "log lines were lost, as nobody read the log", 0)
	r.AddAttrs(slog.Int("lines", lost), slog.Time("since", since))
	// Not through a logger: it is told at every level.
	if err := handler(&line).Handle(context.Background(), r); err != nil {
		return
	}
	if _, err := o.w.Write(line.Bytes()); err != nil {
		return // nobody reads yet
	}
	o.mu.Lock()
	o.lost -= lost
	o.mu.Unlock()
}
