package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// costGoal is what one step of the source's side may cost where much is known
// there. The benchmarks stand beside the code that they measure.
type costGoal struct {
	name      string
	benchmark string  // in pkg, at two sizes
	pkg       string  //
	few, many string  // names of the sizes
	micros    float64 // most at the larger size
	growth    float64 // most of what the larger size costs of the smaller one: above 2 where the larger does not fit the processor's cache
	saved     float64 // most bytes saved at the larger size, if the benchmark tells them
}

var costGoals = []costGoal{
	{name: "statement: what it may write, 20,000 tables", benchmark: "BenchmarkMayWrite", pkg: "./binlog/schema",
		few: "tables=100", many: "tables=20000", micros: 50, growth: 2},
	{name: "position, GTID set of 10,000 intervals", benchmark: "BenchmarkSave", pkg: "./binlog/dump",
		few: "intervals=1", many: "intervals=10000", micros: 50, growth: 4, saved: 1000},
	{name: "DDL, 20,000 definitions held back", benchmark: "BenchmarkReleaseHeld", pkg: "./binlog",
		few: "held=100", many: "held=20000", micros: 10, growth: 4},
	{name: "batch of one row into a ring of 16,000", benchmark: "BenchmarkRecentOneRow", pkg: "./store",
		few: "batches=500", many: "batches=16000", micros: 10, growth: 2},
	{name: "six pages of events among 100,000", benchmark: "BenchmarkPages", pkg: "./journal",
		few: "events=1000", many: "events=100000", micros: 500, growth: 5},
}

// cost is what a benchmark has measured.
type cost struct {
	Name   string  `json:"name"`
	Micros float64 `json:"us"`
	Growth float64 `json:"growth"`
	Saved  float64 `json:"saved_bytes,omitempty"`
	goal   costGoal
}

func (c *cost) met() bool {
	return c.Micros <= c.goal.micros && c.Growth <= c.goal.growth && (c.goal.saved == 0 || c.Saved <= c.goal.saved)
}

// measureCosts runs the packages' benchmarks.
func measureCosts(ctx context.Context) ([]cost, error) {
	var all []cost
	for _, g := range costGoals {
		cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^"+g.benchmark+"$", "-count", "3", g.pkg)
		out, err := cmd.CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", g.benchmark, err, out)
		}
		few, many := benchmarkResult(string(out), g.benchmark+"/"+g.few), benchmarkResult(string(out), g.benchmark+"/"+g.many)
		if few["ns/op"] == 0 || many["ns/op"] == 0 {
			return nil, fmt.Errorf("%s has not told its sizes %s and %s:\n%s", g.benchmark, g.few, g.many, out)
		}
		all = append(all, cost{Name: g.name, Micros: many["ns/op"] / 1e3, Growth: many["ns/op"] / few["ns/op"], Saved: many["saved-B/op"], goal: g})
	}
	return all, nil
}

// benchmarkResult returns the figures in a benchmark's lines, by unit, the least
// of each.
func benchmarkResult(output, name string) map[string]float64 {
	figures := map[string]float64{}
	for line := range strings.Lines(output) {
		words := strings.Fields(line)
		if len(words) < 4 || words[0] != name && !strings.HasPrefix(words[0], name+"-") { // -GOMAXPROCS
			continue
		}
		for i := 2; i+1 < len(words); i += 2 {
			v, err := strconv.ParseFloat(words[i], 64)
			if old, known := figures[words[i+1]]; err == nil && (!known || v < old) {
				figures[words[i+1]] = v
			}
		}
	}
	return figures
}
