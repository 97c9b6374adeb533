package cli

import (
	"errors"
	"fmt"

	"daybook/admin"

	"github.com/spf13/cobra"
)

// errWaits ends a command that is saved and not done yet.
var errWaits = errors.New("it is saved, and done as soon as the source and the disk let the task do it: 'daybook task show' tells what it waits for")

func (r *remote) taskRestart() *cobra.Command {
	var req admin.RestartRequest
	cmd := &cobra.Command{
		Use:   "restart NAME --from (now | earliest | TIME | FILE:OFFSET | GTIDSET)",
		Short: "Have a task go on at another place of its source",
		Long: `Has the task forget where it stands and go on elsewhere: at the source's end (now),
at its oldest binlog (earliest), at the first transaction of a time or later, at an
offset of a file, or after the transactions of a GTID set.

What lies between is not in the log, or, further back, comes again. A gap record in
the log says from where to where. Offsets go on, groups keep their checkpoints.

A task that is not in Error is restarted only with --force. The command is saved,
so that a crash does not lose it, and done once. If the source does not have the
place, the task stays where it is.`,
		Example: "  daybook task restart shop --from earliest\n  daybook task restart shop --from now --force\n  daybook task restart shop --from 2026-01-31T12:00:00Z\n  daybook task restart shop --from binlog.000012:4",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if req.From == "" {
				return &usageError{fmt.Errorf("--from is needed; see '%s --help'", cmd.CommandPath())}
			}
			return r.call(func(c *admin.Client) error {
				result, err := c.RestartTask(cmd.Context(), args[0], req)
				if running(err) {
					err = fmt.Errorf("%w: --force restarts it", err)
				}
				if err != nil {
					return err
				}
				return r.commanded(result, "restart")
			})
		},
	}
	cmd.Flags().StringVar(&req.From, "from", "", "`place` to go on at: now, earliest, a time, FILE:OFFSET, or a GTID set")
	cmd.Flags().BoolVar(&req.Force, "force", false, "restart it though it is not in Error")
	cmd.Flags().BoolVar(&req.DryRun, "dry-run", false, "change nothing")
	return cmd
}

func running(err error) bool {
	var answered *admin.Error
	return errors.As(err, &answered) && answered.Code == admin.CodeRunning
}

func (r *remote) taskSkip() *cobra.Command {
	var req admin.SkipRequest
	cmd := &cobra.Command{
		Use:   "skip NAME",
		Short: "Pass over the one event group that a task cannot read",
		Long: `Passes over the transaction or statement that the task is in Error for, and no
other. A gap record stands in its place in the log. If the error is another one, it is
refused: 'daybook task show' tells the error, and what leads on.`,
		Example: "  daybook task skip shop --dry-run   # which one is it?\n  daybook task skip shop",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.call(func(c *admin.Client) error {
				result, err := c.SkipGroup(cmd.Context(), args[0], req)
				if err != nil {
					return err
				}
				return r.commanded(result, "skip")
			})
		},
	}
	cmd.Flags().BoolVar(&req.DryRun, "dry-run", false, "change nothing; tell which event group it is")
	return cmd
}

// commanded prints what came of a command.
func (r *remote) commanded(result admin.CommandResult, command string) error {
	if err := r.print(result, func() error { return r.printCommand(&result, command) }); err != nil {
		return err
	}
	if result.Done || result.DryRun {
		return nil
	}
	return &exitError{exitWaits, fmt.Errorf("%s of task %s: %w", command, result.Task, errWaits)}
}

func (r *remote) printCommand(result *admin.CommandResult, command string) error {
	w := r.app.stdout
	if g := result.EventGroup; g != nil {
		fmt.Fprintf(w, "event group of task %s to skip: %s\n", result.Task, groupOf(g))
	}
	switch {
	case result.Done:
		fmt.Fprintf(w, "task %s goes on: nothing is known of its source from %s to %s\n", result.Task, printable(result.From), printable(result.To))
		if result.Offset != nil {
			fmt.Fprintf(w, "the record of offset %d tells it\n", *result.Offset)
		}
	case result.EventGroup == nil:
		fmt.Fprintf(w, "%s of task %s: it stands at %s, and is to go on from %s\n", command, result.Task, dash(printable(result.From)), printable(result.To))
	}
	if result.DryRun {
		fmt.Fprintln(w, "dry run: nothing was changed")
	}
	return nil
}
