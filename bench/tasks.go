package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// tasksAtRest is what tasks of one source cost in a process while nothing changes.
type tasksAtRest struct {
	Tasks        int     `json:"tasks"`
	StartSeconds float64 `json:"start_seconds"` // from the process's start until all are Normal
	RSS          int64   `json:"rss_bytes"`
	CPUOfOneCore float64 `json:"cpu_of_one_core"`
}

// restTasks starts Daybook with one task, and with many, and measures each for a while.
func restTasks(ctx context.Context, o options, dir string) (all []tasksAtRest, err error) {
	for _, n := range []int{1, o.tasks} {
		r, err := restOf(ctx, o, filepath.Join(dir, fmt.Sprint("tasks-", n)), n)
		if err != nil {
			return all, fmt.Errorf("%d tasks: %w", n, err)
		}
		all = append(all, r)
	}
	return all, nil
}

func restOf(ctx context.Context, o options, dir string, n int) (r tasksAtRest, err error) {
	r.Tasks = n
	if err := os.Mkdir(dir, 0o700); err != nil {
		return r, err
	}
	d := &daybook{binary: o.binary, config: filepath.Join(dir, "daybook.yaml"), log: filepath.Join(dir, "daybook.log")}
	var admin string
	for _, address := range []*string{&d.address, &admin} {
		if *address, err = freeAddress(); err != nil {
			return r, err
		}
	}
	d.yaml = fmt.Sprintf("data_dir: data\nkafka: {listeners: [{name: local, address: %q}]}\nadmin: {address: %q}\ntasks:\n", d.address, admin)
	for i := range n {
		d.yaml += fmt.Sprintf("  - name: task%d\n    source: {address: %q, user: %s, password_env: BENCH_SOURCE_PASSWORD}\n    objects: {include: [\"bench_%d.*\"]}\n", i, o.source, user, i)
	}
	if err := d.start(ctx, "none"); err != nil {
		return r, err
	}
	defer d.stop()
	if err := d.awaitNormal(ctx, n); err != nil {
		return r, err
	}
	r.StartSeconds = time.Since(d.began).Seconds()
	if err := d.wait(ctx, o.rest/2); err != nil { // the start's garbage goes
		return r, err
	}
	before, err := d.cpu()
	if err != nil {
		return r, err
	}
	if err := d.wait(ctx, o.rest); err != nil {
		return r, err
	}
	after, errCPU := d.cpu()
	r.CPUOfOneCore = (after - before) / o.rest.Seconds()
	rss, errRSS := d.memory("VmRSS:")
	r.RSS = rss
	return r, errors.Join(errCPU, errRSS)
}

// awaitNormal asks the admin API, by the command line, until all of n tasks follow their source.
func (d *daybook) awaitNormal(ctx context.Context, n int) error {
	for {
		out, err := exec.CommandContext(ctx, d.binary, "task", "list", "-c", d.config, "-o", "json").Output()
		var tasks []struct{ State string }
		if err == nil {
			err = json.NewDecoder(bytes.NewReader(out)).Decode(&tasks)
		}
		normal := 0
		for _, t := range tasks {
			if t.State == "Normal" {
				normal++
			}
		}
		if normal == n {
			return nil
		}
		if waitErr := d.wait(ctx, 10*watermarkPoll); waitErr != nil {
			return errors.Join(fmt.Errorf("%d of %d tasks follow their source", normal, n), err, waitErr)
		}
	}
}
