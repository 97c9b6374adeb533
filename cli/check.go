package cli

import (
	"fmt"
	"io"
	"text/tabwriter"

	"daybook/task"

	"github.com/spf13/cobra"
)

func (a *app) check() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Look whether the sources can be tracked, and say how to mend what keeps them from it",
		Long: `Runs the prechecks of every task: can the server be reached, does the login work,
is the binlog on and in ROW format, are the privileges there, …

Exit code 0: no check failed; 1: one did; 2: the configuration is wrong.`,
		Example: "  daybook check -c daybook.yaml\n  daybook check -c daybook.yaml -o json | jq '.[] | select(.status == \"fail\")'",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkOutput(output); err != nil {
				return err
			}
			c, err := a.loadConfig()
			if err != nil {
				return err
			}
			var results []taskCheck
			failed := false
			for i := range c.Tasks {
				o := taskOption(c.DataDir, &c.Tasks[i])
				for _, r := range o.Shown(task.Precheck(cmd.Context(), o)) {
					results = append(results, taskCheck{Task: o.Name, Check: r})
					failed = failed || r.Status == task.Fail
				}
			}
			if err := printChecks(a.stdout, output, results); err != nil {
				return err
			}
			if failed {
				return errFailed
			}
			return nil
		},
	}
	a.configFlag(cmd)
	outputFlag(cmd, &output, false)
	return cmd
}

type taskCheck struct {
	Task string `json:"task"`
	task.Check
}

func printChecks(w io.Writer, output string, results []taskCheck) error {
	if output != asTable {
		return encode(w, output, results)
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "TASK\tCHECK\tSTATUS\tFOUND")
	for _, r := range results {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", r.Task, r.Name, r.Status, r.Detail)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, r := range results {
		if r.Fix != "" {
			fmt.Fprintf(w, "\n%s, %s (%s): %s\n", r.Task, r.Name, r.Status, r.Fix)
		}
	}
	return nil
}
