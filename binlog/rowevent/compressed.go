package rowevent

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"daybook/binlog/cursor"
	"fmt"
	"io"

	"daybook/change"
)

// maxExpansion is the most bytes that deflate can make of one.
const maxExpansion = 1032

// inflater holds what decompression needs again and again.
type inflater struct {
	source bytes.Reader
	zlib   io.ReadCloser // nil until used
	flate  io.ReadCloser // nil until used
	rows   []byte        // of the current event
}

var errCompressed = fmt.Errorf("%w: compressed data has not the form it should", ErrCorrupt)

// decompressRows replaces d.rest, the rows of a MariaDB compressed event, by
// the rows themselves: a byte with the method in bits 4 to 6 (0: zlib) and the
// number of length bytes in bits 0 to 2, the length, big-endian, and the data
// (sql/log_event.cc, binlog_buf_compress).
func (d *Decoder) decompressRows() bool {
	b := d.rest
	d.rest = nil
	if len(b) == 0 {
		return false
	}
	lengthBytes := int(b[0] & 7)
	if b[0]&0xf0 != 0x80 || lengthBytes < 1 || lengthBytes > 4 || len(b) < 1+lengthBytes {
		return false
	}
	size := int(cursor.BigEndian(b[1 : 1+lengthBytes]))
	rows, err := d.inflate.append(d.inflate.rows[:0], b[1+lengthBytes:], size, true)
	if err != nil {
		return false
	}
	d.inflate.rows, d.rest, d.large = rows, rows, d.large || len(rows) > maxKept
	return true
}

// append appends the size bytes that b decompresses to, exactly. wrapped says
// that b is zlib's format and not bare deflate.
func (f *inflater) append(dst, b []byte, size int, wrapped bool) ([]byte, error) {
	if size > len(b)*maxExpansion {
		return nil, errCompressed
	}
	f.source.Reset(b)
	r, err := f.reader(wrapped)
	if err != nil {
		return nil, errCompressed
	}
	start := len(dst)
	dst = append(dst, make([]byte, size)...)
	if _, err := io.ReadFull(r, dst[start:]); err != nil {
		return nil, errCompressed
	}
	// The end must be here, and with zlib's format the checksum right.
	var more [1]byte
	if n, err := r.Read(more[:]); n != 0 || err != io.EOF {
		return nil, errCompressed
	}
	return dst, nil
}

func (f *inflater) reader(wrapped bool) (r io.Reader, err error) {
	switch {
	case wrapped && f.zlib == nil:
		f.zlib, err = zlib.NewReader(&f.source)
		return f.zlib, err
	case wrapped:
		return f.zlib, f.zlib.(zlib.Resetter).Reset(&f.source, nil)
	case f.flate == nil:
		f.flate = flate.NewReader(&f.source)
		return f.flate, nil
	}
	return f.flate, f.flate.(flate.Resetter).Reset(&f.source, nil)
}

// decompressColumn decodes a value of a MariaDB column with the COMPRESSED
// attribute: nothing at all for the empty string, else a byte with the method
// in bits 4 to 7 (0: none, 8: zlib), bit 3 set if zlib's header is left out,
// and the number of length bytes in bits 0 to 2; the length, big-endian; the
// data (sql/field_comp.cc).
func (d *Decoder) decompressColumn(c *column, b []byte, v *change.Value) error {
	data := b
	if len(b) > 0 {
		switch head := b[0]; head >> 4 {
		case 0:
			data = b[1:]
		case 8:
			n := int(head & 7)
			if n < 1 || n > 4 || len(b) < 1+n {
				return errCompressed
			}
			size := int(cursor.BigEndian(b[1 : 1+n]))
			if size > len(b)*maxExpansion {
				return errCompressed
			}
			dst := d.scratchFor(size)
			out, err := d.inflate.append(dst, b[1+n:], size, head&8 == 0)
			if err != nil {
				return err
			}
			data = d.keep(out, len(dst), size)
		default:
			return fmt.Errorf("compressed column: method %d is not known", head>>4)
		}
	}
	v.Kind, v.Bytes = change.Blobs, data
	if c.op == opCompressedText {
		v.Kind, v.Bytes = change.String, d.text(c.charset, data)
	}
	return nil
}
