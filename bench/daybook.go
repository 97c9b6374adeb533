package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"
)

const (
	topic         = "bench"
	account       = "bench"
	saslUser      = account + "-" + group
	saslPassword  = "Bench-1234"
	group         = "fetch"
	clockTicks    = 100 // of /proc/PID/stat in a second, on every Linux
	startTimeout  = 30 * time.Second
	stopTimeout   = 10 * time.Second
	watermarkPoll = 20 * time.Millisecond
)

// daybook is the running binary.
type daybook struct {
	binary  string
	config  string // path
	yaml    string
	cmd     *exec.Cmd
	ended   chan struct{} // closed when the process has ended
	began   time.Time
	address string
	log     string // path
}

// buildDaybook returns the path of the binary that is measured.
func buildDaybook(ctx context.Context, o options, dir string) (string, error) {
	if o.binary != "" {
		return o.binary, nil
	}
	binary := filepath.Join(dir, "daybook")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", binary, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build daybook: %w\n%s", err, out)
	}
	return binary, nil
}

// startDaybook starts the binary on an empty data directory, at the position
// where the row changes begin.
func startDaybook(ctx context.Context, o options, dir string, log *binlog) (*daybook, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	d := &daybook{binary: o.binary, address: address, config: filepath.Join(dir, "daybook.yaml"), log: filepath.Join(dir, "daybook.log")}
	d.yaml = fmt.Sprintf(`data_dir: data
kafka:
  listeners: [{name: local, address: %q}]
  max_connections: 4000
  max_connections_per_address: 4000
  max_connections_per_group: 4000
  max_groups_per_task: 4000
admin: {address: none}
tasks:
  - name: %s
    source: {address: %q, user: %s, password_env: BENCH_SOURCE_PASSWORD}
    start: {file: %s, pos: %d}
    objects: {include: ["%s.*"]}
    schema_changes: none
    groups:
`, address, topic, o.source, user, log.start.Name, log.start.Pos, log.database)
	for _, g := range append(manyGroups(max(manyConsumers, o.pollers)), group) {
		d.yaml += fmt.Sprintf("      - {id: %s, account: %s, password_env: BENCH_GROUP_PASSWORD}\n", g, account)
	}
	return d, d.start(ctx, "none")
}

// start starts the binary, as a new process over the same data, with a
// wire_compression.
func (d *daybook) start(ctx context.Context, compression string) error {
	yaml := d.yaml + "    wire_compression: " + compression + "\n"
	if err := os.WriteFile(d.config, []byte(yaml), 0o600); err != nil {
		return err
	}
	out, err := os.Create(d.log)
	if err != nil {
		return err
	}
	defer out.Close()
	d.ended = make(chan struct{})
	d.cmd = exec.Command(d.binary, "serve", "-c", d.config)
	d.cmd.Env = append(os.Environ(), "BENCH_SOURCE_PASSWORD="+password, "BENCH_GROUP_PASSWORD="+saslPassword)
	d.cmd.Stdout, d.cmd.Stderr = out, out
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	d.began = time.Now()
	if err := d.cmd.Start(); err != nil {
		return fmt.Errorf("start daybook: %w", err)
	}
	go func() { _ = d.cmd.Wait(); close(d.ended) }() // ends with the process, which stop ends
	return d.waitListening(ctx)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

func (d *daybook) waitListening(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		c, err := net.Dial("tcp", d.address)
		if err == nil {
			return c.Close()
		}
		if err := d.wait(ctx, watermarkPoll); err != nil {
			return err
		}
	}
}

// wait waits, unless the process has ended or ctx is done.
func (d *daybook) wait(ctx context.Context, t time.Duration) error {
	select {
	case <-d.ended:
		return d.failed("daybook ended")
	case <-ctx.Done():
		return d.failed("daybook did not get there: " + context.Cause(ctx).Error())
	case <-time.After(t):
		return nil
	}
}

// failed returns an error with the end of the process's log.
func (d *daybook) failed(what string) error {
	b, err := os.ReadFile(d.log)
	if err != nil {
		return err
	}
	lines := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
	return fmt.Errorf("%s; its log ends\n%s", what, bytes.Join(lines[max(0, len(lines)-20):], []byte("\n")))
}

func (d *daybook) stop() {
	_ = d.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case <-d.ended:
	case <-time.After(stopTimeout):
		_ = d.cmd.Process.Kill()
		<-d.ended
	}
}

// client returns a franz-go client, logged in.
func (d *daybook) client(opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(d.address),
		kgo.SASL(plain.Auth{User: saslUser, Pass: saslPassword}.AsMechanism()),
	}, opts...)...)
}

// catchUp waits until all rows are in the durable log and can be fetched, and
// returns the time since the process started.
func (d *daybook) catchUp(ctx context.Context, rows int) (rate, error) {
	if err := d.awaitRows(ctx, rows, func(int64) error { return nil }); err != nil {
		return rate{}, err
	}
	r := rate{Rows: rows, Seconds: time.Since(d.began).Seconds()}
	var err error
	r.CPUSeconds, err = d.cpu()
	return r, err
}

// awaitRows asks for the high watermark until it is rows, and tells each.
func (d *daybook) awaitRows(ctx context.Context, rows int, told func(high int64) error) error {
	c, err := d.client()
	if err != nil {
		return err
	}
	defer c.Close()
	for {
		high, err := highWatermark(ctx, c)
		if err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
			return errors.Join(err, d.failed("ask for the high watermark"))
		}
		if err := told(high); err != nil {
			return err
		}
		if high == int64(rows) {
			return nil
		}
		if high > int64(rows) {
			return fmt.Errorf("the log holds %d records of %d row changes", high, rows)
		}
		if err := d.wait(ctx, watermarkPoll); err != nil {
			return fmt.Errorf("at %d of %d records: %w", high, rows, err)
		}
	}
}

func highWatermark(ctx context.Context, c *kgo.Client) (int64, error) {
	req := kmsg.NewListOffsetsRequest()
	p := kmsg.NewListOffsetsRequestTopicPartition()
	p.Timestamp = -1 // the end
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic, t.Partitions = topic, []kmsg.ListOffsetsRequestTopicPartition{p}
	req.ReplicaID, req.Topics = -1, []kmsg.ListOffsetsRequestTopic{t}
	resp, err := req.RequestWith(ctx, c)
	if err != nil {
		return 0, err
	}
	if len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return 0, fmt.Errorf("list offsets: %d topics in the answer", len(resp.Topics))
	}
	got := resp.Topics[0].Partitions[0]
	return got.Offset, kerr.ErrorForCode(got.ErrorCode)
}

// cpu returns the CPU seconds, user and system, that the process has used.
func (d *daybook) cpu() (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", d.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(b), ") ") // the name before may hold blanks
	fields := strings.Fields(rest)
	const utime, stime = 11, 12 // proc_pid_stat(5) counts from 1 and has two before
	if len(fields) <= stime {
		return 0, errors.New("read CPU time: short /proc/PID/stat")
	}
	u, errU := strconv.ParseFloat(fields[utime], 64)
	s, errS := strconv.ParseFloat(fields[stime], 64)
	return (u + s) / clockTicks, errors.Join(errU, errS)
}

// memory returns a line of /proc/PID/status, in bytes: VmRSS: is what is
// resident now, VmHWM: the most that was.
func (d *daybook) memory(line string) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(b), line)
	number, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	kib, err := strconv.ParseInt(number, 10, 64)
	return kib << 10, err
}
