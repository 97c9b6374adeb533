package cli

import (
	"bytes"
	"context"
	"io"
	"strings"
	"time"

	"daybook/access"
	"daybook/admin"
	"daybook/task"

	"github.com/spf13/cobra"
)

// completionLimit bounds the waiting for names, while somebody waits at a prompt.
const completionLimit = time.Second

func (a *app) completion() *cobra.Command {
	return &cobra.Command{
		Use:   "completion (bash | zsh | fish)",
		Short: "Print what has a shell complete commands, flags, and names of tasks and groups",
		Long: `Prints a script for the shell. Names of tasks and groups are those of the running Daybook:
it is asked through its admin API, as -c, --admin and --token-file on the line say, for
a second at most; where it does not answer, there are none.`,
		Example: `  source <(daybook completion bash)                # in ~/.bashrc
  source <(daybook completion zsh)                 # in ~/.zshrc, behind compinit
  daybook completion fish > ~/.config/fish/completions/daybook.fish`,
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"bash", "zsh", "fish"},
		RunE: func(cmd *cobra.Command, args []string) error {
			switch args[0] {
			case "zsh":
				return cmd.Root().GenZshCompletion(a.stdout)
			case "fish":
				return cmd.Root().GenFishCompletion(a.stdout, true)
			}
			var script bytes.Buffer
			if err := cmd.Root().GenBashCompletionV2(&script, true); err != nil {
				return err
			}
			script.WriteString(withoutPackage)
			_, err := io.Copy(a.stdout, &script)
			return err
		},
	}
}

// withoutPackage is for a bash that lacks the functions of the package bash-completion.
const withoutPackage = `
if ! declare -F _get_comp_words_by_ref > /dev/null 2>&1; then
    __daybook_init_completion()
    {
        COMPREPLY=()
        cur=${COMP_WORDS[COMP_CWORD]}
        prev=${COMP_WORDS[COMP_CWORD-1]}
        words=("${COMP_WORDS[@]}")
        cword=$COMP_CWORD
    }
fi
`

// names lists names that begin with a text, each with what it is, behind a tab.
type names func(context.Context, *admin.Client) ([]string, error)

// completions has a command and those below it complete their arguments and flags.
func (a *app) completions(cmd *cobra.Command) {
	for _, c := range cmd.Commands() {
		a.completions(c)
	}
	words := strings.Fields(cmd.Use)
	if len(words) > 1 && words[0] != "create" && cmd.ValidArgs == nil {
		parent := ""
		if cmd.HasParent() {
			parent = cmd.Parent().Name()
		}
		switch {
		case words[1] == "GROUP":
			cmd.ValidArgsFunction = a.firstArg(groupNames)
		case parent == "token" && words[1] == "NAME":
			cmd.ValidArgsFunction = a.firstArg(tokenNames)
		case words[1] == "NAME" || words[1] == "TASK":
			cmd.ValidArgsFunction = a.firstArg(taskNames)
		}
	}
	for flag, complete := range map[string]cobra.CompletionFunc{
		"task": a.remoteNames(taskNames), "confirm": firstAgain,
		"output": oneOf(outputs()...), "tls": oneOf("disabled", "preferred", "required", "verify-ca", "verify-identity"), "schema-changes": oneOf("instance", "objects", "none"),
		"skip": oneOf(task.ChecksThatWarn()...), "skip-check": oneOf(task.ChecksThatWarn()...), "from": oneOf("now", "earliest"), "start": oneOf("now", "earliest"),
		"role": oneOf(string(access.Viewer), string(access.Operator), string(access.Admin)), "log-level": oneOf("debug", "info", "warn", "error"), "log-format": oneOf("text", "json"),
		"config": files, "file": files, "token-file": files, "ca-file": files, "password-file": files, "out": files,
	} {
		if f := cmd.LocalFlags().Lookup(flag); f != nil {
			_ = cmd.RegisterFlagCompletionFunc(flag, complete) // fails for one that has one already
		}
	}
}

// oneOf completes one of a few words.
func oneOf(all ...string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return beginning(all, begun), cobra.ShellCompDirectiveNoFileComp
	}
}

// files leaves it to the shell.
func files(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveDefault
}

// firstAgain completes the command's first argument.
func firstAgain(_ *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return beginning(args[:min(len(args), 1)], begun), cobra.ShellCompDirectiveNoFileComp
}

// firstArg completes the first argument; others have none.
func (a *app) firstArg(list names) cobra.CompletionFunc {
	complete := a.remoteNames(list)
	return func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return complete(cmd, args, begun)
	}
}

// remoteNames asks the Daybook that the line's flags name; where that fails, nobody is told.
func (a *app) remoteNames(list names) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
		r := &remote{app: a}
		for flag, value := range map[string]*string{"admin": &r.url, "token-file": &r.tokenFile, "ca-file": &r.caFile} {
			*value, _ = cmd.Flags().GetString(flag)
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completionLimit)
		defer cancel()
		c, err := r.client()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		defer c.Close()
		all, err := list(ctx, c)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return beginning(all, begun), cobra.ShellCompDirectiveNoFileComp
	}
}

func beginning(all []string, begun string) []cobra.Completion {
	var fit []cobra.Completion
	for _, text := range all {
		if strings.HasPrefix(text, begun) {
			fit = append(fit, text)
		}
	}
	return fit
}

func taskNames(ctx context.Context, c *admin.Client) ([]string, error) {
	tasks, err := c.Tasks(ctx)
	var all []string
	for _, t := range tasks {
		all = append(all, t.Name+"\t"+t.State)
	}
	return all, err
}

func groupNames(ctx context.Context, c *admin.Client) ([]string, error) {
	groups, err := c.Groups(ctx)
	var all []string
	for _, g := range groups {
		all = append(all, g.Group+"\tof "+printable(g.Task))
	}
	return all, err
}

func tokenNames(ctx context.Context, c *admin.Client) ([]string, error) {
	tokens, err := c.Tokens(ctx)
	var all []string
	for _, t := range tokens {
		all = append(all, t.Name+"\t"+t.Role)
	}
	return all, err
}
