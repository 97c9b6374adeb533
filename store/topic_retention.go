package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// Retention says what is kept of a topic.
type Retention struct {
	Age   time.Duration // how long a batch stays after it was appended; 0: as Options say
	Bytes int64         // the topic's own cap on the batches as stored; 0: none
}

const retentionSize = 8 + 8

func (r Retention) encode() []byte {
	if r == (Retention{}) {
		return nil
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(r.Age.Milliseconds()))
	return binary.BigEndian.AppendUint64(b, uint64(r.Bytes))
}

func decodeRetention(b []byte) (Retention, error) {
	if len(b) != retentionSize {
		return Retention{}, fmt.Errorf("%w: retention of %d bytes", ErrCorrupt, len(b))
	}
	return Retention{
		Age:   time.Duration(binary.BigEndian.Uint64(b)) * time.Millisecond,
		Bytes: int64(binary.BigEndian.Uint64(b[8:])),
	}, nil
}

// forGood is the retention of a topic of which it cannot be read, until it is set anew.
var forGood = Retention{Age: math.MaxInt64}

// SetRetention says what is kept of the topic. It is kept with the topic, and holds from
// now on: what is too much goes at once.
func (p *Partition) SetRetention(r Retention) error {
	r.Age = r.Age.Truncate(time.Millisecond)
	if err := p.setRetention(r); err != nil {
		return fmt.Errorf("set retention of %s: %w", p.topic, err)
	}
	return nil
}

func (p *Partition) setRetention(r Retention) error {
	if err := p.s.calls.enter(); err != nil {
		return err
	}
	defer p.s.calls.exit()
	p.trimmer.Lock()
	defer p.trimmer.Unlock()
	if p.isDeleted() {
		return ErrDeleted
	}
	p.mu.RLock()
	same := p.retention == r
	p.mu.RUnlock()
	if same {
		return nil
	}
	b := p.s.db.NewBatch()
	setOrDelete(b, partitionKey(kindRetention, p.id), r.encode())
	if err := p.s.commit(b); err != nil {
		return err
	}
	p.mu.Lock()
	p.retention = r
	p.mu.Unlock()
	select {
	case p.s.retainNow <- struct{}{}:
	default: // it is asked for already
	}
	return nil
}

// Retention returns what is kept of the topic, without what Options say of all together.
func (p *Partition) Retention() Retention {
	p.mu.RLock()
	defer p.mu.RUnlock()
	r := p.retention
	if r.Age == 0 {
		r.Age = p.s.opts.RetentionAge
	}
	return r
}

// loadRetention reads what is kept of the topic. Where that is damaged nothing goes.
func (p *Partition) loadRetention() error {
	v, ok, err := p.s.lookUp(partitionKey(kindRetention, p.id))
	if err == nil && ok {
		p.retention, err = decodeRetention(v)
	}
	if errors.Is(err, ErrCorrupt) {
		p.s.log.Error("how long records are kept cannot be read; they stay until it is set anew", "topic", p.topic, "error", err)
		p.retention, err = forGood, nil
	}
	return err
}

// Retention returns what Options say: how long a batch stays, and the cap on the bytes of
// all partitions together.
func (s *Store) Retention() Retention { return Retention{s.opts.RetentionAge, s.opts.RetentionBytes} }
