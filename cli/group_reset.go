package cli

import (
	"fmt"
	"time"

	"daybook/admin"

	"github.com/spf13/cobra"
)

func (r *remote) groupReset() *cobra.Command {
	var flags resetFlags
	cmd := &cobra.Command{
		Use:   "reset GROUP (--to-earliest | --to-latest | --to-offset N | --to-time T | --shift-by N)",
		Short: "Move the checkpoint of a group that has no consumers",
		Long: `Moves the checkpoint, from where the group's consumers go on when they start
again. It is refused as long as a consumer is connected: stop them first.

An offset outside the log becomes the end of the log that is nearest to it.
--to-time takes the first record of that time or later, or the end if there is
none; the time of a record is that of its commit at the source.
--dry-run changes nothing and shows from where to where it would go.`,
		Example: "  daybook group reset cache --to-earliest --dry-run\n  daybook group reset cache --to-time 2026-01-31T12:00:00Z\n  daybook group reset cache --to-time 2026-01-31T12:00:00+01:00\n  daybook group reset cache --shift-by -100",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req, err := flags.request(cmd)
			if err != nil {
				return err
			}
			return r.call(func(c *admin.Client) error {
				result, err := c.ResetGroup(cmd.Context(), args[0], req)
				if err != nil {
					return err
				}
				return r.print(result, func() error { return r.printReset(&result) })
			})
		},
	}
	flags.add(cmd)
	return cmd
}

// resetFlags say where a checkpoint goes.
type resetFlags struct {
	toEarliest, toLatest bool
	toOffset, shiftBy    int64
	toTime               string
	dryRun               bool
}

func (f *resetFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.toEarliest, "to-earliest", false, "to the oldest record")
	flags.BoolVar(&f.toLatest, "to-latest", false, "to the end: only what comes from now on")
	flags.Int64Var(&f.toOffset, "to-offset", 0, "to this `offset`")
	flags.StringVar(&f.toTime, "to-time", "", "to the first record of this `time` or later")
	flags.Int64Var(&f.shiftBy, "shift-by", 0, "so many `records` on, or, if negative, back")
	flags.BoolVar(&f.dryRun, "dry-run", false, "change nothing")
}

func (f *resetFlags) request(cmd *cobra.Command) (admin.ResetRequest, error) {
	req := admin.ResetRequest{ToEarliest: f.toEarliest, ToLatest: f.toLatest, DryRun: f.dryRun}
	ways := 0
	for _, flag := range []string{"to-earliest", "to-latest", "to-offset", "to-time", "shift-by"} {
		if cmd.Flags().Changed(flag) {
			ways++
		}
	}
	if ways != 1 {
		return req, &usageError{fmt.Errorf("one of --to-earliest, --to-latest, --to-offset, --to-time and --shift-by is needed; see '%s --help'", cmd.CommandPath())}
	}
	switch {
	case cmd.Flags().Changed("to-offset"):
		req.ToOffset = &f.toOffset
	case cmd.Flags().Changed("shift-by"):
		req.ShiftBy = &f.shiftBy
	case cmd.Flags().Changed("to-time"):
		t, err := time.Parse(time.RFC3339, f.toTime)
		if err != nil {
			return req, &usageError{fmt.Errorf("--to-time %q is not of the form 2006-01-02T15:04:05Z or 2006-01-02T15:04:05+01:00", f.toTime)}
		}
		req.ToTime = &t
	}
	return req, nil
}

func (r *remote) printReset(result *admin.ResetResult) error {
	w := r.app.stdout
	from, records := "none", "there was no checkpoint"
	if result.From != nil {
		from = fmt.Sprint(*result.From)
		switch n := *result.Records; {
		case n > 0:
			records = counted(n, "record is passed over", "records are passed over")
		case n < 0:
			records = counted(-n, "record comes again", "records come again")
		default:
			records = "it stays where it is"
		}
	}
	fmt.Fprintf(w, "checkpoint of group %s in task %s: from %s to %d (%s)\n", result.Group, result.Task, from, result.To, records)
	if result.Clamped {
		fmt.Fprintf(w, "the log has offsets %d to %d: what was asked for is outside it\n", result.LogStartOffset, result.HighWatermark)
	}
	if result.DryRun {
		fmt.Fprintln(w, "dry run: nothing was changed")
	}
	return nil
}
