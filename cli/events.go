package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"daybook/admin"

	"github.com/spf13/cobra"
)

// followPoll is how often new events are looked for.
const followPoll = time.Second

func (r *remote) taskEvents() *cobra.Command {
	var f eventFlags
	cmd := &cobra.Command{
		Use:   "events NAME",
		Short: "Show what happened to a task in the last seven days",
		Long: `Shows each state that the task came into, what somebody asked for and who it was, and what
the task noticed, the oldest first.`,
		Example: "  daybook task events shop\n  daybook task events shop --follow\n  daybook task events shop --kind state --since 24h\n  daybook task events shop -n 500 -o json | jq -r .text",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.showEvents(cmd.Context(), &f, admin.EventFilter{Task: args[0]})
		},
	}
	f.add(cmd)
	return cmd
}

func (a *app) events() *cobra.Command {
	r := &remote{app: a, noun: "task"}
	var f eventFlags
	var task string
	cmd := &cobra.Command{
		Use:     "events",
		Short:   "Show what happened in the last seven days",
		Long:    "Shows the events of all tasks, those that are gone too, and of the server: logins that were refused, tokens, keys; the oldest first.",
		Example: "  daybook events -c daybook.yaml\n  daybook events --follow\n  daybook events --kind login_refused --since 24h\n  daybook events --task shop",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return r.showEvents(cmd.Context(), &f, admin.EventFilter{Task: task, Gone: true})
		},
	}
	r.flags(cmd)
	f.add(cmd)
	cmd.Flags().StringVar(&task, "task", "", "`name` of the task whose events are shown, which may be gone")
	return cmd
}

// eventFlags say which events are shown.
type eventFlags struct {
	kind, since string
	follow      bool
	limit       int
}

func (f *eventFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.kind, "kind", "", "`kind` of the events that are shown, such as state")
	cmd.Flags().StringVar(&f.since, "since", "", "`when` to begin: 24h or 2d ago, or at 2026-01-31T12:00:00Z")
	cmd.Flags().BoolVar(&f.follow, "follow", false, "go on with new ones, until Ctrl-C")
	cmd.Flags().IntVarP(&f.limit, "limit", "n", 50, "how many of the newest are shown, 1 to 1000")
}

// showEvents prints the newest events that fit, and goes on with new ones.
func (r *remote) showEvents(ctx context.Context, f *eventFlags, which admin.EventFilter) error {
	if f.limit < 1 || f.limit > 1000 {
		return &usageError{fmt.Errorf("-n must be 1 to 1000")}
	}
	var err error
	if which.Since, err = sinceOf(f.since); err != nil {
		return &usageError{err}
	}
	which.Kind, which.Limit = f.kind, f.limit
	return r.call(func(c *admin.Client) error {
		for {
			list, err := c.Events(ctx, which)
			if err != nil {
				return err
			}
			if which.After, err = r.printEvents(list, which.After); err != nil || !f.follow {
				return err
			}
			if err := sleep(ctx, followPoll); err != nil {
				return err
			}
		}
	})
}

// sinceOf reads a time, or a duration until now; "": the beginning.
func sinceOf(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	d, err := durationOf(text)
	if err != nil || d < 0 {
		return time.Time{}, errors.New("--since is a duration, such as 24h or 2d, or a time, such as 2026-01-31T12:00:00Z")
	}
	return time.Now().Add(-d), nil
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
		if r.output != asTable {
			if err := encodeOne(r.app.stdout, r.output, e); err != nil {
				return last, err
			}
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
