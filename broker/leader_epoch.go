package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/store"
)

// noEpoch stands for a leader epoch that is not told, or is not known.
const noEpoch = -1

// endOfEpoch returns where the records of a leader epoch end, and the epoch
// that this is known of (KIP-101, KIP-320): for the present one, the log's end;
// an older one ended before the log began. Any other has noEpoch.
func endOfEpoch(p *store.Partition, epoch int32) (known int32, end int64) {
	switch {
	case epoch == leaderEpoch:
		return epoch, p.HighWatermark()
	case epoch < leaderEpoch && epoch != noEpoch:
		return epoch, p.LogStartOffset()
	}
	return noEpoch, -1
}

// diverges tells if a client, which says what epoch the record before its
// offset is of, cannot have read that here: with where it went astray, or with
// ErrOffsetOutOfRange if that is not known (KIP-595).
func (w *wanted) diverges() (at *kmsg.FetchResponseTopicPartitionDivergingEpoch, err error) {
	if w.fetchedEpoch < 0 {
		return nil, nil
	}
	known, end := endOfEpoch(w.Partition, w.fetchedEpoch)
	switch {
	case known == noEpoch || w.offset < w.LogStartOffset():
		return nil, store.ErrOffsetOutOfRange
	case end >= w.offset:
		return nil, nil
	}
	d := kmsg.NewFetchResponseTopicPartitionDivergingEpoch()
	d.Epoch, d.EndOffset = known, end
	return &d, nil
}
