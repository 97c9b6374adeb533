package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"daybook/admin"

	"github.com/spf13/cobra"
)

func (r *remote) taskObjects() *cobra.Command {
	var o admin.Objects
	cmd := &cobra.Command{
		Use:   "objects NAME [DATABASE]",
		Short: "Show what a task's source has, what is selected, and what patterns would match",
		Long: `Lists the databases of the task's source, or the tables of one of them, with their sizes
as the server estimates them; * marks what is selected. With --include or --exclude it
tells what these patterns would select now, and which of them match nothing.`,
		Example: "  daybook task objects shop\n  daybook task objects shop crm\n  daybook task objects shop --include 'crm.*' --exclude 'crm.log_*'",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.call(func(c *admin.Client) error {
				switch {
				case o.Include != nil || o.Exclude != nil:
					p, err := c.Preview(cmd.Context(), args[0], o)
					if err != nil {
						return err
					}
					return r.print(p, func() error { return r.printPreview(&p) })
				case len(args) == 2:
					tables, err := c.Tables(cmd.Context(), args[0], args[1])
					if err != nil {
						return err
					}
					return r.print(tables, func() error { return r.printTables(tables) })
				}
				databases, err := c.Databases(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				return r.print(databases, func() error { return r.printDatabases(databases) })
			})
		},
	}
	cmd.Flags().StringArrayVar(&o.Include, "include", nil, "`pattern` of tables; may be repeated")
	cmd.Flags().StringArrayVar(&o.Exclude, "exclude", nil, "`pattern` of tables that are taken away; may be repeated")
	return cmd
}

func mark(selected bool) string {
	if selected {
		return "*"
	}
	return ""
}

func (r *remote) printDatabases(list []admin.Database) error {
	t := tabwriter.NewWriter(r.app.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "SELECTED\tDATABASE")
	for _, d := range list {
		fmt.Fprintf(t, "%s\t%s\n", mark(d.Selected), printable(d.Name))
	}
	return t.Flush()
}

func (r *remote) printTables(list []admin.Table) error {
	t := tabwriter.NewWriter(r.app.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "SELECTED\tTABLE\tENGINE\tROWS\tBYTES")
	for _, table := range list {
		engine := table.Engine
		if table.View {
			engine = "view"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", mark(table.Selected), printable(table.Name), dash(printable(engine)), about(table.Rows), about(table.Bytes))
	}
	return t.Flush()
}

// about shows a number that a server estimates, if it does.
func about(n *int64) string {
	if n == nil {
		return "-"
	}
	return fmt.Sprint(*n)
}

func (r *remote) printPreview(p *admin.ObjectsPreview) error {
	w := r.app.stdout
	for _, n := range p.Tables {
		fmt.Fprintf(w, "%s.%s\n", printable(n.Database), printable(n.Table))
	}
	if more := p.Count - len(p.Tables); more > 0 {
		fmt.Fprintf(w, "and %d more\n", more)
	}
	fmt.Fprintln(w, counted(p.Count, "table matches", "tables match"))
	for what, idle := range map[string][]string{"match nothing": p.IdleInclude, "take nothing away": p.IdleExclude} {
		if len(idle) > 0 {
			fmt.Fprintf(w, "these patterns %s: %s\n", what, printable(strings.Join(idle, ", ")))
		}
	}
	if p.Unread != "" {
		fmt.Fprintf(w, "not all was looked at: %s\n", printable(p.Unread))
	}
	return nil
}
