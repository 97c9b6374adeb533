package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"daybook/admin"
	"daybook/task"

	"github.com/spf13/cobra"
)

// definitionFlags are those of a definition; what is not given is not said.
type definitionFlags struct {
	source, user, passwordEnv, tlsMode, schemaChanges, start string
	include, exclude, skipChecks                             []string
	age                                                      time.Duration
	maxBytes                                                 int64
	given                                                    func(flag string) bool
}

func (f *definitionFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.source, "source", "", "`HOST:PORT` of the MySQL or MariaDB server")
	cmd.Flags().StringVar(&f.user, "user", "", "`account` to log in with")
	cmd.Flags().StringVar(&f.passwordEnv, "password-env", "", "environment `variable` that holds its password, which is kept encrypted")
	cmd.Flags().StringVar(&f.tlsMode, "tls", "", "`mode`: disabled, preferred, required, verify-ca or verify-identity")
	cmd.Flags().StringArrayVar(&f.include, "include", nil, "`pattern` of tables to track, such as 'shop.*'; may be repeated; default all")
	cmd.Flags().StringArrayVar(&f.exclude, "exclude", nil, "`pattern` of tables not to track, which wins; may be repeated")
	cmd.Flags().StringVar(&f.schemaChanges, "schema-changes", "", "schema changes `of` which there are records: instance, objects or none; default instance")
	cmd.Flags().StringArrayVar(&f.skipChecks, "skip-check", nil, "`check` whose warning is not to be told, such as 'binlog sync'; may be repeated")
	cmd.Flags().DurationVar(&f.age, "retention-age", 0, "how long records stay, such as 72h; 0s: as for all tasks")
	cmd.Flags().Int64Var(&f.maxBytes, "retention-bytes", 0, "cap on the compressed `bytes` of the task's records; 0: none of its own")
	f.given = cmd.Flags().Changed
}

// keys returns the keys of the definition that the flags give.
func (f *definitionFlags) keys() (map[string]any, error) {
	source, objects, retention, keys := map[string]any{}, map[string]any{}, map[string]any{}, map[string]any{}
	for key, value := range map[string]string{"address": f.source, "user": f.user} {
		if value != "" {
			source[key] = value
		}
	}
	if f.tlsMode != "" {
		source["tls"] = map[string]any{"mode": f.tlsMode}
	}
	if f.schemaChanges != "" {
		keys["schema_changes"] = f.schemaChanges
	}
	if f.passwordEnv != "" {
		password := os.Getenv(f.passwordEnv)
		if password == "" {
			return nil, &usageError{errors.New("--password-env: there is no environment variable of this name, or it is empty")}
		}
		source["password"] = password
	}
	for key, value := range map[string][]string{"include": f.include, "exclude": f.exclude} {
		if value != nil {
			objects[key] = value
		}
	}
	if f.skipChecks != nil {
		keys["skip_checks"] = f.skipChecks
	}
	if f.given("retention-age") {
		retention["age"] = f.age.String()
	}
	if f.given("retention-bytes") {
		retention["max_bytes"] = f.maxBytes
	}
	for key, value := range map[string]map[string]any{"source": source, "objects": objects, "retention": retention} {
		if len(value) > 0 {
			keys[key] = value
		}
	}
	return keys, nil
}

