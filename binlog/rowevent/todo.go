package rowevent

import (
	"errors"

	"daybook/change"
)

type inflater struct{}

var hiresTimeSizes, hiresDateTimeSizes, hiresTimestampSizes [7]int

func hires(c *column, b []byte, v *change.Value) bool { return false }

func (d *Decoder) decompressRows() bool                        { return false }
func (d *Decoder) partialBits(b []byte) (bitmap, []byte, bool) { return nil, nil, false }
func (d *Decoder) partialImage(b []byte) ([]byte, error)       { return nil, errors.New("todo") }
func (d *Decoder) decompressColumn(c *column, b []byte, v *change.Value) error {
	return errors.New("todo")
}
func (d *Decoder) fixedBinary(c *column, b []byte, v *change.Value) error { return errors.New("todo") }
