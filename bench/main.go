// Command bench measures Daybook on a real MySQL server, beside two plain loops
// over the same binlog, and prints a table with ratios.
//
// It loads a binlog of mixed row changes, reads it with go-mysql's BinlogSyncer
// (decoding rows and counting them; decoding nothing), lets the real daybook
// binary catch up with it from an empty data directory, fetches the records with
// kcat and franz-go, with each wire_compression too, and measures the time from
// commit to consumer at a steady rate, what a hundred tasks cost at rest beside one, what XA
// transactions cost beside plain ones, and what single steps cost where a source has many tables. Everything happens in the same
// run, so that the ratios hold on any machine; the absolute figures do not.
//
//	go run ./bench                          # a million rows on a server of its own
//	go run ./bench -rows 20000 -latency 2s  # seconds, to see that it works
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

type options struct {
	rows         int
	transactions int
	source       string // host:port
	binary       string
	json         string
	latency      time.Duration
	rate         int
	idle         int
	pollers      int
	rest         time.Duration
	tasks        int
	loopsOnly    bool
}

func main() {
	var o options
	flag.IntVar(&o.rows, "rows", 1_000_000, "row changes to load")
	flag.IntVar(&o.transactions, "transactions", 40_000, "transactions to commit plain and by XA")
	flag.StringVar(&o.source, "source", "", "host:port of a MySQL or MariaDB with the account admin/admin; default: a MySQL 8.0 of its own")
	flag.StringVar(&o.binary, "daybook", os.Getenv("DAYBOOK_BINARY"), "the daybook binary; default: built now")
	flag.StringVar(&o.json, "json", "bench/results/bench.json", "where to write the figures")
	flag.DurationVar(&o.latency, "latency", 30*time.Second, "how long to measure the latency")
	flag.IntVar(&o.rate, "rate", 200, "commits per second while the latency is measured")
	flag.IntVar(&o.idle, "idle", 2000, "idle connections")
	flag.IntVar(&o.pollers, "pollers", 200, "consumers that wait for records")
	flag.DurationVar(&o.rest, "rest", 10*time.Second, "how long to measure the CPU of idle connections, waiting consumers and tasks")
	flag.IntVar(&o.tasks, "tasks", 100, "tasks of one source in a process")
	flag.BoolVar(&o.loopsOnly, "loops-only", false, "load and measure the plain loops, without Daybook")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "daybook-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if o.source == "" {
		server := filepath.Join(dir, "mysql")
		if o.source, err = startServer(ctx, server); err != nil {
			return err
		}
		defer stopServer(server)
	}
	r := &report{Rows: o.rows}
	if err := measure(ctx, o, dir, r); err != nil {
		return err
	}
	if err := r.write(o.json); err != nil {
		return err
	}
	r.print(os.Stdout)
	return nil
}

// measure takes the steps in order and fills the report.
func measure(ctx context.Context, o options, dir string, r *report) error {
	step("load %d row changes into %s", o.rows, o.source)
	log, err := load(ctx, o.source, o.rows)
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	r.BinlogBytes, r.Server = log.bytes, log.server

	step("plain loops")
	for _, raw := range []bool{true, false} {
		l, err := readBinlog(ctx, o.source, log, raw)
		if err != nil {
			return fmt.Errorf("read binlog: %w", err)
		}
		if raw {
			r.RawLoop = l
		} else {
			r.DecodingLoop = l
		}
	}
	if o.loopsOnly {
		return nil
	}

	step("Daybook catches up")
	if o.binary, err = buildDaybook(ctx, o, dir); err != nil {
		return err
	}
	d, err := startDaybook(ctx, o, dir, log)
	if err != nil {
		return err
	}
	defer d.stop()
	if r.CatchUp, err = d.catchUp(ctx, o.rows); err != nil {
		return err
	}
	step("fetch")
	if r.FranzGo, err = d.fetchFranz(ctx, o.rows); err != nil {
		return fmt.Errorf("fetch with franz-go: %w", err)
	}
	if r.Kcat, err = d.fetchKcat(ctx, o.rows, r.FranzGo.Bytes); err != nil {
		return fmt.Errorf("fetch with kcat: %w", err)
	}
	step("latency at %d commits/s for %s", o.rate, o.latency)
	if r.Latency, err = d.latency(ctx, o); err != nil {
		return fmt.Errorf("latency: %w", err)
	}
	if r.PeakRSS, err = d.memory("VmHWM:"); err != nil {
		return err
	}
	step("%d idle connections and %d long-polling consumers", o.idle, o.pollers)
	if r.AtRest, err = d.rest(ctx, o.idle, o.pollers, o.rest); err != nil {
		return fmt.Errorf("connections: %w", err)
	}
	step("fetch, compressed")
	if r.Compressed, err = d.fetchCompressed(ctx, o.rows); err != nil {
		return fmt.Errorf("fetch, compressed: %w", err)
	}
	d.stop()
	step("%d tasks of one source", o.tasks)
	if r.Tasks, err = restTasks(ctx, o, dir); err != nil {
		return fmt.Errorf("tasks: %w", err)
	}
	step("%d transactions, plain and XA", o.transactions)
	if r.Committing, err = readTransactions(ctx, o, dir); err != nil {
		return fmt.Errorf("transactions: %w", err)
	}
	step("costs where much is known of the source")
	if r.Costs, err = measureCosts(ctx); err != nil {
		return fmt.Errorf("costs: %w", err)
	}
	return nil
}

func step(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
}

const serverScript = "scripts/mysql-server.sh"

func startServer(ctx context.Context, dir string) (address string, err error) {
	if _, err := os.Stat(serverScript); err != nil {
		return "", errors.New("run it in the repository's root, or name a server with -source")
	}
	cmd := exec.CommandContext(ctx, serverScript, "start", "--owner", strconv.Itoa(os.Getpid()), "mysql-8.0", dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

func stopServer(dir string) {
	if out, err := exec.Command(serverScript, "kill", dir).CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "bench: stop the server: %v\n%s", err, out)
	}
}
