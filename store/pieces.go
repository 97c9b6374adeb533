package store

import (
	"encoding/binary"
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// A large batch is stored in pieces, since Pebble makes half a dozen copies of
// a value on its way to its file. They are written before the batch itself, which is
// there only when it names them; what a crash leaves of others is deleted at the next start.

const (
	maxWhole = 2 << 20 // larger batches are stored in pieces
	// pieceSize is before compression; Pebble uses batches below 1 MiB again.
	pieceSize = 512 << 10
)

// pieces is the stored form of a batch in pieces.
type pieces struct {
	count  uint32
	plain  uint64 // bytes of the batch
	stored uint64 // bytes of all pieces as they are stored
}

const piecesSize = 1 + 4 + 8 + 8

func (h pieces) encode() []byte {
	b := binary.BigEndian.AppendUint32([]byte{encodingPieces}, h.count)
	b = binary.BigEndian.AppendUint64(b, h.plain)
	return binary.BigEndian.AppendUint64(b, h.stored)
}

func decodePieces(b []byte) (pieces, error) {
	if len(b) != piecesSize {
		return pieces{}, fmt.Errorf("%w: batch in pieces of %d bytes", ErrCorrupt, len(b))
	}
	h := pieces{binary.BigEndian.Uint32(b[1:]), binary.BigEndian.Uint64(b[5:]), binary.BigEndian.Uint64(b[13:])}
	if h.plain > uint64(h.count)*pieceSize {
		return h, fmt.Errorf("%w: batch of %d bytes in %d pieces", ErrCorrupt, h.plain, h.count)
	}
	return h, nil
}

func pieceKey(id uint32, base int64, n uint32) []byte {
	return binary.BigEndian.AppendUint32(offsetKey(kindPiece, id, base), n)
}

// putPieces writes a batch's pieces and returns what names them. They are
// synced with the batch at the latest.
func (p *Partition) putPieces(batch []byte, base int64) (pieces, error) {
	h := pieces{plain: uint64(len(batch))}
	for len(batch) > 0 {
		n := min(len(batch), pieceSize)
		p.stored = encodeBatch(p.stored, batch[:n])
		b := p.s.db.NewBatchWithSize(len(p.stored) + 256)
		setOrDelete(b, pieceKey(p.id, base, h.count), p.stored)
		if err := p.s.write(b); err != nil {
			return h, err
		}
		h.count, h.stored, batch = h.count+1, h.stored+uint64(len(p.stored)), batch[n:]
	}
	return h, nil
}

// write applies a batch without a sync.
func (s *Store) write(b *pebble.Batch) error {
	if err := s.failure.get(); err != nil {
		return err
	}
	err := s.start(func() error {
		if err := s.db.Apply(b, pebble.NoSync); err != nil {
			return fmt.Errorf("write to the log: %w", err)
		}
		return b.Close()
	})()
	if err != nil {
		s.failure.set(err)
		return s.failure.get()
	}
	return nil
}

// appendPieces appends the batch at base that is stored so.
func (p *Partition) appendPieces(dst []byte, base int64, h pieces) ([]byte, error) {
	it, err := p.s.iteratePrefix(offsetKey(kindPiece, p.id, base))
	if err != nil {
		return dst, err
	}
	defer it.Close()
	start := len(dst)
	dst = grow(dst, int(h.plain))[:start]
	for n := range h.count {
		if n == 0 && !it.First() || n > 0 && !it.Next() {
			if err := it.Err(); err != nil {
				return dst[:start], err
			}
			return dst[:start], fmt.Errorf("%w: piece %d of the batch at offset %d is missing", ErrCorrupt, n, base)
		}
		if string(it.Key()) != string(pieceKey(p.id, base, n)) {
			return dst[:start], fmt.Errorf("%w: piece %d of the batch at offset %d is missing", ErrCorrupt, n, base)
		}
		stored, err := it.Value()
		if err != nil {
			return dst[:start], err
		}
		size, err := decodedSize(stored)
		if err != nil || size > pieceSize {
			return dst[:start], fmt.Errorf("%w: piece %d of the batch at offset %d: %d bytes, %w", ErrCorrupt, n, base, size, err)
		}
		if dst, err = appendDecoded(dst, stored, size); err != nil {
			return dst[:start], err
		}
	}
	if len(dst)-start != int(h.plain) {
		return dst[:start], fmt.Errorf("%w: the pieces of the batch at offset %d are %d bytes, not %d", ErrCorrupt, base, len(dst)-start, h.plain)
	}
	return dst, nil
}

// dropOrphans deletes the pieces of a batch that was never appended.
func (p *Partition) dropOrphans() error {
	first := offsetKey(kindPiece, p.id, p.next)
	it, err := p.s.iterate(first, afterPrefix(partitionKey(kindPiece, p.id)))
	if err != nil {
		return err
	}
	defer it.Close()
	if !it.First() {
		return it.Err()
	}
	b := p.s.db.NewBatch()
	_ = b.DeleteRange(first, afterPrefix(partitionKey(kindPiece, p.id)), nil)
	return p.s.write(b)
}
