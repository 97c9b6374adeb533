package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"golang.org/x/sync/errgroup"
)

// pollWait is the fetch.max.wait.ms of most clients.
const pollWait = 500 * time.Millisecond

// atRest is what connections cost while nothing changes.
type atRest struct {
	Idle         int     `json:"idle_connections"`
	IdleBytes    float64 `json:"bytes_per_idle_connection"`
	Pollers      int     `json:"long_polling_consumers"`
	PollerBytes  float64 `json:"bytes_per_long_polling_consumer"`
	CPUOfOneCore float64 `json:"cpu_of_one_core"` // with all of them; 1 is a core
}

// rest opens idle and then long-polling connections and measures the process's
// memory before and after each, and its CPU with all of them.
func (d *daybook) rest(ctx context.Context, idle, polling int, t time.Duration) (r atRest, err error) {
	r.Idle, r.Pollers = idle, polling
	before, err := d.memory("VmRSS:")
	if err != nil {
		return r, err
	}
	users := slices.Repeat([]string{saslUser}, idle)
	for _, g := range manyGroups(polling) {
		users = append(users, account+"-"+g)
	}
	conns, err := d.open(ctx, users)
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	if err != nil {
		return r, err
	}
	opened, err := d.memory("VmRSS:")
	if err != nil {
		return r, err
	}
	c, err := d.client()
	if err != nil {
		return r, err
	}
	defer c.Close()
	end, err := highWatermark(ctx, c)
	if err != nil {
		return r, err
	}
	g, pollCtx := errgroup.WithContext(ctx)
	until := time.Now().Add(t)
	for _, c := range conns[idle:] {
		g.Go(func() error { return poll(pollCtx, c, end, until) })
	}
	cpu, err := d.cpu()
	if err != nil {
		return r, err
	}
	if err := g.Wait(); err != nil {
		return r, fmt.Errorf("long poll: %w", err)
	}
	cpuAfter, errCPU := d.cpu()
	polled, errRSS := d.memory("VmRSS:")
	r.IdleBytes = float64(opened-before) / float64(idle+polling)
	r.PollerBytes = r.IdleBytes + float64(polled-opened)/float64(polling)
	r.CPUOfOneCore = (cpuAfter - cpu) / t.Seconds()
	return r, errors.Join(errCPU, errRSS)
}

// open makes a connection that has logged in for each of the users.
func (d *daybook) open(ctx context.Context, users []string) ([]net.Conn, error) {
	conns := make([]net.Conn, 0, len(users))
	for _, user := range users {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", d.address)
		if err != nil {
			return conns, err
		}
		conns = append(conns, c)
		handshake := kmsg.NewPtrSASLHandshakeRequest()
		handshake.Version, handshake.Mechanism = 1, "PLAIN"
		if err := exchange(c, handshake, handshake.ResponseKind()); err != nil {
			return conns, err
		}
		login := kmsg.NewPtrSASLAuthenticateRequest()
		login.Version, login.SASLAuthBytes = 2, []byte("\x00"+user+"\x00"+saslPassword)
		resp := login.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		if err := exchange(c, login, resp); err != nil {
			return conns, err
		}
		if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
			return conns, fmt.Errorf("log in: %w", err)
		}
	}
	return conns, nil
}

// poll fetches at the log's end, as the active consumer of a group does.
func poll(ctx context.Context, c net.Conn, offset int64, until time.Time) error {
	req := kmsg.NewPtrFetchRequest()
	req.Version, req.MaxWaitMillis, req.MinBytes, req.MaxBytes = 12, int32(pollWait/time.Millisecond), 1, 50<<20
	req.SessionEpoch = -1
	p := kmsg.NewFetchRequestTopicPartition()
	p.FetchOffset, p.PartitionMaxBytes = offset, 1<<20
	t := kmsg.NewFetchRequestTopic()
	t.Topic, t.Partitions = topic, []kmsg.FetchRequestTopicPartition{p}
	req.Topics = []kmsg.FetchRequestTopic{t}
	for time.Now().Before(until) && ctx.Err() == nil {
		resp := req.ResponseKind().(*kmsg.FetchResponse)
		if err := exchange(c, req, resp); err != nil {
			return err
		}
		got := resp.Topics[0].Partitions[0]
		if err := kerr.ErrorForCode(got.ErrorCode); err != nil || len(got.RecordBatches) > 0 {
			return fmt.Errorf("%d bytes where there is nothing: %w", len(got.RecordBatches), err)
		}
	}
	return nil
}

// exchange sends a request and reads its response.
func exchange(c net.Conn, req kmsg.Request, resp kmsg.Response) error {
	if _, err := c.Write(kmsg.NewRequestFormatter(kmsg.FormatterClientID("bench")).AppendRequest(nil, req, 1)); err != nil {
		return err
	}
	var size [4]byte
	if _, err := io.ReadFull(c, size[:]); err != nil {
		return err
	}
	b := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(c, b); err != nil {
		return err
	}
	b = b[4:] // correlation ID
	if req.IsFlexible() {
		b = b[1:] // no tags
	}
	resp.SetVersion(req.GetVersion())
	return resp.ReadFrom(b)
}
