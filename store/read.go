package store

import (
	"errors"
	"fmt"

	"daybook/recordbatch"
)

// maxDamaged bounds how many damaged batches a partition remembers.
const maxDamaged = 1000

// Read appends whole uncompressed record batches to dst: the one that holds
// offset first, whatever its size, then those after it as long as all fit into
// maxBytes and can be read. At the high watermark it appends nothing. An offset
// outside the log is ErrOffsetOutOfRange.
func (p *Partition) Read(dst []byte, offset int64, maxBytes int) ([]byte, error) {
	out, err := p.read(dst, offset, maxBytes)
	if err != nil {
		return dst, fmt.Errorf("read %s at offset %d: %w", p.topic, offset, err)
	}
	return out, nil
}

func (p *Partition) read(dst []byte, offset int64, maxBytes int) ([]byte, error) {
	if err := p.unusable(); err != nil {
		return dst, err
	}
	p.mu.RLock()
	start, end := p.start.offset, p.next
	p.mu.RUnlock()
	if offset < start || offset > end {
		return dst, fmt.Errorf("%w: the log is %d to %d", ErrOffsetOutOfRange, start, end)
	}
	if offset == end {
		return dst, nil
	}
	if out, ok := p.recent.read(dst, offset, end, maxBytes); ok {
		return out, nil
	}
	if err := p.s.calls.enter(); err != nil {
		return dst, err
	}
	defer p.s.calls.exit()
	out, err := p.readDisk(dst, offset, end, maxBytes)
	if err != nil && p.LogStartOffset() > offset {
		return dst, fmt.Errorf("%w: retention has just removed it", ErrOffsetOutOfRange)
	}
	return out, p.ifThere(err)
}

func (p *Partition) readDisk(dst []byte, offset, end int64, maxBytes int) ([]byte, error) {
	it, err := p.s.iterate(offsetKey(kindBatch, p.id, 0), offsetKey(kindBatch, p.id, end))
	if err != nil {
		return dst, err
	}
	defer it.Close()
	out, err := p.readBatches(it, dst, offset, end, maxBytes)
	if len(out) > len(dst) {
		return out, nil // what comes before an error is read first
	}
	if err == nil {
		err = fmt.Errorf("%w: no batch holds this offset", ErrCorrupt)
	}
	return dst, err
}

// readBatches appends batches up to one that does not fit or cannot be read.
func (p *Partition) readBatches(it *cursor, dst []byte, offset, end int64, maxBytes int) ([]byte, error) {
	first := len(dst)
	for ok := it.SeekLT(offsetKey(kindBatch, p.id, offset+1)); ok; ok = it.Next() {
		stored, base, err := p.storedAt(it)
		if err != nil {
			return dst, err
		}
		size, err := decodedSize(stored)
		if err != nil {
			return dst, err
		}
		before := len(dst)
		if before > first && before-first+size > maxBytes {
			return dst, nil
		}
		if dst, err = p.appendStored(dst, base, stored, size); err != nil {
			return dst[:before], err
		}
		if offset, err = checkPlace(dst[before:], it.Key(), offset, before == first); err != nil {
			return dst[:before], err
		}
		if isGap(dst[before:]) && offset < end {
			dst = dst[:before]
		}
	}
	return dst, it.Err()
}

// isGap tells whether a batch stands for records that a repair could not save.
// It is served at the log's end only, so that who waits there gets on.
func isGap(batch []byte) bool {
	h, err := recordbatch.ParseHeader(batch)
	return err == nil && h.Count == 0
}

// storedAt returns the stored batch at the iterator, and its base offset. One that is damaged is
// remembered: Pebble takes seconds to find that out, looking for the bit.
func (p *Partition) storedAt(it *cursor) ([]byte, int64, error) {
	base, err := offsetOfKey(it.Key())
	if err != nil {
		return nil, 0, err
	}
	p.mu.RLock()
	err = p.damaged[base]
	p.mu.RUnlock()
	if err != nil {
		return nil, 0, err
	}
	stored, err := it.Value()
	if err == nil {
		return stored, base, nil
	}
	if errors.Is(err, ErrCorrupt) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.damaged) < maxDamaged {
			p.damaged[base] = err
		}
	}
	return nil, 0, err
}

// checkPlace checks that a batch stands under its own offset, and that it is
// the one to come: the first holds offset, each other begins with it. It
// returns the offset after the batch.
func checkPlace(batch, key []byte, offset int64, first bool) (int64, error) {
	h, err := recordbatch.ParseHeader(batch)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	base, err := offsetOfKey(key)
	if err != nil {
		return 0, err
	}
	inPlace := base == offset || first && base < offset && offset < h.NextOffset()
	if h.BaseOffset != base || h.Length != len(batch) || !inPlace {
		return 0, fmt.Errorf("%w: batch %d to %d is stored at %d, where offset %d was to be",
			ErrCorrupt, h.BaseOffset, h.NextOffset()-1, base, offset)
	}
	return h.NextOffset(), nil
}

// Size returns how many bytes Read can return from offset on without a limit;
// 0 for an offset outside the log.
func (p *Partition) Size(offset int64) (int, error) {
	if err := p.unusable(); err != nil {
		return 0, fmt.Errorf("measure %s: %w", p.topic, err)
	}
	p.mu.RLock()
	start, end, last := p.start, p.next, p.last
	p.mu.RUnlock()
	if offset < start.offset || offset >= end {
		return 0, nil
	}
	before, ok := p.recent.bytesBefore(offset)
	if offset == start.offset {
		before, ok = start.plain, true
	}
	if !ok {
		e, found, err := p.entryBefore(offset)
		if err = p.ifThere(err); err != nil {
			return 0, fmt.Errorf("measure %s from offset %d: %w", p.topic, offset, err)
		}
		if before = start.plain; found {
			before = e.plainEnd
		}
	}
	return int(last.plainEnd - before), nil
}
