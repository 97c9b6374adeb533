package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"daybook/admin"

	"github.com/spf13/cobra"
)

func (a *app) group() *cobra.Command {
	r := &remote{app: a, noun: "group"}
	cmd := &cobra.Command{
		Use:   "group",
		Short: "Manage the consumer groups of a running Daybook",
		Long: `Creates, shows, changes and deletes consumer groups of the Daybook that runs with
the configuration given by -c, through its admin API. --admin and --token-file
name another one, such as that of another host.

Exit code 0: done; 1: refused, because a rule is broken; 2: the command line or
the configuration is wrong; 3: no Daybook answers; 4: the token cannot be read or
is wrong; 5: no such group or task; 6: it exists already, consumers are active, or
the configuration file owns it.`,
		Example: "  daybook group create cache --task shop --account app --generate\n  daybook group list\n  daybook group show cache -o json\n  daybook group reset cache --to-time 2026-01-31T12:00:00Z --dry-run",
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	r.flags(cmd)
	cmd.AddCommand(r.groupCreate(), r.watchable(r.groupList()), r.watchable(r.groupShow()), r.groupSetPassword(), r.groupReset(), r.groupDelete())
	return cmd
}

func (r *remote) groupCreate() *cobra.Command {
	var (
		req      admin.CreateRequest
		password passwordFlags
	)
	cmd := &cobra.Command{
		Use:   "create GROUP --task TASK --account ACCOUNT",
		Short: "Create a consumer group and the account that may use it",
		Long: `Creates a consumer group that reads a task, and the account of its consumers.
Their SASL username is ACCOUNT-GROUP. The password is asked for at the terminal,
or comes from a file, an environment variable, or is made up and printed once.

A group has 1 to 128 letters, digits, '_', '.' and '-'; an account 1 to 16
letters, digits and '_'; a password 8 to 128 characters of at least two of upper
case, lower case, digits and others.`,
		Example: "  daybook group create cache --task shop --account app\n  daybook group create cache --task shop --account app --generate\n  CACHE_PASSWORD=… daybook group create cache --task shop --account app --password-env CACHE_PASSWORD",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if req.Task == "" || req.Account == "" {
				return &usageError{fmt.Errorf("--task and --account are needed; see '%s --help'", cmd.CommandPath())}
			}
			return r.call(func(c *admin.Client) (err error) {
				if req.Password, err = password.read(cmd.Context(), r.app.stderr); err != nil {
					return err
				}
				req.Group = args[0]
				g, err := c.CreateGroup(cmd.Context(), req)
				if err != nil {
					return err
				}
				made := withPassword{Group: g, Password: password.made(req.Password)}
				return r.print(made, func() error {
					fmt.Fprintf(r.app.stdout, "group %s of task %s created; its consumers log in as %s\n", g.Group, g.Task, g.Username)
					return r.printPassword(made.Password)
				})
			})
		},
	}
	cmd.Flags().StringVar(&req.Task, "task", "", "`name` of the task that the group reads")
	cmd.Flags().StringVar(&req.Account, "account", "", "`name` of the account of its consumers")
	password.flags(cmd)
	return cmd
}

// withPassword is a group whose password was made up here.
type withPassword struct {
	admin.Group
	Password string `json:"password,omitempty"`
}

// printPassword prints a password that was made up.
func (r *remote) printPassword(password string) error {
	if password == "" {
		return nil
	}
	_, err := fmt.Fprintf(r.app.stdout, "password: %s\nIt is not shown again.\n", password)
	return err
}

func (r *remote) groupList() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List all consumer groups, who is active and how far they are",
		Example: "  daybook group list\n  daybook group list -o json | jq '.[] | select(.checkpoint.lag_seconds > 60)'",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return r.call(func(c *admin.Client) error {
				groups, err := c.Groups(cmd.Context())
				if err != nil {
					return err
				}
				return r.print(groups, func() error { return r.printGroups(groups) })
			})
		},
	}
}

