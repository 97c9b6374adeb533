package broker

import (
	"context"
	"encoding/binary"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/recordbatch"
	"daybook/store"
)

// Fetch serves record batches, as they are stored or compressed as the topic
// is set to; to old clients message sets: format v0 for versions 0 and 1, v1
// for 2 and 3. It waits up to max_wait for min_bytes, gives at least one batch
// however small the limits are (from version 3 on), and never opens a fetch
// session (KIP-227), which every client accepts. Topics are named by ID from
// version 13 on.

// maxFetchWait bounds how long a request waits, whatever the client asks for.
const maxFetchWait = 30 * time.Second

func fetchAPI() api {
	return serve(0, 18, `4:-14 4 4 4:3- 1:4- 4:7- 4:7- [ s:-12 16:13- [ 4 4:9- 8 4:12- 8:5- 4 ] ] [ s:-12 16:13- [4] ]:7- s:11- !1`, (*conn).fetch)
}

// readCommitted is the isolation level of clients that wait for transactions to
// end: there are none, so all records are committed, and none are aborted.
const readCommitted = 1

// noAborted is an empty list: not null, which says as much, where Kafka has one.
var noAborted = []kmsg.FetchResponseTopicPartitionAbortedTransaction{}

// fetchResponse is a response without its records, which follow it on the
// wire, so that they need not be copied. They belong to the last partition of
// the last topic: nothing but tags comes after them.
type fetchResponse struct {
	*kmsg.FetchResponse
	records []byte
	release func() // gives the records' memory back; after they are sent
}

// spliceRecords takes an encoded Fetch response whose last partition has empty
// records and returns what comes before n bytes of records and what after.
func spliceRecords(out []byte, n int, flexible bool) (head, tail []byte) {
	const (
		length = 4 // empty as a 32-bit length
		empty  = 1 // the same as a compact length
		tags   = 3 // of the partition, the topic and the response, none set
	)
	if !flexible {
		return binary.BigEndian.AppendUint32(out[:len(out)-length], uint32(n)), nil
	}
	tail = []byte{0, 0, 0}
	return binary.AppendUvarint(out[:len(out)-tags-empty], uint64(n)+1), tail
}

func (c *conn) fetch(ctx context.Context, req *kmsg.FetchRequest) (kmsg.Response, error) {
	f := &fetchResponse{FetchResponse: kmsg.NewPtrFetchResponse(), release: func() {}}
	f.Version = req.Version
	if f.ErrorCode = sessionError(req); f.ErrorCode != 0 {
		return f.FetchResponse, nil
	}
	want, failed := c.lookUpFetch(req, f.FetchResponse)
	if want == nil {
		if !failed {
			sleep(c.watch(ctx), fetchWait(req))
		}
		return f.FetchResponse, nil
	}
	c.fetchInTurn(ctx, f, req, want, failed)
	topic := &f.Topics[len(f.Topics)-1]
	topic.Partitions[len(topic.Partitions)-1] = want.resp
	return f, nil
}

// sessionError refuses what would go on with a session: there are none, so its
// epoch is never looked at.
func sessionError(req *kmsg.FetchRequest) int16 {
	const (
		initial = 0
		final   = -1
	)
	if req.Version < 7 || req.SessionEpoch == initial || req.SessionEpoch == final {
		return 0
	}
	return kerr.FetchSessionIDNotFound.Code
}

// wanted is the one partition that a request can get records of.
type wanted struct {
	*store.Partition
	offset       int64
	fetchedEpoch int32 // of the record before offset; below 0 if not told
	maxBytes     int
	old          bool // the client reads message sets, which cannot tell of lost records
	resp         kmsg.FetchResponseTopicPartition
}

// lookUpFetch fills resp with a block for each partition of the request. The
// wanted partition, if any, is made the last one; failed says that one of the
// others has an error, so the client should be answered at once.
func (c *conn) lookUpFetch(req *kmsg.FetchRequest, resp *kmsg.FetchResponse) (want *wanted, failed bool) {
	var last kmsg.FetchResponseTopic
	for _, t := range req.Topics {
		rt := kmsg.NewFetchResponseTopic()
		rt.Topic, rt.TopicID = t.Topic, t.TopicID
		found := false
		for _, p := range t.Partitions {
			rp := newFetchPartition(p.Partition)
			rp.AbortedTransactions = noAborted
			part := c.lookUp(t.Topic, t.TopicID, p.Partition)
			switch {
			case part == nil && req.Version >= 13 && c.lookUp("", t.TopicID, 0) == nil:
				rp.ErrorCode = kerr.UnknownTopicID.Code
			case part == nil:
				rp.ErrorCode = kerr.UnknownTopicOrPartition.Code
			case p.CurrentLeaderEpoch > leaderEpoch:
				rp.ErrorCode, rp.AbortedTransactions = kerr.UnknownLeaderEpoch.Code, nil
			default:
				found = found || want == nil
				rp.AbortedTransactions = nil
				want = &wanted{part, p.FetchOffset, p.LastFetchedEpoch, int(p.PartitionMaxBytes), req.Version <= 3, rp}
				continue // named twice, the last one counts
			}
			failed = failed || rp.ErrorCode != 0
			rt.Partitions = append(rt.Partitions, rp)
		}
		switch {
		case found:
			last = rt
		case len(rt.Partitions) > 0:
			resp.Topics = append(resp.Topics, rt)
		}
	}
	if want != nil {
		last.Partitions = append(last.Partitions, want.resp)
		resp.Topics = append(resp.Topics, last)
	}
	return want, failed
}

func newFetchPartition(n int32) kmsg.FetchResponseTopicPartition {
	rp := kmsg.NewFetchResponseTopicPartition()
	rp.Partition, rp.HighWatermark = n, -1
	rp.RecordBatches = []byte{} // null is not legal
	return rp
}

