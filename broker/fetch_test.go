package broker_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/broker"
	"daybook/recordbatch"
)

// fetchRequest asks for the topic from offset on, by name or ID as the version
// wants it, without waiting.
func (c *cluster) fetchRequest(v int16, offset int64) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.Version = v
	req.SessionEpoch = 0
	req.MinBytes, req.MaxBytes = 1, 1<<20
	rt := kmsg.NewFetchRequestTopic()
	rt.Topic, rt.TopicID = topic, c.part.TopicID()
	rp := kmsg.NewFetchRequestTopicPartition()
	rp.FetchOffset, rp.PartitionMaxBytes = offset, 1<<20
	rt.Partitions = append(rt.Partitions, rp)
	req.Topics = append(req.Topics, rt)
	return req
}

// record is what every message format holds.
type record struct {
	offset int64
	value  string
}

// parseRecords reads what a Fetch of a version returned.
func parseRecords(t *testing.T, b []byte, version int16) (records []record) {
	t.Helper()
	for len(b) > 0 {
		if version >= 4 {
			h, err := recordbatch.Verify(b)
			if err != nil {
				t.Fatalf("batch: %v", err)
			}
			for r, err := range recordbatch.Records(b[:h.Length]) {
				if err != nil {
					t.Fatal(err)
				}
				records = append(records, record{r.Offset, string(r.Value)})
			}
			b = b[h.Length:]
			continue
		}
		if len(b) < 12 {
			return records
		}
		size := int(binary.BigEndian.Uint32(b[8:])) + 12
		if size > len(b) {
			return records // cut off, which is legal at the end
		}
		wantMagic := int8(0)
		if version >= 2 {
			wantMagic = 1
		}
		if magic := int8(b[16]); magic != wantMagic {
			t.Fatalf("magic %d, want %d", magic, wantMagic)
		}
		if wantMagic == 0 {
			var m kmsg.MessageV0
			if err := m.ReadFrom(b[:size]); err != nil {
				t.Fatal(err)
			}
			records = append(records, record{m.Offset, string(m.Value)})
		} else {
			var m kmsg.MessageV1
			if err := m.ReadFrom(b[:size]); err != nil {
				t.Fatal(err)
			}
			if m.Timestamp != timeOf(m.Offset) {
				t.Fatalf("offset %d has timestamp %d, want %d", m.Offset, m.Timestamp, timeOf(m.Offset))
			}
			records = append(records, record{m.Offset, string(m.Value)})
		}
		b = b[size:]
	}
	return records
}

// wantRecords fails unless records are those from first up to, not including, end.
func wantRecords(t *testing.T, records []record, first, end int64) {
	t.Helper()
	var want []record
	for o := first; o < end; o++ {
		want = append(want, record{o, valueOf(o)})
	}
	if !slices.Equal(records, want) {
		t.Errorf("records %v\nwant %v", records, want)
	}
}

func only(t *testing.T, resp *kmsg.FetchResponse) kmsg.FetchResponseTopicPartition {
	t.Helper()
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		t.Fatalf("response %+v, want one partition", resp)
	}
	return resp.Topics[0].Partitions[0]
}

func TestFetch(t *testing.T) {
	c := newCluster(t)
	c.produce(3, 1, 200, 5)
	end := c.part.HighWatermark()
	c.versions(kmsg.NewPtrFetchRequest(), func(t *testing.T, cl *client, v int16) {
		for _, from := range []int64{0, 1, 3, 100, end - 1, end} {
			p := only(t, ask[*kmsg.FetchResponse](cl, c.fetchRequest(v, from)))
			if p.ErrorCode != 0 || p.HighWatermark != end {
				t.Fatalf("from %d: error %d, high watermark %d, want %d", from, p.ErrorCode, p.HighWatermark, end)
			}
			if v >= 4 && p.LastStableOffset != end || v >= 5 && p.LogStartOffset != 0 || p.PreferredReadReplica != -1 {
				t.Errorf("from %d: %+v", from, p)
			}
			records := parseRecords(t, p.RecordBatches, v)
			if v >= 4 { // the whole batch that holds the offset comes
				records = slices.DeleteFunc(records, func(r record) bool { return r.offset < from })
			}
			wantRecords(t, records, from, end)
		}
		for _, outside := range []int64{-1, end + 1} {
			p := only(t, ask[*kmsg.FetchResponse](cl, c.fetchRequest(v, outside)))
			if p.ErrorCode != kerr.OffsetOutOfRange.Code || len(p.RecordBatches) > 0 || p.HighWatermark != -1 {
				t.Errorf("from %d: %+v, want error %d", outside, p, kerr.OffsetOutOfRange.Code)
			}
		}
	})
}

