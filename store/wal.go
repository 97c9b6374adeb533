package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/batchrepr"
	"github.com/cockroachdb/pebble/v2/record"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/wal"
)

// A write-ahead log is blocks of 32 KiB, a block is chunks, each with a checksum and the
// number of its log, and a record is one chunk or some in a row. Pebble reads it up to
// the first bytes that are not right; a repair reads what is behind them, too.

const (
	walBlock = 32 << 10
	// Before a chunk's payload are its checksum (4), the payload's length (2), its kind (1), the
	// number of the log (4), and the place up to which the log was synced (8). That is far too
	// low to be of use here: Pebble does not count what filled a block.
	chunkHeader = 19
	// Of the kinds of chunks these are those of Pebble's newest format.
	fullChunk, firstChunk, middleChunk, lastChunk = 9, 10, 11, 12
)

// numberIn returns the number of the write that a batch is, if it has one.
func numberIn(batch []byte) (place uint32, number uint64, ok bool, err error) {
	if _, ok := batchrepr.ReadHeader(batch); !ok {
		return 0, 0, false, fmt.Errorf("%w: batch of %d bytes", ErrCorrupt, len(batch))
	}
	r := batchrepr.Read(batch)
	for {
		kind, key, value, more, err := r.Next()
		if err != nil || !more {
			return place, number, ok, err
		}
		if at, is := placeOfKey(key); is && kind == pebble.InternalKeyKindSet && len(value) == 8 {
			place, number, ok = at, numberOf(value), true
		}
	}
}

// readLogs reads logs as Pebble does when it opens the database.
func (s *Store) readLogs(logs wal.Logs) (*writesFound, error) {
	found := newWritesFound(s)
	for i, log := range logs {
		at, why, err := found.readLog(log)
		if err != nil {
			return nil, fmt.Errorf("read write-ahead log %s: %w", logName(log), err)
		}
		if why == nil {
			continue
		}
		bad := fmt.Sprintf("%s is not right from byte %d on", logName(log), at)
		if isUnreadable(why) {
			bad = fmt.Sprintf("%s cannot be read from byte %d on (%v: mend its permissions or the disk, or repair without it)", logName(log), at, why)
		}
		found.bad = append(found.bad, bad)
		// Pebble takes it for torn if it is the newest, unless it can prove otherwise.
		found.refused = found.refused || i < len(logs)-1 || !errors.Is(why, record.ErrUnexpectedEOF)
	}
	return found, nil
}

// readLog returns where a log cannot be read any more, and why, if that is not its end.
func (f *writesFound) readLog(log wal.LogicalLog) (at int64, why, err error) {
	r := log.OpenForRead()
	defer r.Close()
	for {
		at, err := f.readBatch(r)
		switch {
		case err == io.EOF:
			return 0, nil, nil
		case isNotRight(err), isUnreadable(err):
			return at, err, nil
		case err != nil:
			return 0, nil, err
		}
	}
}

// readBatch notes the write that comes next in a log, and returns where it is.
func (f *writesFound) readBatch(r wal.Reader) (at int64, err error) {
	rec, offset, err := r.NextRecord()
	if err != nil {
		return offset.Physical, err
	}
	if f.batch, err = appendAll(f.batch[:0], rec); err != nil {
		return offset.Physical, err
	}
	place, number, numbered, err := numberIn(f.batch)
	if err == nil && numbered {
		err = f.add(place, number)
	}
	return offset.Physical, err
}

// isNotRight tells what a log has from what keeps it from being read.
func isNotRight(err error) bool {
	for _, not := range []error{record.ErrInvalidChunk, record.ErrZeroedChunk, record.ErrUnexpectedEOF, pebble.ErrCorruption, ErrCorrupt} {
		if errors.Is(err, not) {
			return true
		}
	}
	return false
}

// mendLogs returns logs that have every batch that can be read in the damaged ones.
func (s *Store) mendLogs(logs wal.Logs) (vfs.FS, *writesFound, error) {
	mended, found := vfs.NewMem(), newWritesFound(s)
	for _, log := range logs {
		if err := s.mendLog(mended, log, found); err != nil {
			return nil, nil, fmt.Errorf("read write-ahead log %s: %w", logName(log), err)
		}
	}
	return mended, found, nil
}

func (s *Store) mendLog(mended vfs.FS, log wal.LogicalLog, found *writesFound) error {
	to, err := mended.Create(logName(log), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	from, err := s.opts.FS.Open(s.opts.FS.PathJoin(s.opts.Dir, logName(log)))
	if isUnreadable(err) {
		return to.Close()
	}
	if err != nil {
		return errors.Join(err, to.Close())
	}
	defer from.Close()
	info, err := from.Stat()
	if err != nil {
		return errors.Join(err, to.Close())
	}
	w := record.NewWriter(to)
	err = eachRecord(from, info.Size(), uint32(log.Num), func(batch []byte) error {
		place, number, numbered, err := numberIn(batch)
		if err != nil {
			return nil // it is lost, as if it was not there
		}
		if numbered {
			err = found.add(place, number)
		}
		if err == nil {
			_, err = w.WriteRecord(batch)
		}
		return err
	})
	return errors.Join(err, w.Close(), to.Close())
}

// eachRecord calls whole with each record of a log of which every chunk can be read
// and is right.
func eachRecord(r io.ReaderAt, size int64, log uint32, whole func(record []byte) error) error {
	block := make([]byte, walBlock)
	var rec []byte
	inRecord := false
	for at := int64(0); at < size; at += walBlock {
		n, err := r.ReadAt(block, at)
		if isUnreadable(err) {
			n, inRecord = 0, false
		} else if err != nil && err != io.EOF {
			return err
		}
		for rest := block[:n]; len(rest) >= chunkHeader; { // less is left empty at the end of a block
			c, ok := parseChunk(rest, log)
			if !ok { // the next chunk may begin anywhere behind
				inRecord, rest = false, rest[1:]
				continue
			}
			rest = rest[chunkHeader+len(c.payload):]
			if c.kind == fullChunk || c.kind == firstChunk {
				rec, inRecord = rec[:0], true
			}
			rec = append(rec, c.payload...)
			if isLast := c.kind == fullChunk || c.kind == lastChunk; !isLast || !inRecord {
				continue
			}
			inRecord = false
			if err := whole(rec); err != nil {
				return err
			}
		}
	}
	return nil
}

type chunk struct {
	kind    byte
	payload []byte
}

// parseChunk returns the chunk at the begin of b.
func parseChunk(b []byte, log uint32) (c chunk, ok bool) {
	c.kind = b[6]
	end := chunkHeader + int(binary.LittleEndian.Uint16(b[4:]))
	if c.kind < fullChunk || c.kind > lastChunk || end > len(b) || binary.LittleEndian.Uint32(b[7:]) != log {
		return c, false
	}
	sum := crc32.Checksum(b[6:end], crc32.MakeTable(crc32.Castagnoli))
	if sum = (sum>>15 | sum<<17) + 0xa282ead8; sum != binary.LittleEndian.Uint32(b) { // as Pebble masks it
		return c, false
	}
	c.payload = b[chunkHeader:end]
	return c, true
}

func logName(log wal.LogicalLog) string { return log.Num.String() + ".log" }

// appendAll appends what is left in r.
func appendAll(dst []byte, r io.Reader) ([]byte, error) {
	for {
		if len(dst) == cap(dst) {
			dst = append(dst, 0)[:len(dst)]
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if err == io.EOF {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
	}
}