// fetchLimit is how many bytes of records the response may have, if one batch
// does not need more.
func (c *conn) fetchLimit(req *kmsg.FetchRequest, want *wanted) int {
	limit := min(want.maxBytes, c.s.o.MaxFetchBytes)
	if req.Version >= 3 {
		limit = min(limit, int(req.MaxBytes))
	}
	return max(limit, 0)
}

func fetchWait(req *kmsg.FetchRequest) time.Duration {
	return min(time.Duration(req.MaxWaitMillis)*time.Millisecond, maxFetchWait)
}

// awaitBytes waits until min_bytes can be served, or the time is up, or the
// offset turns out to be out of range, or it may be another reader's turn.
func (c *conn) awaitBytes(ctx context.Context, req *kmsg.FetchRequest, want *wanted, wait time.Duration, turn <-chan struct{}) {
	enough := min(int(req.MinBytes), c.fetchLimit(req, want))
	if wait <= 0 || enough <= 0 {
		return
	}
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	for {
		changed := want.Changed()
		if want.has(enough) {
			return
		}
		select {
		case <-changed:
		case <-turn:
			return
		case <-timeout.C:
			return
		case <-c.watch(ctx).Done():
			return
		}
	}
}

// has tells that n bytes of records can be served, or that waiting for them is
// in vain.
func (w *wanted) has(n int) bool {
	if w.Damaged() != nil || isDeleted(w.Partition) {
		return true
	}
	if at, err := w.diverges(); at != nil || err != nil {
		return true
	}
	end := w.HighWatermark()
	if w.offset == end {
		return false
	}
	if w.old && w.offset < end && w.offset >= w.RecordsEnd() {
		return false // a repair left nothing from here on: the next record is the one to wait for
	}
	if n == 1 || w.offset > end || w.offset < w.LogStartOffset() {
		return true
	}
	size, err := w.Size(w.offset)
	return err != nil || size >= n
}

// read fills in the wanted partition's block and takes its records from the
// store, in the format of the request's version. Their memory is counted
// against the budget for all responses until they are sent; when there is none
// for too long, the client gets no records and asks again.
func (c *conn) read(ctx context.Context, f *fetchResponse, req *kmsg.FetchRequest, want *wanted, limit int) {
	if err := want.Damaged(); err != nil { // its bounds are not known
		c.complainOfDamage("cannot read records", want.Topic(), err, "offset", want.offset)
		want.resp.ErrorCode = kerr.KafkaStorageError.Code
		return
	}
	at, err := want.diverges()
	if at != nil {
		want.resp.DivergingEpoch = *at
		want.tellBounds()
		return
	}
	if err == nil {
		err = c.readRecords(ctx, f, req, want, limit)
	}
	switch {
	case errors.Is(err, store.ErrDeleted):
		return
	case errors.Is(err, store.ErrOffsetOutOfRange):
		want.resp.ErrorCode = kerr.OffsetOutOfRange.Code
		return
	case err != nil:
		c.complainOfDamage("cannot read records", want.Topic(), err, "offset", want.offset)
		want.resp.ErrorCode = kerr.KafkaStorageError.Code
		return
	}
	if req.IsolationLevel == readCommitted {
		want.resp.AbortedTransactions = noAborted
	}
	want.tellBounds() // after the records, so that the high watermark is not below them
}

// refuse answers for a topic that does not exist any more.
func (w *wanted) refuse(version int16) {
	w.resp = newFetchPartition(w.resp.Partition)
	w.resp.AbortedTransactions = noAborted
	w.resp.ErrorCode = kerr.UnknownTopicOrPartition.Code
	if version >= 13 {
		w.resp.ErrorCode = kerr.UnknownTopicID.Code
	}
}

// tellBounds fills in where the log begins and ends.
func (w *wanted) tellBounds() {
	w.resp.HighWatermark = w.HighWatermark()
	w.resp.LastStableOffset = w.resp.HighWatermark
	w.resp.LogStartOffset = w.LogStartOffset()
}

func (c *conn) readRecords(ctx context.Context, f *fetchResponse, req *kmsg.FetchRequest, want *wanted, limit int) (err error) {
	if want.offset == want.HighWatermark() {
		return nil
	}
	memory := c.s.fetchMemory.claim(*c.principal, int64(limit))
	f.release = memory.release
	if !c.awaitMemory(ctx, want, memory) {
		return nil
	}
	limit = int(memory.bytes)
	buf := c.s.batches.Get().(*[]byte)
	f.release = func() {
		if cap(*buf) <= 2*c.s.o.MaxFetchBytes {
			c.s.batches.Put(buf)
		}
		memory.release()
	}
	compression := c.s.compressionFor(want.Topic(), req.Version)
	if req.Version >= 4 && compression != recordbatch.None {
		f.records, err = c.s.packing.read(ctx, (*buf)[:0], want.Partition, want.offset, compression, limit)
	} else {
		f.records, err = want.Read((*buf)[:0], want.offset, limit)
	}
	*buf = f.records
	if err == nil && req.Version <= 3 {
		f.records, err = c.s.packing.messageSet(ctx, *buf, req.Version, want.offset, compression, limit)
	}
	if err != nil && ctx.Err() != nil {
		return nil // as without memory
	}
	return err
}

// awaitMemory tells if the memory came in time.
func (c *conn) awaitMemory(ctx context.Context, want *wanted, memory *claim) bool {
	select {
	case <-memory.ready:
		return true
	default:
	}
	timeout := time.NewTimer(maxFetchWait)
	defer timeout.Stop()
	select {
	case <-memory.ready:
		return true
	case <-timeout.C:
	case <-want.Deleted():
	case <-c.watch(ctx).Done():
	}
	return false
}