// However small the limits, version 3 on get one batch or message; before, the
// answer is cut at the limit.
func TestFetchLimits(t *testing.T) {
	c := newCluster(t)
	c.produce(10, 10, 10)
	c.versions(kmsg.NewPtrFetchRequest(), func(t *testing.T, cl *client, v int16) {
		for _, limit := range []int32{0, 1, 500, 700} {
			req := c.fetchRequest(v, 10)
			req.Topics[0].Partitions[0].PartitionMaxBytes = limit
			b := only(t, ask[*kmsg.FetchResponse](cl, req)).RecordBatches
			records := parseRecords(t, b, v)
			switch {
			case v <= 2 && len(b) > int(limit):
				t.Errorf("limit %d: %d bytes", limit, len(b))
			case v == 3 && len(records) == 0, v >= 4 && len(records) < 10:
				t.Errorf("limit %d: %d records", limit, len(records))
			case limit <= 500 && len(records) > 10:
				t.Errorf("limit %d: %d records", limit, len(records))
			}
		}
		if v >= 3 {
			req := c.fetchRequest(v, 0)
			req.MaxBytes = 1
			if n := len(parseRecords(t, only(t, ask[*kmsg.FetchResponse](cl, req)).RecordBatches, v)); n == 0 || n > 10 {
				t.Errorf("with max_bytes 1: %d records", n)
			}
		}
	})
}

// Every block that is asked for is answered, the one with records once; only
// the principal's own topic exists.
func TestFetchOtherTopics(t *testing.T) {
	c := newCluster(t)
	c.produce(3)
	other, _ := c.store.Partition(otherTopic)
	c.versions(kmsg.NewPtrFetchRequest(), func(t *testing.T, cl *client, v int16) {
		req := c.fetchRequest(v, 0)
		req.MaxWaitMillis = 10_000
		req.MinBytes = 1 << 20 // not to be waited for: there are errors
		own := req.Topics[0]
		p1 := own.Partitions[0]
		p1.Partition = 1
		own.Partitions = []kmsg.FetchRequestTopicPartition{own.Partitions[0], p1, own.Partitions[0]}
		foreign, nowhere := own, own
		foreign.Topic, foreign.TopicID = otherTopic, other.TopicID()
		nowhere.Topic, nowhere.TopicID = "nowhere", [16]byte{1}
		req.Topics = []kmsg.FetchRequestTopic{foreign, own, nowhere}
		start := time.Now()
		resp := ask[*kmsg.FetchResponse](cl, req)
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("answered after %v", d)
		}
		unknown := kerr.UnknownTopicOrPartition.Code
		absent := unknown
		if v >= 13 {
			absent = kerr.UnknownTopicID.Code
		}
		got := map[string]int{}
		for _, rt := range resp.Topics {
			for _, rp := range rt.Partitions {
				name := rt.Topic
				if v >= 13 {
					name = fmt.Sprintf("%x", rt.TopicID)
				}
				got[fmt.Sprintf("%s/%d error %d", name, rp.Partition, rp.ErrorCode)] += len(parseRecords(t, rp.RecordBatches, v)) + 1
			}
		}
		want := map[string]int{}
		for _, rt := range req.Topics {
			name, code := rt.Topic, absent
			if v >= 13 {
				name = fmt.Sprintf("%x", rt.TopicID)
			}
			if rt.Topic == topic {
				want[name+"/0 error 0"] = 1 + 3
				want[fmt.Sprintf("%s/1 error %d", name, unknown)] = 1
				continue
			}
			want[fmt.Sprintf("%s/0 error %d", name, code)] = 2
			want[fmt.Sprintf("%s/1 error %d", name, code)] = 1
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("blocks %v\nwant   %v", got, want)
		}
	})
}

