package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
)

// report is what a run measured; also the JSON that it writes.
type report struct {
	Server       string        `json:"server"`
	Rows         int           `json:"rows"`
	BinlogBytes  uint64        `json:"binlog_bytes"`
	RawLoop      rate          `json:"raw_loop"`
	DecodingLoop rate          `json:"decoding_loop"`
	CatchUp      rate          `json:"catch_up"`
	FranzGo      rate          `json:"fetch_franz_go"`
	Kcat         rate          `json:"fetch_kcat"`
	Compressed   []packed      `json:"fetch_compressed"`
	Latency      latencies     `json:"latency"`
	PeakRSS      int64         `json:"peak_rss_bytes"`
	AtRest       atRest        `json:"at_rest"`
	Tasks        []tasksAtRest `json:"tasks_at_rest"`
	Committing   []committing  `json:"committing"`
	Costs        []cost        `json:"costs"`
}

func (r *report) write(file string) error {
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, append(b, '\n'), 0o644)
}

// print writes the figures as a table. The CPU seconds are the loop's own or
// Daybook's, not those of the source or the consumer.
func (r *report) print(w io.Writer) {
	const mb = 1e6
	fmt.Fprintf(w, "\n%d row changes, %.0f MB of binlog, server %s\n\n", r.Rows, float64(r.BinlogBytes)/mb, r.Server)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "%-32s\trows/s\tMB/s\tof raw\tof decoding\tCPU s\t\n", "reading the binlog")
	for _, line := range []struct {
		name string
		rate rate
	}{{"plain loop, raw", r.RawLoop}, {"plain loop, decoding", r.DecodingLoop}, {"Daybook, durable and fetchable", r.CatchUp}} {
		if line.rate.Rows > 0 {
			fmt.Fprintf(t, "%-32s\t%.0f\t%.0f\t%.2f\t%.2f\t%.1f\t\n", line.name, line.rate.perSecond(), float64(r.BinlogBytes)/mb/line.rate.Seconds,
				line.rate.perSecond()/r.RawLoop.perSecond(), line.rate.perSecond()/r.DecodingLoop.perSecond(), line.rate.CPUSeconds)
		}
	}
	if r.FranzGo.Rows > 0 {
		t.Flush()
		fmt.Fprintf(t, "\n%-32s\trecords/s\tMB/s\tCPU s\t\n", "fetching the log")
		for _, line := range []struct {
			name string
			rate rate
		}{{"kcat", r.Kcat}, {"franz-go", r.FranzGo}} {
			fmt.Fprintf(t, "%-32s\t%.0f\t%.0f\t%.1f\t\n", line.name, line.rate.perSecond(), float64(line.rate.Bytes)/mb/line.rate.Seconds, line.rate.CPUSeconds)
		}
	}
	if len(r.Compressed) > 0 {
		t.Flush()
		fmt.Fprintf(t, "\n%-32s\tMB/s\tsmaller by\tCPU ms/MB\t%d at once\tCPU ms/MB\t\n", "with wire_compression", manyConsumers)
		for _, p := range r.Compressed {
			fmt.Fprintf(t, "%-32s\t%.0f\t%.1f\t%.2f\t%.0f\t%.2f\t\n", p.Compression, p.One.megabytesPerSecond(), float64(p.One.Bytes)/float64(p.OnTheWire),
				p.One.cpuPerMegabyte(), p.Many.megabytesPerSecond(), p.Many.cpuPerMegabyte())
		}
	}
	t.Flush()
	if r.Latency.Commits > 0 {
		l := r.Latency
		fmt.Fprintf(w, "\nlatency from commit to consumer, %.0f commits/s: p50 %.1f ms, p99 %.1f ms, most %.1f ms\n", l.PerSecond, l.P50, l.P99, l.Max)
		fmt.Fprintf(w, "most memory: %.0f MB\n", float64(r.PeakRSS)/mb)
	}
	if a := r.AtRest; a.Idle > 0 {
		fmt.Fprintf(w, "at rest: %d idle connections of %.1f KB, %d long-polling consumers of %.1f KB, %.1f %% of a core with all of them\n",
			a.Idle, a.IdleBytes/1e3, a.Pollers, a.PollerBytes/1e3, a.CPUOfOneCore*100)
	}
	for _, a := range r.Tasks {
		fmt.Fprintf(w, "at rest: %d tasks of one source follow it %.1f s after the start, %.0f MB, %.1f %% of a core\n", a.Tasks, a.StartSeconds, float64(a.RSS)/mb, a.CPUOfOneCore*100)
	}
	r.printGoals(w)
}

// printGoals writes the figures that have a goal, and whether it is met.
func (r *report) printGoals(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	if len(r.Committing) > 0 {
		fmt.Fprintf(t, "\n%-44s\tµs\tCPU µs\tof plain\tgoal\t\t\n", "reading a transaction")
		plain := r.Committing[0]
		for i, c := range r.Committing {
			ratio := c.Micros / plain.Micros
			if i == 0 {
				fmt.Fprintf(t, "%-44s\t%.1f\t%.1f\t\t\t\t\n", c.Name, c.Micros, c.CPUMicros)
				continue
			}
			fmt.Fprintf(t, "%-44s\t%.1f\t%.1f\t%.2f\t%d\t%s\t\n", c.Name, c.Micros, c.CPUMicros, ratio, xaGoal, verdict(ratio <= xaGoal))
		}
		t.Flush()
	}
	if len(r.Costs) > 0 {
		fmt.Fprintf(t, "\n%-44s\tµs\tgoal\tof few\tgoal\tbytes\tgoal\t\t\n", "where the source has many")
		for _, c := range r.Costs {
			saved, goal := "", ""
			if c.goal.saved > 0 {
				saved, goal = fmt.Sprintf("%.0f", c.Saved), fmt.Sprintf("%.0f", c.goal.saved)
			}
			fmt.Fprintf(t, "%-44s\t%.1f\t%.0f\t%.2f\t%.0f\t%s\t%s\t%s\t\n", c.Name, c.Micros, c.goal.micros, c.Growth, c.goal.growth, saved, goal, verdict(c.met()))
		}
		t.Flush()
	}
}

func verdict(met bool) string {
	if met {
		return "met"
	}
	return "MISSED"
}
