package rowevent

import (
	"fmt"

	"daybook/change"
)

// stringForm is what a character or binary type is on the wire.
type stringForm struct {
	wire, compressed WireType // compressed: MariaDB's COMPRESSED attribute; 0: it has none
	prefix           int      // of the BLOBs
}

func formOf(t change.Type) stringForm {
	switch t {
	case change.Char, change.Binary:
		return stringForm{wire: typeString}
	case change.VarChar, change.VarBinary:
		return stringForm{wire: typeVarChar, compressed: typeVarCharCompressed}
	case change.TinyText, change.TinyBlob:
		return stringForm{wire: typeBlob, compressed: typeBlobCompressed, prefix: 1}
	case change.Text, change.Blob:
		return stringForm{wire: typeBlob, compressed: typeBlobCompressed, prefix: 2}
	case change.MediumText, change.MediumBlob:
		return stringForm{wire: typeBlob, compressed: typeBlobCompressed, prefix: 3}
	}
	return stringForm{wire: typeBlob, compressed: typeBlobCompressed, prefix: 4}
}

func compileString(m *MapColumn, t *change.Column, d *Decoder) (column, string) {
	f := formOf(t.Type)
	compressed := m.Type == f.compressed
	if m.Type != f.wire && !compressed {
		return column{}, typeMismatch(m, t)
	}
	c := column{op: opBytes, prefix: f.prefix, size: -1}
	width := 1
	if t.Type.IsText() && t.Charset != "binary" {
		cs, ok := d.charset(t.Charset)
		if !ok {
			return column{}, fmt.Sprintf("the definition has charset %q, which this version cannot convert", t.Charset)
		}
		c.op, c.charset, width = opText, cs, cs.MaxLen
	}
	if compressed {
		if c.op == opText {
			c.op = opCompressedText
		} else {
			c.op = opCompressedBytes
		}
	}
	if f.prefix > 0 {
		if m.Length != f.prefix {
			return column{}, fmt.Sprintf("the table map has a BLOB with %d length bytes, the definition %s, which has %d", m.Length, t.Type, f.prefix)
		}
		return c, ""
	}
	length := m.Length
	if compressed {
		length-- // for the byte that tells the method
	}
	if t.Length >= 0 && t.Length*width != length {
		return column{}, fmt.Sprintf("the table map has %d bytes, the definition %s(%d) with %d bytes for a character", length, t.Type, t.Length, width)
	}
	c.prefix, c.size = lengthBytes(m.Length), m.Length
	if t.Type == change.Binary {
		c.op = opBinary
	}
	return c, ""
}