func (r *remote) taskCreate() *cobra.Command {
	var f definitionFlags
	var autoStart bool
	cmd := &cobra.Command{
		Use:   "create NAME --source HOST:PORT --user ACCOUNT --password-env VARIABLE",
		Short: "Create a task beside those of the configuration file",
		Long: `Creates a task that Daybook keeps itself, and waits for the end of its precheck.
With --auto-start it starts as soon as that has passed, else 'daybook task start' does.
The password is kept encrypted, and never shown.

Exit code 1: the precheck failed; what is printed says what to mend, and
'daybook task precheck' runs it again.`,
		Example: "  SHOP_PASSWORD=… daybook task create shop --source db.example.com:3306 --user daybook --password-env SHOP_PASSWORD --include 'shop.*' --auto-start\n  daybook task create shop --source 127.0.0.1:3306 --user daybook --password-env SHOP_PASSWORD --start earliest",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			keys, err := f.keys()
			if err != nil {
				return err
			}
			keys["name"], keys["auto_start"] = args[0], autoStart
			if f.start != "" {
				if keys["start"], err = startKey(f.start); err != nil {
					return &usageError{err}
				}
			}
			return r.call(func(c *admin.Client) error {
				created, err := c.CreateTask(cmd.Context(), keys)
				if err != nil {
					return err
				}
				return r.prechecked(cmd.Context(), c, created)
			})
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.start, "start", "", "`place` to begin at: now, earliest, a time, FILE:OFFSET, or a GTID set; default now")
	cmd.Flags().BoolVar(&autoStart, "auto-start", false, "start it as soon as its precheck has passed")
	return cmd
}

// startKey is how a definition names a start that is given as for a restart.
func startKey(text string) (any, error) {
	start, err := task.ParseStart(text)
	switch {
	case err != nil:
		return nil, err
	case start.File != "":
		return map[string]any{"file": start.File, "pos": start.Pos}, nil
	case start.GTID != "":
		return map[string]any{"gtid": start.GTID}, nil
	case !start.Time.IsZero():
		return map[string]any{"time": start.Time.Format(time.RFC3339)}, nil
	}
	return text, nil
}

// precheckPoll is how often a task whose precheck runs is looked at.
const precheckPoll = 200 * time.Millisecond

// prechecked waits for the end of a task's precheck, and prints the task.
func (r *remote) prechecked(ctx context.Context, c *admin.Client, t admin.Task) error {
	for t.State == string(task.Prechecking) && t.Reason == "" {
		select {
		case <-time.After(precheckPoll):
		case <-ctx.Done():
			return ctx.Err()
		}
		var err error
		if t, err = c.Task(ctx, t.Name); err != nil {
			return err
		}
	}
	if err := r.print(t, func() error { return r.printTask(&t) }); err != nil {
		return err
	}
	if t.State == string(task.Prechecking) {
		return errFailed
	}
	return nil
}

func (r *remote) taskReconfigure() *cobra.Command {
	var f definitionFlags
	var patch string
	cmd := &cobra.Command{
		Use:   "reconfigure NAME",
		Short: "Change a task that was created at run time",
		Long: `Changes what the flags give, and leaves the rest as it is. The new definition is
prechecked first: if that fails, the old one goes on. The task goes on by itself, and
loses no change. --include, --exclude and --skip-check replace the whole list. What is not about the
reading of the source (retention, wire_compression) holds at once, without a precheck.

The task is printed as soon as it reads its source again or has failed anew, after 5 seconds at the latest.`,
		Example: "  daybook task reconfigure shop --include 'shop.*' --include 'crm.customers'\n  daybook task reconfigure shop --source db2.example.com:3306\n  daybook task reconfigure shop --retention-age 72h --retention-bytes 50000000000\n  daybook task reconfigure shop --patch '{\"tombstones\": true}'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			keys, err := f.keys()
			if err != nil {
				return err
			}
			if patch != "" {
				further, err := readPatch([]byte(patch))
				if err != nil {
					return &usageError{fmt.Errorf("--patch %w", err)}
				}
				if err := mergeKeys(keys, further, ""); err != nil {
					return &usageError{err}
				}
			}
			if len(keys) == 0 {
				return &usageError{fmt.Errorf("nothing is to change; see '%s --help'", cmd.CommandPath())}
			}
			return r.call(func(c *admin.Client) error { return r.change(cmd.Context(), c, args[0], keys) })
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&patch, "patch", "", "`JSON` object with the keys that change (a merge patch); null takes one out")
	return cmd
}

