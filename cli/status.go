package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"daybook/admin"

	"github.com/spf13/cobra"
)

const (
	// shownTasks, shownGroups and shownWarnings bound what stands on one screen; -o json has all tasks and groups.
	shownTasks    = 15
	shownGroups   = 10
	shownWarnings = 5
	// lookedAt are the newest events, among which warnings are looked for.
	lookedAt = 500
)

// overview is all that `daybook status` tells.
type overview struct {
	Daybook  admin.Status     `json:"daybook"`
	Tasks    []admin.Task     `json:"tasks"`    // the worst first
	Groups   []admin.Group    `json:"groups"`   // those that are behind most first
	Warnings []admin.LogEvent `json:"warnings"` // the newest first
}

func (a *app) status() *cobra.Command {
	r := &remote{app: a, noun: "task"}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show on one screen how a running Daybook is",
		Long: `Shows Daybook's version, disk, memory and listeners; its tasks, the worst first, with what is
wrong and the command that leads on; its consumer groups, those that are behind most
first; and the newest warnings of the last seven days.

Exit code 0: no task is in Error, and none has failed its precheck; 1: one is or has;
2 to 4 as of 'daybook task'.`,
		Example: "  daybook status -c daybook.yaml\n  daybook status --watch\n  daybook status -o json | jq .daybook.data\n  daybook status > /dev/null || echo 'look at Daybook'",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return r.call(func(c *admin.Client) error {
				o, err := look(cmd.Context(), c)
				if err != nil {
					return err
				}
				if err := r.print(o, func() error { return o.print(a.stdout, time.Now()) }); err != nil {
					return err
				}
				if o.Daybook.Failing > 0 {
					return errFailed
				}
				return nil
			})
		},
	}
	r.flags(cmd)
	return r.watchable(cmd)
}

// look asks for all that is shown.
func look(ctx context.Context, c *admin.Client) (*overview, error) {
	o := &overview{Tasks: []admin.Task{}, Groups: []admin.Group{}, Warnings: []admin.LogEvent{}}
	var err error
	if o.Daybook, err = c.Status(ctx); err != nil {
		return nil, err
	}
	tasks, err := c.Tasks(ctx)
	if err != nil {
		return nil, err
	}
	o.Tasks = append(o.Tasks, tasks...)
	slices.SortStableFunc(o.Tasks, func(a, b admin.Task) int { return cmp.Compare(badness(&b), badness(&a)) })
	groups, err := c.Groups(ctx)
	if err != nil {
		return nil, err
	}
	o.Groups = append(o.Groups, groups...)
	slices.SortStableFunc(o.Groups, func(a, b admin.Group) int { return cmp.Compare(lagOf(&b), lagOf(&a)) })
	events, err := c.Events(ctx, admin.EventFilter{Limit: lookedAt})
	if err != nil {
		return nil, err
	}
	for _, e := range events {
		if len(o.Warnings) < shownWarnings && isWarning(&e) {
			o.Warnings = append(o.Warnings, e)
		}
	}
	return o, nil
}

// badness is the greater the more a task needs somebody to look.
func badness(t *admin.Task) int {
	switch {
	case t.State == stateError && t.Retry.IsZero():
		return 6
	case t.State == stateError:
		return 5
	case t.State == "Prechecking" && t.Reason != "":
		return 4
	case t.Owner == "none":
		return 3
	case t.State == "Not Started":
		return 2
	case t.State != "Normal":
		return 1
	}
	return 0
}

// lagOf is how far a group is behind, in seconds; one that has lost records is behind all others.
func lagOf(g *admin.Group) float64 {
	switch cp := g.Checkpoint; {
	case cp == nil:
		return -1
	case cp.LostRecords > 0:
		return 1e12 + float64(cp.LostRecords)
	case cp.LagSeconds != nil:
		return *cp.LagSeconds
	}
	return 0
}

// isWarning tells an event that nobody asked for, and that is not as it should be.
func isWarning(e *admin.LogEvent) bool {
	switch e.Kind {
	case "state":
		return strings.HasPrefix(e.Text, stateError+":") || strings.HasPrefix(e.Text, "Prechecking:")
	case "objects", "command_done", "deleted":
		return false
	}
	return e.By == ""
}

