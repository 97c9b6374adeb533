package recordbatch_test

import (
	"math"
	"testing"

	"daybook/recordbatch"
)

// TestGap reads a batch without records in each way in which batches are read.
func TestGap(t *testing.T) {
	for _, tt := range []struct{ base, to, next int64 }{
		{0, 1, 1},
		{7, 1 << 24, 1 << 24},
		{5, 1 << 40, 5 + math.MaxInt32}, // more than one batch can stand for
	} {
		b := recordbatch.Gap(tt.base, tt.to)
		h, err := recordbatch.Verify(b)
		if err != nil || h.BaseOffset != tt.base || h.NextOffset() != tt.next || h.Count != 0 || h.Length != len(b) {
			t.Errorf("gap from %d to %d: %+v, %v", tt.base, tt.to, h, err)
		}
		for r, err := range recordbatch.Records(b) {
			t.Errorf("a gap has the record %+v, %v", r, err)
		}
		if set, err := recordbatch.AppendMessageSet(nil, b, 1, tt.base, 1<<20); err != nil || len(set) != 0 {
			t.Errorf("as a message set: %x, %v", set, err)
		}
		if end := recordbatch.End(b); end != tt.next {
			t.Errorf("it ends at %d, want %d", end, tt.next)
		}
		for _, c := range []recordbatch.Compression{recordbatch.None, recordbatch.Gzip, recordbatch.Snappy, recordbatch.LZ4, recordbatch.Zstd} {
			var z recordbatch.Compressor
			packed, err := z.AppendBatch(nil, b, c)
			if err != nil {
				t.Errorf("%s: %v", c, err)
				continue
			}
			if h, err := recordbatch.Verify(packed); err != nil || h.Count != 0 || h.NextOffset() != tt.next {
				t.Errorf("%s: %+v, %v", c, h, err)
			}
		}
	}
}
