package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"daybook/admin"

	"github.com/spf13/cobra"
)

// checkPoll is how often a check that goes on is looked at.
const checkPoll = 500 * time.Millisecond

func (r *remote) taskCheck() *cobra.Command {
	var req admin.CheckRequest
	cmd := &cobra.Command{
		Use:   "check NAME",
		Short: "Compare the definitions of a task's tables with those that the source has",
		Long: `Compares what the task knows of its tables with information_schema at the source, as
of the same place in the binlog. They differ where a table was changed with
sql_log_bin=0, and rows do not always show it: an INT made UNSIGNED would be misread.
The task does so by itself, by default each hour (check_definitions).

--adopt takes the source's definition of each table that differs, from here on; a schema
change without a statement tells consumers of it. What is printed says since when the
records of such a table may be wrong.

Exit code 1: tables differ and were not adopted, or the check failed.`,
		Example: "  daybook task check shop\n  daybook task check shop --adopt --table shop.orders",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.call(func(c *admin.Client) error {
				result, err := c.CheckTask(cmd.Context(), args[0], req)
				for err == nil && result.Ended.IsZero() {
					result, err = nextCheck(cmd.Context(), c, args[0], result)
				}
				if err != nil {
					return err
				}
				if err := r.print(result, func() error { r.printCheck(&result); return nil }); err != nil {
					return err
				}
				if result.Failed != "" || len(result.Differ) > 0 && !result.Adopted {
					return errFailed
				}
				return nil
			})
		},
	}
	cmd.Flags().StringSliceVar(&req.Tables, "table", nil, "`database.table` to look at; default: all that are selected")
	cmd.Flags().BoolVar(&req.Adopt, "adopt", false, "take the source's definition of each that differs")
	return cmd
}

// errCheckEnded ends the wait for a check that nobody does any more.
var errCheckEnded = errors.New("the task stopped before the check ended: 'daybook task show' tells why")

// nextCheck looks once more whether a check has ended.
func nextCheck(ctx context.Context, c *admin.Client, name string, begun admin.CheckResult) (admin.CheckResult, error) {
	select {
	case <-time.After(checkPoll):
	case <-ctx.Done():
		return begun, ctx.Err()
	}
	last, err := c.LastCheck(ctx, name)
	if err != nil || last.Asked.Equal(begun.Asked) {
		return last, err
	}
	task, err := c.Task(ctx, name)
	if err == nil && task.State == "Error" {
		err = errCheckEnded
	}
	return begun, err
}

func (r *remote) printCheck(c *admin.CheckResult) {
	w := r.app.stdout
	for i := range c.Differ {
		fmt.Fprintln(w, differenceOf(&c.Differ[i]))
	}
	if c.More > 0 {
		fmt.Fprintf(w, "further tables that differ: %d\n", c.More)
	}
	switch n := len(c.Differ) + c.More; {
	case c.Failed != "":
		fmt.Fprintf(w, "the check failed: %s\n", printable(c.Failed))
	case n > 0 && c.Adopted:
		fmt.Fprintf(w, "the source's definitions are taken from here on: %d\n", n)
	case n > 0:
		fmt.Fprintln(w, "--adopt takes the source's definitions from here on; to have the records since then right, copy these tables anew, or 'daybook task restart' from that place")
	}
	fmt.Fprintf(w, "tables as at the source: %d\n", c.Same)
	if c.Undecided > 0 {
		fmt.Fprintf(w, "tables that could not be compared, as DDL ran, their definitions are not known, or there are none such: %d\n", c.Undecided)
	}
}

// differenceOf says in what a table differs, and since when.
func differenceOf(d *admin.Difference) string {
	since := "since when is not known"
	if !d.Since.IsZero() {
		since = "records since " + moment(d.Since)
		if d.SincePlace != "" {
			since += " (" + d.SincePlace + ")"
		}
		since += " may be wrong"
	}
	return printable(d.Table + ": " + strings.Join(d.What, "; ") + "; " + since)
}
