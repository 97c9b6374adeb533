package binlog

import (
	"context"
	"fmt"

	"daybook/binlog/dump"
)

// Open connects, checks the source, reads or loads the tables' definitions and
// starts to read.
func (r *Reader) Open(ctx context.Context) error {
	err := r.open(ctx)
	if err != nil {
		_ = r.Close()
		return fmt.Errorf("open binlog of %s: %w", r.o.Source.Address, err)
	}
	return nil
}

func (r *Reader) open(ctx context.Context) error {
	p, err := r.prepare(ctx)
	if err != nil {
		return err
	}
	r.stream = newStream(r.feed, r.server.Load())
	if r.stream.opaque = r.lenient; !r.lenient {
		r.stream.foresee(r.seekFate)
	}
	r.progress = progress{taken: p.taken, group: p.group, spool: spool{events: p.spooled, chunks: p.chunks, statement: p.statement}}
	r.rewind()
	r.stream.begin(&p.Position)
	c, err := r.feed.AwaitFirst(ctx)
	if c != nil {
		r.stream.connected(c)
		if !r.sessions.known() {
			r.sessions.connected(c)
		}
		if r.stream.onConnect = r.connected; err == nil {
			err = r.connected(c)
		}
	}
	return err
}

// prepare finds out where to begin and what the tables look like there.
func (r *Reader) prepare(ctx context.Context) (*position, error) {
	c, err := dump.Dial(ctx, r.o.Source)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	status, err := c.Facts(ctx)
	if err != nil {
		return nil, err
	}
	r.server.Store(status)
	r.fold = status.LowerCaseTableNames != 0
	if f := status.BinlogFormat; f != "ROW" && (f != "" || status.Version < 90000) {
		return nil, fmt.Errorf("%w: binlog_format is %s; SET GLOBAL binlog_format=ROW, put it into the source's configuration, and restart the applications' connections", ErrNotRow, f)
	}
	if r.o.Resume != nil {
		p, err := r.resume()
		if err != nil {
			return nil, err
		}
		return p, r.reselected(ctx, c, p)
	}
	if err := r.selectObjects(nil, nil); err != nil {
		return nil, err
	}
	at, err := r.firstStart(ctx, c)
	if err == nil && at.File != "" && at.FileMade == 0 {
		err = at.Identify(ctx, r.o.Source, status)
	}
	if err != nil {
		return nil, err
	}
	return &position{Position: *at}, nil
}