func TestFetchWaits(t *testing.T) {
	c := newCluster(t)
	c.produce(1)
	cl := c.login(user)

	t.Run("until a record comes", func(t *testing.T) {
		req := c.fetchRequest(12, 1)
		req.MaxWaitMillis = 15_000
		start := time.Now()
		cl.send(req)
		time.AfterFunc(50*time.Millisecond, func() { c.produce(1) })
		p := only(t, cl.receive(req).(*kmsg.FetchResponse))
		wantRecords(t, parseRecords(t, p.RecordBatches, 12), 1, 2)
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("answered after %v", d)
		}
	})
	t.Run("until there are enough bytes", func(t *testing.T) {
		req := c.fetchRequest(12, 2)
		req.MaxWaitMillis, req.MinBytes = 15_000, 200
		cl.send(req)
		for i := range 3 {
			time.AfterFunc(time.Duration(i+1)*30*time.Millisecond, func() { c.produce(1) })
		}
		p := only(t, cl.receive(req).(*kmsg.FetchResponse))
		if n := len(p.RecordBatches); n < 200 {
			t.Errorf("answered with %d bytes", n)
		}
	})
	t.Run("for max_wait at most", func(t *testing.T) {
		req := c.fetchRequest(12, c.part.HighWatermark())
		req.MaxWaitMillis = 60
		start := time.Now()
		p := only(t, ask[*kmsg.FetchResponse](cl, req))
		if d := time.Since(start); d < 50*time.Millisecond || p.ErrorCode != 0 || len(p.RecordBatches) != 0 {
			t.Errorf("after %v: %+v, want nothing after 60 ms", d, p)
		}
	})
	t.Run("without a topic", func(t *testing.T) {
		req := c.fetchRequest(12, 0)
		req.Topics, req.MaxWaitMillis = nil, 60
		start := time.Now()
		if resp := ask[*kmsg.FetchResponse](cl, req); len(resp.Topics) != 0 || time.Since(start) < 50*time.Millisecond {
			t.Errorf("after %v: %+v, want nothing after 60 ms", time.Since(start), resp)
		}
	})
}

// A tailing client must get past a record that came while it was answered.
func TestFetchMissesNoWakeUp(t *testing.T) {
	c := newCluster(t)
	cl := c.login(user)
	const records = 300
	go func() {
		for range records {
			c.produce(1)
		}
	}()
	for next := int64(0); next < records; {
		req := c.fetchRequest(12, next)
		req.MaxWaitMillis = 10_000
		got := parseRecords(t, only(t, ask[*kmsg.FetchResponse](cl, req)).RecordBatches, 12)
		if len(got) == 0 {
			t.Fatalf("nothing at offset %d of %d", next, c.part.HighWatermark())
		}
		wantRecords(t, got, next, next+int64(len(got)))
		next += int64(len(got))
	}
}

func TestFetchSessions(t *testing.T) {
	c := newCluster(t)
	c.produce(1)
	cl := c.login(user)
	for _, test := range []struct {
		id, epoch int32
		want      int16
	}{
		{0, -1, 0}, {0, 0, 0}, {7, 0, 0}, {7, -1, 0},
		{0, 1, kerr.FetchSessionIDNotFound.Code}, {7, 1, kerr.FetchSessionIDNotFound.Code},
		{7, -2, kerr.FetchSessionIDNotFound.Code},
	} {
		req := c.fetchRequest(12, 0)
		req.SessionID, req.SessionEpoch = test.id, test.epoch
		resp := ask[*kmsg.FetchResponse](cl, req)
		if resp.ErrorCode != test.want || resp.SessionID != 0 || (resp.ErrorCode == 0) != (len(resp.Topics) == 1) {
			t.Errorf("session %d epoch %d: error %d, session %d, %d topics; want error %d and no session",
				test.id, test.epoch, resp.ErrorCode, resp.SessionID, len(resp.Topics), test.want)
		}
	}
}

func TestFetchFromALaterEpoch(t *testing.T) {
	c := newCluster(t)
	c.produce(1)
	req := c.fetchRequest(12, 0)
	req.Topics[0].Partitions[0].CurrentLeaderEpoch = 1
	p := only(t, ask[*kmsg.FetchResponse](c.login(user), req))
	if p.ErrorCode != kerr.UnknownLeaderEpoch.Code {
		t.Errorf("error %d, want %d", p.ErrorCode, kerr.UnknownLeaderEpoch.Code)
	}
}