func (r *remote) taskDelete() *cobra.Command {
	var confirm string
	cmd := &cobra.Command{
		Use:   "delete NAME --confirm NAME",
		Short: "Delete a task with all that it has",
		Long: `Deletes the task's log, its position, its groups with their accounts and checkpoints,
for good, and ends its consumers' connections. It asks for the task's name once more.`,
		Example: "  daybook task delete shop --confirm shop",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if confirm != args[0] {
				return &usageError{fmt.Errorf("what the task has goes for good: --confirm %s says that you mean it", args[0])}
			}
			return r.call(func(c *admin.Client) error {
				done, err := c.DeleteTask(cmd.Context(), args[0])
				switch {
				case err != nil:
					return err
				case !done:
					return &exitError{exitWaits, fmt.Errorf("task %s is being deleted, which goes on: 'daybook task list' tells when it is gone", args[0])}
				}
				fmt.Fprintf(r.app.stdout, "task %s is deleted\n", args[0])
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&confirm, "confirm", "", "the task's `name` once more")
	return cmd
}

func (a *app) rotateKey() *cobra.Command {
	r := &remote{app: a, noun: "task"}
	cmd := &cobra.Command{
		Use:   "rotate-key",
		Short: "Change the key that the passwords of created tasks are encrypted with",
		Long: `Has the running Daybook make a new key, encrypt the sources' passwords of all tasks that
were created at run time anew, and forget the former key. Do so if somebody may have
read the key file; a copy of the data directory with the former key still opens what
is in that copy, so change those passwords, too.`,
		Example: "  daybook rotate-key -c daybook.yaml",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return r.call(func(c *admin.Client) error {
				n, err := c.RotateKey(cmd.Context())
				if err != nil {
					return err
				}
				return r.print(admin.KeyRotation{Sealed: n}, func() error {
					_, err := fmt.Fprintf(a.stdout, "the key was changed; %s encrypted anew\n", counted(n, "password is", "passwords are"))
					return err
				})
			})
		},
	}
	r.flags(cmd)
	return cmd
}

func (r *remote) taskPrecheck() *cobra.Command {
	var req admin.PrecheckRequest
	cmd := &cobra.Command{
		Use:   "precheck NAME",
		Short: "Run the precheck of a task again that is not started",
		Long: `Checks the source once more, and waits for the end.

--skip names a check that warns: its warning is not told or logged any more, and the check is shown as
skipped, for good: skip_checks of the task's definition holds it. A check that fails cannot be skipped.

Exit code 1: it failed again.`,
		Example: "  daybook task precheck shop\n  daybook task precheck shop --skip 'binlog sync' --skip GTID",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.call(func(c *admin.Client) error {
				t, err := c.PrecheckTask(cmd.Context(), args[0], req)
				if err != nil {
					return err
				}
				return r.prechecked(cmd.Context(), c, t)
			})
		},
	}
	cmd.Flags().StringArrayVar(&req.Skip, "skip", nil, "`check` that warns, not to be told any more; may be repeated")
	return cmd
}

// steps are the operations that need no more than a name.
var steps = map[string]struct{ short, long string }{
	"start":  {"Start a task whose precheck has passed", "Has the task read its source from the start that its definition names."},
	"pause":  {"Pause a task", "Nothing is read until 'daybook task resume'. The position is kept; the source must keep its\nbinlogs until then."},
	"resume": {"Resume a paused task, or one in Error at once", "A paused task goes on where it stood, if the source still has its binlogs. One in Error tries\nagain at once, and may fail for seven days from now on before it gives up."},
}

func (r *remote) taskStep(name string) *cobra.Command {
	return &cobra.Command{
		Use:     name + " NAME",
		Short:   steps[name].short,
		Long:    steps[name].long,
		Example: "  daybook task " + name + " shop",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.call(func(c *admin.Client) error {
				t, err := c.StepTask(cmd.Context(), args[0], name)
				if err == nil && t.State == stateError { // which is that of before
					t, err = settled(cmd.Context(), c, t)
				}
				if err != nil {
					return err
				}
				return r.print(t, func() error { return r.printTask(&t) })
			})
		},
	}
}
