// Package cli is Daybook's command line: one file per command, and the place
// where the parts are wired together.
//
// [Run] is its only entry. Output for people goes to stdout, logs and errors
// to stderr. Exit codes: 0 all well; 1 the command ran and something is wrong
// (a precheck failed, a server could not start, a rule was broken); 2 the command
// line or the configuration is wrong. Commands that talk to a running Daybook
// have more, see docs/operations.md.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"

	"daybook/access"
	"daybook/auth"
	"daybook/config"
	"daybook/objects"
	"daybook/task"

	"github.com/spf13/cobra"
)

const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2

	// Of the commands that talk to a running Daybook.
	exitUnreachable = 3 // nobody answers there, or somebody else does
	exitToken       = 4 // the token cannot be read, or is refused, or its role does not allow it
	exitNotFound    = 5 // no such group, task, token, …
	exitConflict    = 6 // it exists already, it is in use, the configuration file owns it
	exitWaits       = 7 // the command is saved, but not done yet
)

// errFailed ends a command whose output already says what is wrong.
var errFailed = errors.New("failed")

// usageError is a command line or configuration that cannot be.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// exitError is an error with an exit code of its own.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// app is what the commands share.
type app struct {
	stdout              io.Writer
	stderr              *output
	configPath          string
	logLevel, logFormat string
	helpErr             error // of a command that was asked for help
}

// Run executes the command line in args (without the program's name) and
// returns the exit code. It ends early, in order, when ctx is done.
func Run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	errOut := newOutput(stderr)
	errOut.open()
	defer errOut.close()
	a := &app{stdout: stdout, stderr: errOut}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	if err == nil {
		err = a.helpErr
	}
	var (
		usage *usageError
		exit  *exitError
	)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errFailed):
		return exitFailed
	case errors.As(err, &usage):
		fmt.Fprintf(errOut, "daybook: %v\n", err)
		return exitUsage
	case errors.As(err, &exit):
		fmt.Fprintf(errOut, "daybook: %v\n", err)
		return exit.code
	default:
		fmt.Fprintf(errOut, "daybook: %v\n", err)
		return exitFailed
	}
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "daybook",
		Short: "Track the changes of a MySQL server and serve them to Kafka clients",
		Long: `Daybook reads the binlog of MySQL and MariaDB servers as a replica would, keeps
the row and schema changes of the last 24 hours, and serves them over the Kafka
protocol, so that any stock Kafka client consumes them.`,
		Example:       "  daybook demo --source 127.0.0.1:3306   # see it work\n  daybook check -c daybook.yaml          # is my MySQL ready?\n  daybook serve -c daybook.yaml          # run it\n  daybook status -c daybook.yaml         # is all well?\n  daybook task list -c daybook.yaml      # what each task does, and what is wrong\n  daybook group list -c daybook.yaml     # who consumes, and how far they are",
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{fmt.Errorf("%w; see '%s --help'", err, cmd.CommandPath())}
	})
	root.CompletionOptions.DisableDefaultCmd = true // there is one of our own
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	root.AddCommand(a.serve(), a.check(), a.status(), a.store(), a.task(), a.group(), a.events(), a.tail(), a.token(), a.rotateKey(), a.demo(), a.version(), a.completion())
	root.SetHelpCommand(a.help())
	root.InitDefaultHelpCmd()
	checkArgs(root)
	a.completions(root)
	help := root.HelpFunc()
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		if cmd.HasSubCommands() { // of which cobra does not see that one is unknown, if --help stands there too
			a.helpErr = cmd.ValidateArgs(cmd.Flags().Args())
		}
		if a.helpErr == nil {
			help(cmd, args)
		}
	})
	return root
}

// help is the command for those who do not ask by --help.
func (a *app) help() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Show what a command does, with an example",
		Example: "  daybook help task restart",
		Args:    cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err == nil && about.HasSubCommands() {
				err = about.ValidateArgs(rest)
			}
			if err != nil {
				return err
			}
			return about.Help()
		},
	}
}

// checkArgs makes wrong arguments of a command and those below it a usageError;
// a command that says nothing about arguments takes none.
func checkArgs(cmd *cobra.Command) {
	switch {
	case cmd.HasSubCommands():
		cmd.Args = knownCommand
	case cmd.Args == nil:
		cmd.Args = cobra.NoArgs
	}
	cmd.Args = usageArgs(cmd.Args)
	for _, c := range cmd.Commands() {
		checkArgs(c)
	}
}

// usageArgs makes a wrong argument a usageError. An argument is a name: it is
// not empty, as that of a variable that is not set would be, and none of the two
// that have another meaning in a path.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		err := check(cmd, args)
		if i := slices.IndexFunc(args, noName); err == nil && i >= 0 {
			err = fmt.Errorf("%q is no name", args[i])
		}
		if err != nil {
			return &usageError{fmt.Errorf("%w; see '%s --help'", err, cmd.CommandPath())}
		}
		return nil
	}
}

func noName(arg string) bool { return arg == "" || arg == "." || arg == ".." }

// knownCommand refuses what is none of cmd's commands.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		names = append(names, c.Name())
	}
	return fmt.Errorf("unknown command %q of '%s': there are %s", args[0], cmd.CommandPath(), strings.Join(names, ", "))
}

func (a *app) configFlag(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&a.configPath, "config", "c", "daybook.yaml", "configuration `file`; config.example.yaml shows every key")
}

func (a *app) logFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&a.logLevel, "log-level", "info", "debug, info, warn or error")
	cmd.Flags().StringVar(&a.logFormat, "log-format", "text", "text or json")
}

// rules are what other packages want of a configuration.
func rules() config.Rules {
	return config.Rules{Account: auth.CheckAccount, Group: auth.CheckGroup, Password: auth.CheckPassword, Token: access.CheckName, Role: access.CheckRole, Patterns: objects.Check, Check: task.CheckSkippable}
}

// loadConfig reads the file that -c names.
func (a *app) loadConfig() (*config.Config, error) {
	c, err := config.Load(a.configPath, os.LookupEnv, rules())
	if err != nil {
		return nil, &usageError{err}
	}
	return c, nil
}

// logger builds the log that --log-level and --log-format ask for.
func (a *app) logger() (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(a.logLevel)); err != nil {
		return nil, &usageError{fmt.Errorf("--log-level %q is not one of debug, info, warn, error", a.logLevel)}
	}
	o := &slog.HandlerOptions{Level: level}
	switch strings.ToLower(a.logFormat) {
	case "text":
		return a.stderr.log(func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, o) }), nil
	case "json":
		return a.stderr.log(func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, o) }), nil
	}
	return nil, &usageError{fmt.Errorf("--log-format %q is not one of text, json", a.logFormat)}
}
