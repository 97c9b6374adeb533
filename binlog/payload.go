package binlog

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"daybook/binlog/cursor"
	"daybook/binlog/dump"
)

// payload reads the events inside a TRANSACTION_PAYLOAD event (MySQL 8.0.20,
// binlog_transaction_compression) one by one, without unpacking all of it.
type payload struct {
	open bool
	from io.Reader
	left uint64 // uncompressed bytes to come
	buf  []byte
	zstd *zstd.Decoder
	// large: the event was, or one inside; zstd may hold on to its bytes.
	large bool
}

const (
	// maxWindow bounds the memory of a zstd stream; servers use at most 8 MiB
	// (level 22: 128 MiB).
	maxWindow = 128 << 20
	// maxEvent is above MySQL's 1 GiB limit for a row event.
	maxEvent = 1<<30 + 64<<20
	// keptBuffer bounds what is kept of a rare large event's buffer.
	keptBuffer = 1 << 20
)

// start begins the events inside e.
// Source: mysql::binlog::event::codecs::binary::Transaction_payload.
func (p *payload) start(e dump.Event) error {
	if p.open {
		return fmt.Errorf("%w: a compressed transaction within another", ErrEvent)
	}
	c := cursor.Cursor{B: e.Body}
	compressed := true
	for field := c.Lenenc(); field != 0 && c.Err == nil; field = c.Lenenc() {
		v := cursor.Cursor{B: c.LenencBytes()}
		switch field {
		case 1: // compressed size
		case 2:
			switch algorithm := v.Lenenc(); algorithm {
			case 0:
			case 255:
				compressed = false
			default:
				return fmt.Errorf("%w: transaction compression %d is not known", ErrEvent, algorithm)
			}
		case 3:
			p.left = v.Lenenc()
		}
	}
	if c.Err != nil {
		return fmt.Errorf("%w: transaction payload: %w", ErrEvent, c.Err)
	}
	p.from = bytes.NewReader(c.B)
	if !compressed {
		p.left = uint64(len(c.B))
	} else if err := p.decompress(); err != nil {
		return fmt.Errorf("%w: transaction payload: %w", ErrEvent, err)
	}
	p.open, p.large = true, len(e.Body) > keptBuffer
	return nil
}

func (p *payload) decompress() error {
	if p.zstd == nil {
		z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return err
		}
		p.zstd = z // of one goroutine: it needs no Close
	}
	if err := p.zstd.Reset(p.from); err != nil {
		return err
	}
	p.from = p.zstd
	return nil
}

// end gives up the open payload, and what is large of its memory.
func (p *payload) end() {
	p.open, p.from, p.left = false, nil, 0
	if p.release(); p.large {
		p.zstd, p.large = nil, false
	}
}

// release gives up the memory of the last event, if it was large.
func (p *payload) release() {
	if len(p.buf) > keptBuffer {
		p.buf, p.large = nil, true
	}
}

// next returns the next event inside, which has no checksum of its own. ok is
// false at the end.
func (p *payload) next() (e dump.Event, ok bool, err error) {
	if p.left == 0 {
		return dump.Event{}, false, nil
	}
	if p.buf == nil {
		p.buf = make([]byte, 64<<10)
	}
	if _, err := io.ReadFull(p.from, p.buf[:dump.HeaderSize]); err != nil {
		return dump.Event{}, false, fmt.Errorf("%w: compressed transaction: %w", ErrEvent, err)
	}
	size := uint64(binary.LittleEndian.Uint32(p.buf[9:]))
	if size < dump.HeaderSize || size > p.left || size > maxEvent {
		return dump.Event{}, false, fmt.Errorf("%w: an event of %d bytes in %d left of a compressed transaction", ErrEvent, size, p.left)
	}
	for done := uint64(dump.HeaderSize); done < size; {
		// What the event says of its size is believed step by step.
		if done == uint64(len(p.buf)) {
			p.buf = append(p.buf, make([]byte, min(size-done, done))...)
		}
		n, err := io.ReadFull(p.from, p.buf[done:min(size, uint64(len(p.buf)))])
		if err != nil {
			return dump.Event{}, false, fmt.Errorf("%w: compressed transaction: %w", ErrEvent, err)
		}
		done += uint64(n)
	}
	p.left -= size
	e, err = dump.ParseEvent(p.buf[:size], false)
	return e, err == nil, err
}
