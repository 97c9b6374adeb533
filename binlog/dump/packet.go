package dump

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// chunk is a run of whole packets, handed from the network goroutine to the
// consumer.
type chunk struct {
	packets    []byte      // packet headers and events, in buffer
	event      []byte      // one event joined from several packets, in buffer
	cut        bool        // of event there is the beginning only
	buffer     *buffer     // nil: nothing to release
	checksum   bool        // the events end with a CRC32, which was verified
	connection *Connection // a connection's beginning; no packets
	err        error       // the connection's end; no packets
}

func (c *chunk) release() {
	if c.buffer != nil {
		c.buffer.release()
	}
	*c = chunk{}
}

// next takes the next event off the chunk, nil at its end.
func (c *chunk) next() []byte {
	if c.event != nil {
		e := c.event
		c.event = nil
		return e
	}
	if len(c.packets) == 0 {
		return nil
	}
	n := packetLength(c.packets)
	e := c.packets[packetHeader+1 : packetHeader+n]
	c.packets = c.packets[packetHeader+n:]
	return e
}

const (
	packetHeader = 4 // length (3 bytes), sequence number
	maxPayload   = 1<<24 - 1
	// minRoom is the least room at a block's end worth another read.
	minRoom = 16 << 10
	// maxEvent is above MySQL's 1 GiB limit for a row event.
	maxEvent = 1<<30 + 64<<20
)

