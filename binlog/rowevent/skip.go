package rowevent

import "fmt"

// Skip steps over the next row without decoding its values, so that a resume
// can pass n rows cheaply. ok is false after the last row. The error is as that
// of Next.
func (d *Decoder) Skip() (ok bool, err error) {
	if len(d.rest) == 0 {
		d.end()
		return false, nil
	}
	rest, good := d.skipImage(d.rest, d.first)
	if good && d.form == formUpdate {
		if d.kind == PartialUpdateRows {
			_, rest, good = d.partialBits(rest)
		}
		if good {
			rest, good = d.skipImage(rest, d.second)
		}
	}
	d.rest = nil
	if !good {
		return false, d.rowError(fmt.Errorf("%w: row image is cut off", ErrCorrupt))
	}
	d.rest = rest
	d.row++
	return true, nil
}

func (d *Decoder) skipImage(b []byte, present bitmap) ([]byte, bool) {
	size := bitmapSize(present.count(len(d.columns)))
	if size == 0 || size > len(b) {
		return nil, false
	}
	nulls := bitmap(b[:size])
	b = b[size:]
	bit := 0
	for i := range d.columns {
		if !present.has(i) {
			continue
		}
		if !nulls.has(bit) {
			n := d.columns[i].wireSize(b)
			if n < 0 || n > len(b) {
				return nil, false
			}
			b = b[n:]
		}
		bit++
	}
	return b, true
}