func (r *remote) printGroups(groups []admin.Group) error {
	t := tabwriter.NewWriter(r.app.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "TASK\tGROUP\tACCOUNT\tOWNER\tSTATE\tACTIVE\tSTANDBYS\tCHECKPOINT\tLAG\tBEHIND\tLOST")
	for _, g := range groups {
		active, standbys := "-", 0
		for _, c := range g.Consumers {
			if c.Role == admin.RoleActive {
				active = printable(c.ClientID) + " at " + printable(c.Address)
			} else {
				standbys++
			}
		}
		cp := []string{"-", "-", "-", "-"}
		if g.Checkpoint != nil {
			cp = []string{fmt.Sprint(g.Checkpoint.Offset), fmt.Sprint(g.Checkpoint.LagRecords), behind(g.Checkpoint.LagSeconds), fmt.Sprint(g.Checkpoint.LostRecords)}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\n",
			dash(printable(g.Task)), printable(g.Group), dash(g.Account), g.Owner, g.State, active, standbys, strings.Join(cp, "\t"))
	}
	return t.Flush()
}

func (r *remote) groupShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show GROUP",
		Short: "Show a consumer group: its consumers, its checkpoint, its lag",
		Long: `Shows who is active and who stands by, in the order in which they would take
over, with their addresses and client IDs; the checkpoint with its time; the lag in
records and in time; and the records that retention has removed before the group
has read them.`,
		Example: "  daybook group show cache\n  daybook group show cache -o json | jq '.checkpoint.lag_records'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.call(func(c *admin.Client) error {
				g, err := c.Group(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return r.print(g, func() error { return r.printGroup(&g) })
			})
		},
	}
}

func (r *remote) printGroup(g *admin.Group) error {
	t := tabwriter.NewWriter(r.app.stdout, 0, 4, 2, ' ', 0)
	line := func(key, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", key, fmt.Sprintf(format, args...)) }
	line("GROUP", "%s", printable(g.Group))
	line("TASK", "%s, offsets %d to %d", dash(printable(g.Task)), g.LogStartOffset, g.HighWatermark)
	switch g.Owner {
	case "none":
		line("ACCOUNT", "none: it is gone, and only the checkpoint is left")
	case "file":
		line("ACCOUNT", "%s, SASL username %s, of the configuration file", g.Account, g.Username)
	default:
		line("ACCOUNT", "%s, SASL username %s, created %s, password set %s", g.Account, g.Username, moment(g.Created), moment(g.PasswordChanged))
	}
	line("STATE", "%s", describeState(g))
	if cp := g.Checkpoint; cp == nil {
		line("CHECKPOINT", "none: nothing has been committed")
	} else {
		line("CHECKPOINT", "offset %d, committed %s%s", cp.Offset, moment(cp.Committed), metadata(cp.Metadata))
		line("LAG", "%s, %s", counted(cp.LagRecords, "record", "records"), behind(cp.LagSeconds))
		if cp.LostRecords > 0 {
			line("LOST", "%s removed by retention", counted(cp.LostRecords, "record after the checkpoint was", "records after the checkpoint were"))
		}
	}
	if err := t.Flush(); err != nil || len(g.Consumers) == 0 {
		return err
	}
	fmt.Fprintln(t)
	fmt.Fprintln(t, "ROLE\tMODE\tSINCE\tADDRESS\tCLIENT ID\tMEMBER ID\tINSTANCE ID")
	for _, c := range g.Consumers {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", c.Role, c.Mode, moment(c.Since), printable(c.Address),
			printable(c.ClientID), dash(printable(c.MemberID)), dash(printable(c.InstanceID)))
	}
	return t.Flush()
}

func describeState(g *admin.Group) string {
	s := g.State
	if g.Generation > 0 {
		s += fmt.Sprintf(", generation %d", g.Generation)
	}
	if g.Mode != "" {
		s += ", consumed by " + map[string]string{"subscribe": "subscription", "assign": "assignment"}[g.Mode]
	}
	if len(g.Consumers) == 0 && !g.EmptySince.IsZero() {
		s += ", without consumers since " + moment(g.EmptySince)
	}
	return s
}

// moment writes a time for people.
func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// behind writes a lag in seconds for people.
func behind(seconds *float64) string {
	if seconds == nil {
		return "?"
	}
	d := time.Duration(*seconds * float64(time.Second))
	if d >= time.Minute {
		return d.Round(time.Second).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

const shownMetadata = 60 // characters of a checkpoint's metadata; -o json has all

func metadata(s string) string {
	if s == "" {
		return ""
	}
	if r := []rune(s); len(r) > shownMetadata {
		s = string(r[:shownMetadata]) + "…"
	}
	return ", metadata " + printable(s)
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// printable keeps what clients say about themselves from commanding the
// terminal or breaking the table.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}
