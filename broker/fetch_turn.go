package broker

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/group"
	"daybook/recordbatch"
)

// One connection of a group at a time is served records: group.Reader says
// which. To every other one a Fetch succeeds and brings nothing, which no client
// minds: the partition seems to have nothing new. Its offset is not looked at,
// because OFFSET_OUT_OF_RANGE would have it reset its position, or fail.

// standbyWait is how long the Fetch of a standby is held at least: a client
// that does not want to wait would ask again at once, for ever.
const standbyWait = 100 * time.Millisecond

// fetchInTurn answers the Fetch of the wanted partition, if it is the
// connection's turn; failed says not to wait.
func (c *conn) fetchInTurn(ctx context.Context, f *fetchResponse, req *kmsg.FetchRequest, want *wanted, failed bool) {
	if c.reader == nil {
		c.reader = c.s.o.Groups.OpenReader(c.principal.Group, c.principal.Topic, c.client())
	}
	next := want.offset
	turn := c.reader.Begin(want.offset)
	defer func() { c.reader.End(next) }()
	defer func() {
		if isDeleted(want.Partition) { // it was there when the request came
			f.drop()
			want.refuse(req.Version)
		}
	}()
	began := time.Now()
	if turn == group.Standby && !failed {
		turn = c.awaitTurn(ctx, want, max(fetchWait(req), standbyWait))
	}
	if turn == group.Active && !failed {
		turn = c.awaitRecords(ctx, req, want, fetchWait(req)-time.Since(began))
	}
	if turn == group.Active {
		c.read(ctx, f, req, want, c.fetchLimit(req, want))
		next = max(next, recordbatch.End(f.records))
		// What was read is not sent if another one may be served already.
		if turn = c.reader.Turn(); turn != group.Active {
			f.drop()
			want.resp.ErrorCode = 0
		}
	}
	switch turn {
	case group.Lost:
		want.resp.ErrorCode = kerr.NotLeaderForPartition.Code
	case group.Standby:
		want.tellBounds()
	}
}

// awaitRecords is awaitBytes as long as it is the connection's turn.
func (c *conn) awaitRecords(ctx context.Context, req *kmsg.FetchRequest, want *wanted, wait time.Duration) group.Turn {
	changed := c.reader.Changed()
	if turn := c.reader.Turn(); turn != group.Active {
		return turn
	}
	c.awaitBytes(ctx, req, want, wait, changed)
	return c.reader.Turn()
}

// awaitTurn waits until it is the connection's turn, or wait is over, or there is nothing to wait for.
func (c *conn) awaitTurn(ctx context.Context, want *wanted, wait time.Duration) group.Turn {
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	for {
		changed := c.reader.Changed()
		turn := c.reader.Turn()
		if turn != group.Standby {
			return turn
		}
		select {
		case <-changed:
		case <-want.Deleted():
			return turn
		case <-timeout.C:
			return turn
		case <-c.watch(ctx).Done():
			return turn
		}
	}
}

// endReading gives the connection's turn to the next one.
func (c *conn) endReading() {
	if c.reader != nil {
		c.reader.Close()
	}
}

// drop takes the records out of the response.
func (f *fetchResponse) drop() {
	f.release()
	f.records, f.release = nil, func() {}
}
