package cli

import (
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"daybook/admin"

	"github.com/spf13/cobra"
)

func (a *app) task() *cobra.Command {
	r := &remote{app: a, noun: "task"}
	cmd := &cobra.Command{
		Use:   "task",
		Short: "Create, look at, change and delete the tasks of a running Daybook",
		Long: `Shows the tasks of the Daybook that runs with the configuration given by -c,
through its admin API, creates, changes and deletes others beside those of the
file, and leads those on that an error has stopped. --admin and --token-file name
another Daybook, such as that of another host.

Exit code 0: done; 1: refused, because a rule is broken or the source does not have
the place; 2: the command line or the configuration is wrong; 3: no Daybook
answers; 4: the token cannot be read or is wrong; 5: no such task; 6: the task is
not in a state for it; 7: the command is saved, but not done yet.`,
		Example: "  daybook task list\n  daybook task show shop -o json | jq -r .reason\n  daybook task restart shop --from earliest\n  daybook task skip shop --dry-run\n  daybook task check shop",
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	r.flags(cmd)
	cmd.AddCommand(r.watchable(r.taskList()), r.watchable(r.taskShow()), r.taskRestart(), r.taskSkip(), r.taskCheck(),
		r.taskCreate(), r.taskObjects(), r.taskEvents(), r.taskExport(), r.taskApply(), r.taskReconfigure(), r.taskDelete(), r.taskPrecheck(), r.taskStep("start"), r.taskStep("pause"), r.taskStep("resume"))
	return cmd
}

func (r *remote) taskList() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List all tasks, their states and what is wrong",
		Example: "  daybook task list\n  daybook task list -o json | jq '.[] | select(.state == \"Error\")'",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return r.call(func(c *admin.Client) error {
				tasks, err := c.Tasks(cmd.Context())
				if err != nil {
					return err
				}
				return r.print(tasks, func() error { return r.printTasks(tasks) })
			})
		},
	}
}

// shownError is how much of an error stands in the list, in characters.
const shownError = 80

func (r *remote) printTasks(tasks []admin.Task) error {
	t := tabwriter.NewWriter(r.app.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "TASK\tSTATE\tSINCE\tSOURCE\tPOSITION\tOFFSETS\tREASON")
	for _, task := range tasks {
		reason := []rune(printable(task.Reason))
		if len(reason) > shownError {
			reason = append(reason[:shownError], '…')
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%d to %d\t%s\n", printable(task.Name), task.State, moment(task.Since), printable(task.Source.Address),
			dash(fileOf(task.Position)), task.LogStartOffset, task.HighWatermark, dash(string(reason)))
	}
	return t.Flush()
}

// fileOf returns the position's file and offset, "" if they are not known.
func fileOf(p *admin.Position) string {
	if p == nil || p.File == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", printable(p.File), p.Pos)
}

func (r *remote) taskShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show NAME",
		Short: "Show a task: its state, since when and why, and its place in the source",
		Long: `Shows the task's state, what is wrong and what leads on, when it tries again by
itself, and where reading the source goes on: file and offset, and the GTID set.`,
		Example: "  daybook task show shop\n  daybook task show shop -o json | jq -r .position.gtids",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.call(func(c *admin.Client) error {
				task, err := c.Task(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return r.print(task, func() error { return r.printTask(&task) })
			})
		},
	}
}

