//go:build servers

package takeover

import (
	"fmt"
	"sync/atomic"
	"syscall"
	"time"

	"daybook/e2e/puppet"
)

const (
	commitEach = 5 // records
	holdAt     = 3 // records processed and not committed while a member is held
)

// mode is how a consumer comes to its partition.
type mode string

const (
	subscribe mode = "subscribe"
	// assign goes on from where it stood when it becomes active.
	assign mode = "assign"
	// resume is assign with a look at the checkpoint before the first record
	// after a pause, and after a refused commit.
	resume mode = "resume"
)

// member is one consumer: a stock client, and an application that commits after
// every few records that it has processed. Its goroutine is work.
type member struct {
	*crowd
	name   string
	puppet *puppet.Puppet
	link   link
	done   chan struct{} // closed when work has returned
	err    error         // why, valid then; nil if it was told to leave

	leaving atomic.Bool
	hold    atomic.Bool
	held    chan struct{} // receives when it is held
	release chan struct{} // lets it go on

	// work's own
	uncommitted int
	ask         bool

	// Guarded by the crowd's mu.
	next    int64 // after the record processed last; at first where it stands
	idle    int   // polls without records since the last one with
	refused int   // commits
	limit   int64 // it was frozen or cut off: what it may have been sent before ends below
	trying  bool  // it commits what it has read as the active one
}

// work polls, processes and commits until it is told to leave or its process
// ends.
func (m *member) work() {
	defer close(m.done)
	m.ask = true
	for !m.leaving.Load() {
		records, err := m.puppet.Poll(300*time.Millisecond, 500)
		if text, said := puppet.Refused(err); said {
			m.note(m, "poll: "+text)
		} else if err != nil {
			m.err = err
			return
		}
		if len(records) == 0 {
			m.pause()
		} else if !m.elsewhere(records[0].Offset) {
			m.process(records)
		}
	}
	if m.uncommitted > 0 && m.isActive() { // a member knows from its assignment
		m.commit()
	}
	m.err = m.puppet.Close()
}

func (m *member) process(records []puppet.Record) {
	for _, r := range records {
		if m.record(m, r) {
			m.uncommitted = 0
		}
		m.uncommitted++
		stop := m.hold.Load() && m.uncommitted == holdAt
		if stop {
			m.hold.Store(false)
			m.held <- struct{}{}
			select {
			case <-m.release:
			case <-m.over:
			}
		}
		if stop || m.uncommitted == commitEach {
			accepted, alive := m.commit()
			if !alive || !accepted && m.mode == resume {
				return // what follows the checkpoint comes again, or is another's
			}
		}
	}
}

// pause is an empty poll. In assign mode the lease fences what is committed
// now; a member would have to do it when its partition is revoked.
func (m *member) pause() {
	if m.mode == resume && m.uncommitted > 0 {
		m.commit()
	}
	m.ask = true
	m.mu.Lock()
	defer m.mu.Unlock()
	m.idle++
	m.cond.Broadcast()
}

// elsewhere goes to the checkpoint if another consumer may have moved it.
func (m *member) elsewhere(offset int64) bool {
	if m.mode != resume || !m.ask {
		return false
	}
	checkpoint, err := m.fetchCheckpoint()
	if err == nil && checkpoint != offset {
		err = m.puppet.SeekTo(checkpoint)
	}
	if err != nil {
		m.broken(m, "go to the checkpoint: %v", err)
	}
	m.ask = checkpoint != offset
	return m.ask
}

// commit commits what was processed. It says if that was accepted, and if the
// process is still there.
func (m *member) commit() (accepted, alive bool) {
	m.uncommitted = 0
	m.attempt(m)
	err := m.puppet.Commit(m.next, "")
	m.ask = m.ask || err != nil
	text, refused := puppet.Refused(err)
	m.committed(m, text, err == nil)
	return err == nil, err == nil || refused
}

// stop has the member held with holdAt records processed and not committed, so
// that everybody knows what the checkpoint is.
func (m *member) stop() error {
	m.hold.Store(true)
	select {
	case <-m.held:
		return nil
	case <-m.done:
		return fmt.Errorf("%s ended: %w", m.name, m.err)
	case <-time.After(30 * time.Second):
		return fmt.Errorf("%s is not the active one any more", m.name)
	}
}

func (m *member) signal(s syscall.Signal) error { return m.puppet.Signal(s) }
