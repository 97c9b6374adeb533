package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"daybook/admin"
	"daybook/config"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
)

// notInName is what an environment variable's name has not.
var notInName = regexp.MustCompile(`[^A-Z0-9]+`)

// passwordVariable names the variable that an exported task wants its password in.
func passwordVariable(task string) string {
	return notInName.ReplaceAllString(strings.ToUpper(task), "_") + "_PASSWORD"
}

func (r *remote) taskExport() *cobra.Command {
	return &cobra.Command{
		Use:   "export NAME",
		Short: "Print a task as it stands in a configuration file",
		Long: `Prints the task's definition as YAML, for the list of tasks in a configuration file or for
'daybook task apply'. The password is not in it: password_env names the environment
variable to put it into.`,
		Example: "  daybook task export shop > shop.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return r.call(func(c *admin.Client) error {
				t, err := c.Task(cmd.Context(), args[0])
				if err != nil {
					return err
				}
				if t.Owner == "store" {
					t.Source.PasswordEnv = passwordVariable(t.Name)
				}
				definition, err := json.Marshal(t.Definition)
				if err != nil {
					return err
				}
				text, err := yamlOf(definition)
				if err != nil {
					return err
				}
				_, err = r.app.stdout.Write(text)
				return err
			})
		},
	}
}

func (r *remote) taskApply() *cobra.Command {
	var file string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "apply -f FILE",
		Short: "Create a task from a file, or make it as the file says",
		Long: `Creates the task that the file describes, or changes it to that, as 'daybook task
reconfigure' does; if it is so already, nothing is done. What the file does not say
is as by default. The password is read from the environment variable that password_env
names: to create the task, and whenever something else changes.

--dry-run prints what would change.`,
		Example: "  daybook task apply -f shop.yaml --dry-run\n  daybook task export shop | sed 's/shop/copy/' | COPY_PASSWORD=… daybook task apply -f -",
		RunE: func(cmd *cobra.Command, _ []string) error {
			wanted, err := readDefinition(file)
			if err != nil {
				return &usageError{err}
			}
			return r.call(func(c *admin.Client) error { return r.apply(cmd.Context(), c, wanted, dryRun) })
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "`file` with the task, as 'daybook task export' prints it; - for standard input")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "change nothing; print what would change")
	return cmd
}

// wantedTask is a definition of a file, whole, and the password that goes with it; "": none.
type wantedTask struct {
	name, password string
	definition     json.RawMessage
}

func readDefinition(file string) (*wantedTask, error) {
	var text []byte
	var err error
	switch file {
	case "":
		return nil, errors.New("-f names the file with the task")
	case "-":
		text, err = io.ReadAll(os.Stdin)
	default:
		text, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, err
	}
	var written any
	if err := yaml.Unmarshal(text, &written); err != nil {
		return nil, fmt.Errorf("%s is no YAML", file) // without what it holds
	}
	definition, err := json.Marshal(written)
	if err != nil {
		return nil, fmt.Errorf("%s does not describe one task", file)
	}
	var given struct {
		Name   string
		Source map[string]any
	}
	if err := json.Unmarshal(definition, &given); err != nil {
		return nil, fmt.Errorf("%s does not describe one task", file)
	}
	w := &wantedTask{name: given.Name}
	if variable, ok := given.Source["password_env"].(string); ok {
		w.password = os.Getenv(variable)
		if definition, err = jsonpatch.MergePatch(definition, []byte(`{"source": {"password_env": null}}`)); err != nil {
			return nil, err
		}
	}
	w.definition, err = canonical(definition)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return w, nil
}

// canonical returns a definition with every key that holds for it.
func canonical(definition []byte) (json.RawMessage, error) {
	const some = "-" // the password, which is looked at elsewhere
	d, err := config.ParseDefinition(definition, some, rules())
	if err != nil {
		return nil, err
	}
	return d.JSON()
}

func (r *remote) apply(ctx context.Context, c *admin.Client, w *wantedTask, dryRun bool) error {
	there, err := c.Task(ctx, w.name)
	var answered *admin.Error
	missing := errors.As(err, &answered) && answered.Code == admin.CodeUnknownTask
	if err != nil && !missing {
		return err
	}
	current := json.RawMessage("{}")
	if !missing {
		definition, err := json.Marshal(there.Definition)
		if err != nil {
			return err
		}
		if current, err = canonical(definition); err != nil {
			return fmt.Errorf("task %s: %w", w.name, err)
		}
	}
	patch, err := jsonpatch.CreateMergePatch(current, w.definition)
	if err != nil {
		return err
	}
	switch {
	case string(patch) == "{}":
		fmt.Fprintf(r.app.stdout, "task %s is as the file says\n", w.name)
		return nil
	case dryRun:
		what := "changed"
		if missing {
			what = "created"
		}
		fmt.Fprintf(r.app.stdout, "dry run: task %s would be %s by %s\n", w.name, what, printable(string(patch)))
		return nil
	}
	keys := map[string]any{}
	if err := json.Unmarshal(patch, &keys); err != nil {
		return err
	}
	if w.password != "" {
		source, ok := keys["source"].(map[string]any)
		if !ok {
			source = map[string]any{}
			keys["source"] = source
		}
		source["password"] = w.password
	}
	if missing {
		created, err := c.CreateTask(ctx, keys)
		if err != nil {
			return err
		}
		return r.prechecked(ctx, c, created)
	}
	changed, err := c.ChangeTask(ctx, w.name, keys)
	if err != nil {
		return err
	}
	return r.print(changed, func() error { return r.printTask(&changed) })
}
