package cli

import (
	"fmt"

	"daybook/admin"

	"github.com/spf13/cobra"
)

func (r *remote) groupSetPassword() *cobra.Command {
	var (
		req      admin.PasswordRequest
		password passwordFlags
	)
	cmd := &cobra.Command{
		Use:   "set-password GROUP",
		Short: "Change the password of a group's account",
		Long: `Changes the password. New connections need the new one from then on; those that
are open go on, unless --end-connections ends them.`,
		Example: "  daybook group set-password cache\n  daybook group set-password cache --generate --end-connections",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.call(func(c *admin.Client) (err error) {
				if req.Password, err = password.read(cmd.Context(), r.app.stderr); err != nil {
					return err
				}
				if err := c.SetPassword(cmd.Context(), args[0], req); err != nil {
					return err
				}
				changed := struct {
					Group            string `json:"group"`
					ConnectionsEnded bool   `json:"connections_ended"`
					Password         string `json:"password,omitempty"`
				}{args[0], req.EndConnections, password.made(req.Password)}
				return r.print(changed, func() error {
					open := "open connections go on"
					if req.EndConnections {
						open = "open connections were ended"
					}
					fmt.Fprintf(r.app.stdout, "password of group %s changed; %s\n", args[0], open)
					return r.printPassword(changed.Password)
				})
			})
		},
	}
	cmd.Flags().BoolVar(&req.EndConnections, "end-connections", false, "end the connections that logged in with the old password")
	password.flags(cmd)
	return cmd
}

func (r *remote) groupDelete() *cobra.Command {
	var force bool
	cmd := &cobra.Command{
		Use:   "delete GROUP",
		Short: "Delete a consumer group with its account and its checkpoint",
		Long: `Deletes the group, its account and its checkpoint for good. A group that has
consumers is not deleted, unless --force ends them.`,
		Example: "  daybook group delete cache\n  daybook group delete cache --force",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.call(func(c *admin.Client) error {
				if err := c.DeleteGroup(cmd.Context(), args[0], force); err != nil {
					return err
				}
				deleted := struct {
					Group   string `json:"group"`
					Deleted bool   `json:"deleted"`
				}{args[0], true}
				return r.print(deleted, func() error {
					_, err := fmt.Fprintf(r.app.stdout, "group %s deleted\n", args[0])
					return err
				})
			})
		},
	}
	cmd.Flags().BoolVar(&force, "force", false, "delete it though it has consumers, and end their connections")
	return cmd
}
