package binlog

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"daybook/binlog/dump"
)

// TestHeldBack has a source that sends heartbeats, and not what its binlog has.
func TestHeldBack(t *testing.T) {
	var log bytes.Buffer
	h := &heldBack{log: slog.New(slog.NewTextHandler(&log, nil)), source: "db:3306", patience: 200 * time.Millisecond}
	s := &stream{}
	until := func(what string, wait time.Duration, change func(n int)) (err error) {
		for n, began := 0, time.Now(); err == nil && time.Since(began) < wait; n++ {
			change(n)
			err = h.look(s)
			time.Sleep(5 * time.Millisecond)
		}
		if err != nil && what != "" {
			t.Fatalf("%s: %v", what, err)
		}
		return err
	}
	s.file, s.offset = "binlog.000001", 4
	until("the source looks for the place", 400*time.Millisecond, func(int) {})
	until("it reads", 400*time.Millisecond, func(n int) { s.offset = uint64(n) })
	until("it reads what is not wanted", 400*time.Millisecond, func(n int) { s.heartbeat = place{"binlog.000001", uint64(n)} })
	if log.Len() > 0 {
		t.Errorf("log: %s", &log)
	}
	s.offset, s.heartbeat = 157, place{"binlog.000001", 157}
	err := until("", 5*time.Second, func(int) {})
	if err == nil || !dump.IsTransient(err) || !strings.Contains(err.Error(), "binlog.000001:157: transactions there wait to be synced") {
		t.Errorf("got %v", err)
	}
	if strings.Count(log.String(), "level=WARN") != 1 {
		t.Errorf("log: %s", &log)
	}
}
