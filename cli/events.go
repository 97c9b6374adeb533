package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"daybook/admin"

	"github.com/spf13/cobra"
)

// followPoll is how often new events are looked for.
const followPoll = time.Second

func (r *remote) taskEvents() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "events NAME",
		Short: "Show what happened to a task in the last seven days",
		Long: `Shows each state that the task came into, what somebody asked for and who it was, and what
the task noticed, the oldest first.`,
		Example: "  daybook task events shop\n  daybook task events shop --follow\n  daybook task events shop -n 500 -o json | jq -r .text",
		Args:    cobra.ExactArgs(1),
	}
	r.eventsOf(cmd, func(args []string) string { return args[0] })
	return cmd
}

func (a *app) events() *cobra.Command {
	r := &remote{app: a, noun: "task"}
	cmd := &cobra.Command{
		Use:     "events",
		Short:   "Show what happened in the last seven days",
		Long:    "Shows the events of all tasks, those that are gone too, the oldest first.",
		Example: "  daybook events -c daybook.yaml\n  daybook events --follow",
	}
	r.flags(cmd)
	r.eventsOf(cmd, func([]string) string { return "" })
	return cmd
}

// eventsOf has cmd show the events of a task, or of all.
func (r *remote) eventsOf(cmd *cobra.Command, task func(args []string) string) {
	var follow bool
	var limit int
	cmd.Flags().BoolVar(&follow, "follow", false, "go on with new ones, until Ctrl-C")
	cmd.Flags().IntVarP(&limit, "limit", "n", 50, "how many of the newest are shown, 1 to 1000")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if limit < 1 || limit > 1000 {
			return &usageError{fmt.Errorf("-n must be 1 to 1000")}
		}
		return r.call(func(c *admin.Client) error {
			last := ""
			for {
				list, err := c.Events(cmd.Context(), task(args), limit)
				if err != nil {
					return err
				}
				if last, err = r.printEvents(list, last); err != nil || !follow {
					return err
				}
				if err := sleep(cmd.Context(), followPoll); err != nil {
					return err
				}
			}
		})
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// printEvents prints those behind the one of that ID, of which the newest come first, and returns the newest one's ID.
func (r *remote) printEvents(list []admin.LogEvent, last string) (string, error) {
	for i := len(list) - 1; i >= 0; i-- {
		e := &list[i]
		if e.ID <= last {
			continue
		}
		last = e.ID
		if r.output == "json" {
			line, err := json.Marshal(e)
			if err != nil {
				return last, err
			}
			fmt.Fprintf(r.app.stdout, "%s\n", line)
			continue
		}
		about := ""
		for _, part := range []string{e.Table, e.Place} {
			if part != "" {
				about += " " + printable(part)
			}
		}
		if e.By != "" {
			about += " (by " + printable(e.By) + ")"
		}
		fmt.Fprintf(r.app.stdout, "%s %s %s: %s%s\n", e.Time, dash(printable(e.Task)), e.Kind, printable(e.Text), about)
	}
	return last, nil
}