func (o *overview) print(w io.Writer, now time.Time) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	line := func(key, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", key, fmt.Sprintf(format, args...)) }
	d := &o.Daybook
	line("DAYBOOK", "%s, up %s", d.Version, shortDuration(now.Sub(d.Started).Truncate(time.Second).String()))
	limit := ""
	if d.Data.MaxBytes > 0 {
		limit = ", " + size(d.Data.MaxBytes) + " at most"
	}
	line("DATA", "%s: %s on the disk, %s free; the logs have %s%s", printable(d.Data.Dir), size(int64(d.Data.UsedBytes)), size(int64(d.Data.FreeBytes)), size(d.Data.LogBytes), limit)
	line("MEMORY", "%s", size(d.MemoryBytes))
	for _, l := range d.Listeners {
		line("LISTENER", "%s", listenerOf(&l))
	}
	line("TASKS", "%s", statesOf(o.Tasks))
	if err := t.Flush(); err != nil {
		return err
	}
	o.printTasks(w)
	o.printGroups(w)
	if len(o.Warnings) > 0 {
		fmt.Fprintln(w, "\nNEWEST WARNINGS")
	}
	for _, e := range o.Warnings {
		fmt.Fprintf(w, "%s %s %s: %s\n", e.Time, dash(printable(e.Task)), e.Kind, cutText(printable(e.Text), 2*shownError))
	}
	return nil
}

func listenerOf(l *admin.Listener) string {
	text := printable(l.Name) + " " + printable(l.Address)
	if l.Advertised != "" {
		text += ", advertised as " + printable(l.Advertised)
	}
	if l.TLS {
		text += ", TLS"
	}
	return text
}

// statesOf counts the tasks of each state, in the order in which they are shown.
func statesOf(tasks []admin.Task) string {
	var states []string
	counts := map[string]int{}
	for _, t := range tasks {
		if counts[t.State] == 0 {
			states = append(states, t.State)
		}
		counts[t.State]++
	}
	if len(states) == 0 {
		return "none: 'daybook task create' makes one"
	}
	for i, s := range states {
		states[i] = fmt.Sprintf("%d %s", counts[s], s)
	}
	return strings.Join(states, ", ")
}

func (o *overview) printTasks(w io.Writer) {
	if len(o.Tasks) == 0 {
		return
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "\nTASK\tSTATE\tSINCE\tSOURCE\tLOG")
	for _, task := range o.Tasks[:min(len(o.Tasks), shownTasks)] {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", printable(task.Name), task.State, moment(task.Since), dash(printable(task.Source.Address)), logOf(&task.Log))
	}
	_ = t.Flush() // the next line tells, if nothing can be written
	if more := len(o.Tasks) - shownTasks; more > 0 {
		fmt.Fprintf(w, "and %d more: 'daybook task list'\n", more)
	}
	for _, task := range o.Tasks[:min(len(o.Tasks), shownTasks)] {
		if task.Reason != "" {
			fmt.Fprintf(w, "\n%s, %s: %s\n", printable(task.Name), task.State, printable(task.Reason))
		}
	}
}

func (o *overview) printGroups(w io.Writer) {
	if len(o.Groups) == 0 {
		return
	}
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "\nGROUP\tTASK\tSTATE\tCONSUMERS\tLAG\tBEHIND\tLOST")
	for _, g := range o.Groups[:min(len(o.Groups), shownGroups)] {
		lag, late, lost := "-", "-", "-"
		if cp := g.Checkpoint; cp != nil {
			lag, late, lost = fmt.Sprint(cp.LagRecords), behind(cp.LagSeconds), fmt.Sprint(cp.LostRecords)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%d\t%s\t%s\t%s\n", printable(g.Group), dash(printable(g.Task)), g.State, len(g.Consumers), lag, late, lost)
	}
	_ = t.Flush()
	if more := len(o.Groups) - shownGroups; more > 0 {
		fmt.Fprintf(w, "and %d more: 'daybook group list'\n", more)
	}
}

// cutText cuts a text to so many characters.
func cutText(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
