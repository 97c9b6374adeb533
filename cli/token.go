package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"daybook/access"
	"daybook/admin"

	"github.com/spf13/cobra"
)

func (a *app) token() *cobra.Command {
	r := &remote{app: a, noun: "token"}
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Manage the tokens of a running Daybook's admin API",
		Long: `Creates, lists and deletes tokens of the admin API, beside those of the
configuration file. Each has a role: a viewer looks at tasks, groups, events and
metrics; an operator starts, pauses and leads on what there is besides; an admin does
everything. docs/security.md says it of each operation. A token of the role admin
is needed for these commands.`,
		Example: "  daybook token create grafana --role viewer\n  daybook token list\n  daybook token delete grafana",
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	r.flags(cmd)
	cmd.AddCommand(r.tokenCreate(), r.tokenList(), r.tokenDelete())
	return cmd
}

func (r *remote) tokenCreate() *cobra.Command {
	var role, expires, out string
	cmd := &cobra.Command{
		Use:   "create NAME --role ROLE",
		Short: "Create a token and print it, once",
		Long: `Creates a token and prints it, or writes it to the file that --out names, which
--token-file of other commands takes. Nobody can be told it again: what Daybook keeps is
its SHA-256. NAME is what events and the log call it: 1 to 64 letters, digits, '.', '_'
and '-'.`,
		Example: "  daybook token create grafana --role viewer\n  daybook token create ann --role operator --expires 30d --out ann.token\n  daybook token create audit --role viewer --expires 2030-01-31T12:00:00Z",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req := admin.TokenRequest{Name: args[0], Role: role}
			if access.CheckRole(role) != nil {
				return &usageError{errors.New("--role is one of viewer, operator, admin")}
			}
			var err error
			if req.Expires, err = expiry(expires); err != nil {
				return &usageError{err}
			}
			return r.call(func(c *admin.Client) error { return r.createToken(cmd, c, req, out) })
		},
	}
	cmd.Flags().StringVar(&role, "role", "", "what it may do: viewer, operator or admin")
	cmd.Flags().StringVar(&expires, "expires", "", "`when` it lets nobody in any more: in 30d or 12h, or at 2030-01-31T12:00:00Z; default never")
	cmd.Flags().StringVar(&out, "out", "", "`file` to write the token to, which is not there yet, with mode 0600, in place of printing it")
	return cmd
}

func (r *remote) createToken(cmd *cobra.Command, c *admin.Client, req admin.TokenRequest, out string) error {
	made, err := c.CreateToken(cmd.Context(), req)
	if err != nil {
		return err
	}
	if out != "" {
		if err := access.WriteToken(out, made.Secret); err != nil {
			return errors.Join(err, c.DeleteToken(cmd.Context(), req.Name)) // nobody has it
		}
		made.Secret = ""
	}
	return r.print(made, func() error {
		fmt.Fprintf(r.app.stdout, "token %s created: role %s, expires %s\n", made.Name, made.Role, orNever(made.Expires))
		if out != "" {
			_, err := fmt.Fprintf(r.app.stdout, "It is in %s, and not shown.\n", out)
			return err
		}
		_, err := fmt.Fprintf(r.app.stdout, "token: %s\nIt is not shown again.\n", made.Secret)
		return err
	})
}

// expiry reads when a token ends: a time, or a duration from now on; "": never.
func expiry(text string) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return &at, nil
	}
	d, err := durationOf(text)
	if err != nil || d <= 0 {
		return nil, errors.New("--expires is a duration, such as 30d or 12h, or a time, such as 2030-01-31T12:00:00Z")
	}
	at := time.Now().Add(d).UTC().Truncate(time.Second)
	return &at, nil
}

// maxDays bounds a number of days: a time.Duration holds 292 years.
const maxDays = 100_000

// durationOf reads what time.ParseDuration reads, and whole days.
func durationOf(text string) (time.Duration, error) {
	days, isDays := strings.CutSuffix(text, "d")
	if !isDays {
		return time.ParseDuration(text)
	}
	n, err := strconv.ParseUint(days, 10, 32)
	if err != nil || n > maxDays {
		return 0, errors.New("it is no number of days")
	}
	return time.Duration(n) * 24 * time.Hour, nil
}

func (r *remote) tokenList() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List all tokens, their roles and when they were used last",
		Long:    "Lists names and roles, those of the configuration file too. The tokens themselves are not shown.",
		Example: "  daybook token list\n  daybook token list -o json | jq -r '.[] | select(.role == \"admin\") | .name'",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return r.call(func(c *admin.Client) error {
				tokens, err := c.Tokens(cmd.Context())
				if err != nil {
					return err
				}
				return r.print(tokens, func() error { return r.printTokens(tokens) })
			})
		},
	}
}

func (r *remote) printTokens(tokens []admin.Token) error {
	t := tabwriter.NewWriter(r.app.stdout, 0, 4, 2, ' ', 0)
	fmt.Fprintln(t, "TOKEN\tROLE\tOWNER\tCREATED\tUSED\tEXPIRES")
	for _, k := range tokens {
		created := "-"
		if !k.Created.IsZero() {
			created = moment(k.Created)
		}
		line := fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%s", printable(k.Name), k.Role, k.Owner, created, orNever(k.Used), orNever(k.Expires))
		if !k.Expires.IsZero() && k.Expires.Before(time.Now()) {
			line += " (it has)"
		}
		if k.Problem != "" {
			line += "\tlets nobody in: " + printable(k.Problem)
		}
		fmt.Fprintln(t, line)
	}
	return t.Flush()
}

func orNever(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return moment(t)
}

func (r *remote) tokenDelete() *cobra.Command {
	return &cobra.Command{
		Use:     "delete NAME",
		Short:   "Delete a token, which lets nobody in from then on",
		Example: "  daybook token delete grafana",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.call(func(c *admin.Client) error {
				if err := c.DeleteToken(cmd.Context(), args[0]); err != nil {
					return err
				}
				deleted := struct {
					Token   string `json:"token"`
					Deleted bool   `json:"deleted"`
				}{args[0], true}
				return r.print(deleted, func() error {
					_, err := fmt.Fprintf(r.app.stdout, "token %s deleted\n", args[0])
					return err
				})
			})
		},
	}
}