func (r *remote) printTask(task *admin.Task) error {
	t := tabwriter.NewWriter(r.app.stdout, 0, 4, 2, ' ', 0)
	line := func(key, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", key, fmt.Sprintf(format, args...)) }
	line("TASK", "%s, offsets %d to %d", printable(task.Name), task.LogStartOffset, task.HighWatermark)
	line("LOG", "%s", logOf(&task.Log))
	line("SOURCE", "%s", printable(task.Source.Address))
	line("STATE", "%s since %s", task.State, moment(task.Since))
	if task.State == stateError {
		line("ERROR", "%s", printable(task.Reason))
	}
	switch {
	case !task.Retry.IsZero():
		line("RETRY", "%s", moment(task.Retry))
	case task.State == stateError:
		line("RETRY", "none: %s", "it does not end by itself, or was tried for seven days")
	}
	if task.State != stateError && task.Reason != "" {
		line("REASON", "%s", printable(task.Reason))
	}
	line("OWNER", "%s", ownerOf(task.Owner))
	line("ALLOWED", "%s", strings.Join(task.Allowed, ", "))
	for _, c := range task.Checks {
		switch paused := task.State == "Not Started" && slices.Contains(task.Allowed, "resume"); {
		case c.Status == "ok" && c.Name == "binlog retention" && paused: // until when it may be resumed
			line("BINLOGS", "%s", printable(c.Detail))
		case c.Status != "ok":
			line("CHECK", "%s %s: %s; to mend it: %s%s", c.Status, printable(c.Name), printable(c.Detail), printable(c.Fix), waySkip(task, &c))
		}
	}
	if g := task.EventGroup; g != nil {
		line("EVENT GROUP", "%s cannot be read", groupOf(g))
	}
	line("POSITION", "%s", dash(fileOf(task.Position)))
	if p := task.Position; p != nil && p.GTIDs != "" {
		line("GTIDS", "%s", printable(p.GTIDs))
	}
	if task.Command != "" {
		line("COMMAND", "%s: it is done as soon as the source and the disk let it", printable(task.Command))
	}
	d := &task.Definitions
	if !d.Checked.IsZero() {
		line("DEFINITIONS", "compared with the source's at %s; %d differ", moment(d.Checked), len(d.Differ)+d.More)
	}
	for i := range d.Differ {
		line("DIFFERS", "%s", differenceOf(&d.Differ[i]))
	}
	if d.WayOn != "" {
		line("WAY ON", "%s", printable(d.WayOn))
	}
	if d.Failed != "" {
		line("CHECK FAILED", "%s", printable(d.Failed))
	}
	for _, e := range task.Events {
		line("EVENT", "%s %s %s at %s:%d: %s", moment(e.Time), e.Kind, printable(e.Table), printable(e.File), e.Pos, printable(e.Text))
	}
	return t.Flush()
}

// waySkip says how a warning is not told any more.
func waySkip(task *admin.Task, c *admin.Check) string {
	switch {
	case !c.Skippable:
		return ""
	case slices.Contains(task.Allowed, "precheck"):
		return fmt.Sprintf("; or skip it: daybook task precheck %s --skip %q", printable(task.Name), printable(c.Name))
	case task.Owner == "store":
		return fmt.Sprintf("; or skip it: daybook task reconfigure %s --skip-check %q", printable(task.Name), printable(c.Name))
	}
	return "; or skip it by skip_checks in the configuration file"
}

// logOf says how far back the log goes, and how far it may.
func logOf(l *admin.Log) string {
	text := "empty"
	if !l.Oldest.IsZero() {
		text = fmt.Sprintf("%s, back to %s", size(l.Bytes), moment(l.Oldest))
	}
	text += "; kept for " + shortDuration(l.Age)
	if l.MaxBytes > 0 {
		text += ", " + size(l.MaxBytes) + " at most"
	}
	return text
}

// stateError is the state of a task that something has stopped.
const stateError = "Error"

// ownerOf says who declares a task.
func ownerOf(owner string) string {
	switch owner {
	case "file":
		return "the configuration file"
	case "store":
		return "created at run time"
	}
	return "nobody: the configuration file does not declare it any more"
}

// groupOf names an event group.
func groupOf(g *admin.EventGroup) string {
	s := fmt.Sprintf("%s:%d", printable(g.File), g.Pos)
	if g.GTID != "" {
		s += " (GTID " + printable(g.GTID) + ")"
	}
	return s
}