// The records of all responses under way share one budget; clients wait for
// it and none is starved.
func TestFetchMemoryIsShared(t *testing.T) {
	c := newCluster(t, func(o *broker.Options) { o.FetchMemory = 1 << 10 })
	c.produce(50, 50, 50)
	done := make(chan int)
	for i := range readers {
		cl := c.login(reader(i))
		go func() {
			n := 0
			for next := int64(0); next < 150; n++ {
				got := parseRecords(t, only(t, ask[*kmsg.FetchResponse](cl, c.fetchRequest(12, next))).RecordBatches, 12)
				next += int64(len(got))
			}
			done <- n
		}()
	}
	for range 8 {
		if n := <-done; n > 10 {
			t.Errorf("a client asked %d times", n)
		}
	}
}

// However many accounts have clients that do not read their responses, those of
// another go on.
func TestSlowClientsOfOtherAccounts(t *testing.T) {
	const memory, response = 8 << 20, 1 << 20
	c := newCluster(t, func(o *broker.Options) { o.FetchMemory, o.MaxFetchBytes = memory, response })
	other, _ := c.store.Partition(otherTopic)
	bank := *c
	bank.part = other
	for range 8 {
		c.produceBytes(response * 9 / 10)
		bank.produceBytes(response * 9 / 10)
	}
	request := c.fetchRequest(12, 0)
	request.MaxBytes, request.Topics[0].Partitions[0].PartitionMaxBytes = response, response
	for i := range readers {
		slow := c.login(reader(i))
		for range 20 { // more than the buffers of both sockets
			slow.send(request)
		}
	}
	// They take what they can get.
	for deadline := time.Now().Add(10 * time.Second); c.server.FreeFetchMemory() > memory/4; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d bytes are free", c.server.FreeFetchMemory())
		}
	}
	quick := c.login(otherUser)
	request.Topics[0].Topic = otherTopic
	start := time.Now()
	for offset := range int64(8) {
		request.Topics[0].Partitions[0].FetchOffset = offset
		if p := only(t, ask[*kmsg.FetchResponse](quick, request)); len(p.RecordBatches) < response/2 {
			t.Fatalf("offset %d: %d bytes", offset, len(p.RecordBatches))
		}
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("8 responses took %v", d)
	}
}

// Kafka truncates: a client that read what is there no more is told where to
// go on. Here that is a client of another log, or one that lies.
func TestFetchOfAnotherEpoch(t *testing.T) {
	c := newCluster(t)
	c.produce(5)
	cl := c.login(user)
	for _, test := range []struct {
		epoch        int32
		offset       int64
		code         int16
		at           kmsg.FetchResponseTopicPartitionDivergingEpoch
		wantsRecords bool
	}{
		{epoch: -1, offset: 2, at: diverging(-1, -1), wantsRecords: true},
		{epoch: 0, offset: 2, at: diverging(-1, -1), wantsRecords: true},
		{epoch: 0, offset: 5, at: diverging(-1, -1)},
		{epoch: 0, offset: 6, at: diverging(0, 5)},
		{epoch: 1, offset: 2, code: kerr.OffsetOutOfRange.Code, at: diverging(-1, -1)},
		{epoch: 1, offset: 5, code: kerr.OffsetOutOfRange.Code, at: diverging(-1, -1)},
		{epoch: 0, offset: -1, code: kerr.OffsetOutOfRange.Code, at: diverging(-1, -1)},
	} {
		req := c.fetchRequest(12, test.offset)
		req.Topics[0].Partitions[0].LastFetchedEpoch = test.epoch
		p := only(t, ask[*kmsg.FetchResponse](cl, req))
		if p.ErrorCode != test.code || p.DivergingEpoch.Epoch != test.at.Epoch || p.DivergingEpoch.EndOffset != test.at.EndOffset || (len(p.RecordBatches) > 0) != test.wantsRecords {
			t.Errorf("epoch %d, offset %d: error %d, diverging at %+v, %d bytes", test.epoch, test.offset, p.ErrorCode, p.DivergingEpoch, len(p.RecordBatches))
		}
	}
}

func diverging(epoch int32, end int64) kmsg.FetchResponseTopicPartitionDivergingEpoch {
	return kmsg.FetchResponseTopicPartitionDivergingEpoch{Epoch: epoch, EndOffset: end}
}
