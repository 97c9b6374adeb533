package binlog

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// payload reads the events inside a TRANSACTION_PAYLOAD event (MySQL 8.0.20,
// binlog_transaction_compression) one by one, without unpacking all of it.
type payload struct {
	from io.Reader
	left uint64 // uncompressed bytes to come
	buf  []byte
}

// maxWindow bounds the memory of a zstd stream; servers use at most 8 MiB
// (level 22: 128 MiB).
const maxWindow = 128 << 20

// openPayload begins the events inside e.
// Source: mysql::binlog::event::codecs::binary::Transaction_payload.
func (r *Reader) openPayload(e event) error {
	if r.payload != nil {
		return fmt.Errorf("%w: a compressed transaction within another", ErrEvent)
	}
	if r.scan != nil {
		r.endGroup() // it holds all of the group's rest
		return nil
	}
	p := &r.inside
	if *p = (payload{buf: p.buf}); len(p.buf) > 1<<20 {
		p.buf = nil // of a rare large event
	}
	c := reader{b: e.body}
	compressed := true
	for field := c.lenenc(); field != 0 && c.err == nil; field = c.lenenc() {
		v := reader{b: c.bytes(int(c.lenenc()))}
		switch field {
		case 1: // compressed size
		case 2:
			switch algorithm := v.lenenc(); algorithm {
			case 0:
			case 255:
				compressed = false
			default:
				return fmt.Errorf("%w: transaction compression %d is not known", ErrEvent, algorithm)
			}
		case 3:
			p.left = v.lenenc()
		}
	}
	if c.err != nil {
		return fmt.Errorf("%w: transaction payload: %w", ErrEvent, c.err)
	}
	p.from = bytes.NewReader(c.b)
	if !compressed {
		p.left = uint64(len(c.b))
	} else {
		if r.zstd == nil {
			z, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
			if err != nil {
				return fmt.Errorf("%w: transaction payload: %w", ErrEvent, err)
			}
			r.zstd = z // of one goroutine: it needs no Close
		}
		if err := r.zstd.Reset(p.from); err != nil {
			return fmt.Errorf("%w: transaction payload: %w", ErrEvent, err)
		}
		p.from = r.zstd
	}
	r.payload = p
	return nil
}

// next returns the next event inside, which has no checksum of its own. ok is
// false at the end.
func (p *payload) next() (e event, ok bool, err error) {
	if p.left == 0 {
		return event{}, false, nil
	}
	if p.buf == nil {
		p.buf = make([]byte, 64<<10)
	}
	if _, err := io.ReadFull(p.from, p.buf[:headerSize]); err != nil {
		return event{}, false, fmt.Errorf("%w: compressed transaction: %w", ErrEvent, err)
	}
	size := uint64(binary.LittleEndian.Uint32(p.buf[9:]))
	if size < headerSize || size > p.left || size > maxEvent {
		return event{}, false, fmt.Errorf("%w: an event of %d bytes in %d left of a compressed transaction", ErrEvent, size, p.left)
	}
	for done := uint64(headerSize); done < size; {
		// What the event says of its size is believed step by step.
		if done == uint64(len(p.buf)) {
			p.buf = append(p.buf, make([]byte, min(size-done, done))...)
		}
		n, err := io.ReadFull(p.from, p.buf[done:min(size, uint64(len(p.buf)))])
		if err != nil {
			return event{}, false, fmt.Errorf("%w: compressed transaction: %w", ErrEvent, err)
		}
		done += uint64(n)
	}
	p.left -= size
	e, err = parseEvent(p.buf[:size], false)
	return e, err == nil, err
}
