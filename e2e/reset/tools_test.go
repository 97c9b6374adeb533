//go:build servers

package reset

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"daybook/e2e/harness"
	"daybook/e2e/tools"
)

// classes are those of kafka-consumer-groups.
var classes = map[string]string{
	"1.1.1": "kafka.admin.ConsumerGroupCommand",
	"4.3.1": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
}

func (c *cells) byDaybook() {
	between := c.time(rows / 2).Add(-30 * time.Minute)
	for _, mode := range []struct {
		how []string
		to  int64
	}{
		{[]string{"--to-earliest"}, 0},
		{[]string{"--to-latest"}, rows},
		{[]string{"--to-offset", "7"}, 7},
		{[]string{"--to-time", between.UTC().Format(time.RFC3339)}, rows / 2},
		{[]string{"--shift-by", "-3"}, before - 3},
	} {
		c.try(byDaybook, mode.how[0], mode.to, func() (string, bool) {
			args := append([]string{"group", "reset", c.group}, mode.how...)
			planned, _, exit := c.Run(append(args, "--dry-run")...)
			if move := fmt.Sprintf("from %d to %d ", before, mode.to); exit == 0 && !strings.Contains(planned, move) {
				c.t.Errorf("%q: the dry run does not print %q but %q", mode.how, move, planned)
			}
			if got := c.checkpoint(c.t, c.group); got != before {
				c.t.Errorf("%q: the dry run has moved the checkpoint to %d", mode.how, got)
			}
			out, errors, exit := c.Run(args...)
			if exit != 0 && exit != 6 {
				c.t.Errorf("%q: exit code %d", mode.how, exit)
			}
			return strings.TrimSpace(out + errors), exit == 0
		})
	}
}

func (c *cells) byTool(release string) {
	jvm := tools.StartJVM(c.t, release)
	login := tools.Properties(c.t, c.group)
	file := filepath.Join(c.t.TempDir(), "offsets.csv")
	if err := os.WriteFile(file, fmt.Appendf(nil, "%s,0,%d\n", harness.Topic, 12), 0o600); err != nil {
		c.t.Fatal(err)
	}
	between := c.time(rows / 2).Add(-30 * time.Minute)
	for _, mode := range []struct {
		how []string
		to  int64
	}{
		{[]string{"--to-earliest"}, 0},
		{[]string{"--to-latest"}, rows},
		{[]string{"--to-offset", "7"}, 7},
		{[]string{"--to-datetime", between.UTC().Format("2006-01-02T15:04:05.000")}, rows / 2},
		{[]string{"--by-duration", fmt.Sprintf("PT%dS", int(time.Since(between).Seconds()))}, rows / 2},
		{[]string{"--shift-by", "-3"}, before - 3},
		{[]string{"--to-current"}, before},
		{[]string{"--from-file", file}, 12},
	} {
		c.try(byTool, mode.how[0], mode.to, func() (string, bool) {
			args := []string{"--bootstrap-server", c.Address(), "--command-config", login, "--group", c.group, "--reset-offsets", "--execute"}
			if mode.how[0] != "--from-file" {
				args = append(args, "--topic", harness.Topic)
			}
			p := jvm.Run(classes[release], append(args, mode.how...)...)
			said := strings.TrimSpace(p.Out + p.Errors)
			return said, p.Exit == 0 && !strings.Contains(said, "Error")
		})
	}
}
