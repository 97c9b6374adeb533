package store

import (
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

const (
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Minute
)

// scheduler lets Pebble run one compaction at a time, and after one that
// failed none for a while: Pebble itself would try the same again at once, for ever.
type scheduler struct {
	db   pebble.DBForCompaction
	wake chan struct{} // something may be granted now
	stop chan struct{}
	done sync.WaitGroup

	mu      sync.Mutex // not held in calls to db, which come here with its own locks held
	running bool
	pause   time.Duration // the last one; 0: the last compaction has not failed
	resume  time.Time
}

func newScheduler() *scheduler {
	return &scheduler{wake: make(chan struct{}, 1), stop: make(chan struct{})}
}

// failed is told of a compaction that failed, ended of one that did not.
func (s *scheduler) failed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pause = min(max(2*s.pause, firstPause), lastPause)
	s.resume = time.Now().Add(s.pause)
	time.AfterFunc(s.pause, s.poke)
}

func (s *scheduler) ended() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pause = 0
}

// take takes the one place, if it is free and there is no pause.
func (s *scheduler) take() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running || time.Now().Before(s.resume) {
		return false
	}
	s.running = true
	return true
}

func (s *scheduler) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = false
}

// grant offers the place to who did not get it when he asked.
func (s *scheduler) grant() {
	if !s.take() {
		return
	}
	if waiting, _ := s.db.GetWaitingCompaction(); !waiting || !s.db.Schedule(s) {
		s.release()
	}
}

func (s *scheduler) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Register, Unregister, TrySchedule and UpdateGetAllowedWithoutPermission are
// what Pebble asks of a scheduler; Done and the rest what it tells of a compaction.

func (s *scheduler) Register(_ int, db pebble.DBForCompaction) {
	s.db = db
	s.done.Go(func() {
		for {
			select {
			case <-s.stop:
				return
			case <-s.wake:
			}
			s.grant()
		}
	})
}

func (s *scheduler) Unregister() {
	close(s.stop)
	s.done.Wait()
}

func (s *scheduler) TrySchedule() (bool, pebble.CompactionGrantHandle) {
	if !s.take() {
		return false, nil
	}
	return true, s
}

func (s *scheduler) UpdateGetAllowedWithoutPermission() {}

func (s *scheduler) Done() {
	s.release()
	s.poke()
}

func (s *scheduler) Started()                                          {}
func (s *scheduler) MeasureCPU(pebble.CompactionGoroutineKind)         {}
func (s *scheduler) CumulativeStats(pebble.CompactionGrantHandleStats) {}