func packetLength(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// framer cuts the bytes of a dump into events, verifies their checksums and
// passes them on in chunks.
// Source: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_packets.html
type framer struct {
	conn    net.Conn
	silence time.Duration // that silent is asked after
	// silent decides whether to wait on when nothing has come for that long,
	// round times in a row; begun tells whether any event came before.
	silent      func(round int, begun bool) error
	pool        *pool
	push        func(context.Context, chunk) error
	unverified  bool // checksums are not looked at
	headersOnly bool // of rows events that are larger than a block nobody wants the rows
	brief       bool // of no event that is larger than a block anybody wants more than the beginning

	block       *buffer
	start, end  int // bytes of block not passed on yet
	seq         byte
	checksum    bool
	formatKnown bool
	begun       bool // an event came that the server did not only make up, or a heartbeat
}

var errDumpEnd = errors.New("the source ended the dump")

// run reads until the connection or ctx ends. The error says why.
func (f *framer) run(ctx context.Context) error {
	var err error
	if f.block, err = f.pool.block(ctx); err != nil {
		return err
	}
	defer func() { f.block.release() }()
	for {
		if err := f.makeRoom(ctx); err != nil {
			return err
		}
		n, err := f.read(f.block.buf[f.end:])
		if err != nil {
			return err
		}
		f.end += n
		if err := f.cut(ctx); err != nil {
			return err
		}
	}
}

func (f *framer) read(b []byte) (int, error) {
	for round := 1; ; round++ {
		if err := f.conn.SetReadDeadline(time.Now().Add(f.silence)); err != nil {
			return 0, Transient(fmt.Errorf("read from the source: %w", err))
		}
		n, err := f.conn.Read(b)
		switch {
		case n > 0:
			return n, nil
		case isTimeout(err):
			err = f.silent(round, f.begun)
		case err == nil:
			err = io.ErrNoProgress
		}
		if err != nil {
			return 0, Transient(fmt.Errorf("read from the source: %w", err))
		}
	}
}

// makeRoom begins a new block when the current one is nearly full, and moves
// the packet that is not whole yet.
func (f *framer) makeRoom(ctx context.Context) error {
	if len(f.block.buf)-f.end >= minRoom {
		return nil
	}
	next, err := f.pool.block(ctx)
	if err != nil {
		return err
	}
	n := copy(next.buf, f.block.buf[f.start:f.end])
	f.block.release()
	f.block, f.start, f.end = next, 0, n
	return nil
}

// cut passes on all whole packets that are there.
func (f *framer) cut(ctx context.Context) error {
	at := f.start
	for f.end-at >= packetHeader {
		b := f.block.buf[at:f.end]
		n := packetLength(b)
		if packetHeader+n > blockSize-minRoom {
			if len(b) < packetHeader+1+HeaderSize {
				break
			}
			if err := f.flush(ctx, at); err != nil {
				return err
			}
			if err := f.cutLarge(ctx); err != nil {
				return err
			}
			at = f.start
			continue
		}
		if len(b) < packetHeader+n {
			break
		}
		if err := f.packet(ctx, at, b[:packetHeader+n]); err != nil {
			return err
		}
		at += packetHeader + n
	}
	return f.flush(ctx, at)
}

// packet checks one whole packet, which begins at the offset at.
func (f *framer) packet(ctx context.Context, at int, b []byte) (err error) {
	if b[3] != f.seq {
		return Transient(fmt.Errorf("packet %d of the dump came in place of %d", b[3], f.seq))
	}
	f.seq++
	payload := b[packetHeader:]
	if len(payload) == 0 || payload[0] != 0 {
		if err := f.flush(ctx, at); err != nil {
			return err
		}
		return endOfDump(payload)
	}
	e := payload[1:]
	if len(e) < HeaderSize {
		return fmt.Errorf("%w: a packet of %d bytes", ErrEvent, len(e))
	}
	checksum := f.checksum
	f.begun = f.begun || !opensFile(EventType(e[4]))
	switch t := EventType(e[4]); {
	case t == EvFormatDescription:
		// Its own last bytes say whether checksums follow.
		if checksum, err = f.checkFormat(e); err != nil {
			return err
		}
		return f.alone(ctx, at, at+len(b), false, checksum)
	case t == EvRotate && (!f.formatKnown || e[17]&FlagArtificial != 0):
		// Whether this one, which the server makes up between two files,
		// has a checksum depends on the version: look.
		return f.alone(ctx, at, at+len(b), checksumOK(e), checksum)
	case checksum && !f.unverified && !bare(e) && !checksumOK(e):
		if err := f.flush(ctx, at); err != nil { // what came before it is whole
			return err
		}
		return wrongChecksum(e)
	}
	return nil
}

// opensFile tells the events that a server sends of a file, or makes up, before
// it looks in it for the place to begin at.
func opensFile(t EventType) bool {
	switch t {
	case EvRotate, EvFormatDescription, EvPreviousGTIDs, EvMariaGTIDList, EvBinlogCheckpoint, EvStartEncryption:
		return true
	}
	return false
}

// alone passes on one packet whose checksum setting is its own.
func (f *framer) alone(ctx context.Context, from, to int, checksum, after bool) error {
	if err := f.flush(ctx, from); err != nil {
		return err
	}
	f.checksum = checksum
	err := f.flush(ctx, to)
	f.checksum = after
	return err
}

// checkFormat checks a FORMAT_DESCRIPTION_EVENT and returns the setting in it.
func (f *framer) checkFormat(e []byte) (checksum bool, err error) {
	d, err := ParseFormat(e[HeaderSize:])
	if err != nil {
		return false, err
	}
	if d.Checksum {
		// The flag for a file in use is set after the checksum was made.
		inUse := e[17] & flagInUse
		e[17] &^= flagInUse
		if !checksumOK(e) {
			return false, wrongChecksum(e)
		}
		e[17] |= inUse
	}
	f.formatKnown = true
	return d.Checksum, nil
}

func wrongChecksum(e []byte) error {
	return fmt.Errorf("%w: event of type %d that ends at %d; the binlog or the way to it is damaged: run mysqlbinlog --verify-binlog-checksum on the source",
		ErrChecksum, e[4], binary.LittleEndian.Uint32(e[13:]))
}

// flush passes on the bytes from start to at.
func (f *framer) flush(ctx context.Context, at int) error {
	if at <= f.start {
		return nil
	}
	f.block.refs.Add(1)
	c := chunk{packets: f.block.buf[f.start:at], buffer: f.block, checksum: f.checksum}
	f.start = at
	return f.push(ctx, c)
}

// cutLarge reads one event that is larger than a block, joining its packets of
// up to 16 MiB, into a buffer of exactly its size.
func (f *framer) cutLarge(ctx context.Context) error {
	b := f.block.buf[f.start:f.end]
	n := packetLength(b)
	if b[packetHeader] != 0 {
		return endOfDump(b[packetHeader:])
	}
	f.begun = true
	size := int64(binary.LittleEndian.Uint32(b[packetHeader+1+9:]))
	if size > maxEvent || size < int64(n)-1 || n < maxPayload && size != int64(n)-1 {
		return fmt.Errorf("%w: an event of %d bytes in a packet of %d", ErrEvent, size, n)
	}
	if f.brief || f.headersOnly && EventType(b[packetHeader+1+4]).IsRows() {
		return f.passLarge(ctx, int(size))
	}
	large, err := f.pool.large(ctx, int(size))
	if err != nil {
		return err
	}
	rest := large.buf
	err = f.join(len(rest), func(n int) error {
		part := rest[:n]
		rest = rest[n:]
		return f.readFull(part)
	})
	if err != nil {
		large.release()
		return err
	}
	if f.checksum && !f.unverified && !checksumOK(large.buf) {
		large.release()
		return wrongChecksum(large.buf)
	}
	return f.push(ctx, chunk{event: large.buf, buffer: large, checksum: f.checksum})
}

// passLarge steps over an event, of which it passes on the beginning: at once
// if the dump is brief, so that nobody need wait for the rest, else when all of
// it has come.
func (f *framer) passLarge(ctx context.Context, size int) error {
	head, scratch := make([]byte, 0, sumBytes), make([]byte, 32<<10)
	pass := func() error { return f.push(ctx, chunk{event: head, cut: true, checksum: f.checksum}) }
	err := f.join(size, func(n int) error {
		for n > 0 {
			part := scratch[:min(n, len(scratch))]
			if err := f.readFull(part); err != nil {
				return err
			}
			n -= len(part)
			if room := cap(head) - len(head); room > 0 {
				head = append(head, part[:min(len(part), room)]...)
				if f.brief && len(head) == cap(head) {
					if err := pass(); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
	if err != nil || f.brief {
		return err
	}
	return pass()
}

// join reads the payloads of the packets that follow, without the first one's
// marker byte, until size bytes have gone through take. The last packet is the
// one below the maximum.
func (f *framer) join(size int, take func(n int) error) error {
	for marker := 1; ; marker = 0 {
		var h [packetHeader + 1]byte
		if err := f.readFull(h[:packetHeader+marker]); err != nil {
			return err
		}
		if h[3] != f.seq {
			return Transient(fmt.Errorf("packet %d of the dump came in place of %d", h[3], f.seq))
		}
		f.seq++
		n := packetLength(h[:])
		if n-marker > size {
			return fmt.Errorf("%w: an event longer than its header says", ErrEvent)
		}
		if err := take(n - marker); err != nil {
			return err
		}
		size -= n - marker
		if n < maxPayload {
			break
		}
	}
	if size > 0 {
		return fmt.Errorf("%w: an event shorter than its header says", ErrEvent)
	}
	return nil
}

// readFull fills b from the block and then from the network.
func (f *framer) readFull(b []byte) error {
	n := copy(b, f.block.buf[f.start:f.end])
	f.start += n
	for n < len(b) {
		m, err := f.read(b[n:])
		if err != nil {
			return err
		}
		n += m
	}
	return nil
}

// endOfDump turns the packet that ends a dump into an error.
func endOfDump(payload []byte) error {
	if len(payload) > 0 && payload[0] == headerErr {
		return classify("read the binlog", errorPacket(payload))
	}
	if len(payload) > 0 && isEOF(payload) {
		return Transient(errDumpEnd)
	}
	return Transient(errors.New("a packet of the dump is no event"))
}
