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
	"github.com/goccy/go-yaml/parser"
	"github.com/spf13/cobra"
)

// notInName is what an environment variable's name has not.
var notInName = regexp.MustCompile(`[^A-Z0-9]+`)

// passwordVariable names the variable that an exported task wants its password in.
func passwordVariable(task string) string {
	name := notInName.ReplaceAllString(strings.ToUpper(task), "_") + "_PASSWORD"
	if name[0] >= '0' && name[0] <= '9' { // which no shell takes for a variable's
		name = "_" + name
	}
	return name
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
				if err := undefined(&t); err != nil {
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

// undefined refuses a task whose definition is not known.
func undefined(t *admin.Task) error {
	switch {
	case t.Owner == "none":
		return &exitError{exitConflict, fmt.Errorf("the configuration file does not declare task %s any more, so only its log is there: declare it there again, or delete it ('daybook task delete %[1]s --confirm %[1]s') and create it anew", printable(t.Name))}
	case t.Source.Address == "":
		return &exitError{exitConflict, fmt.Errorf("the definition of task %s cannot be read: 'daybook task show %[1]s' says why", printable(t.Name))}
	}
	return nil
}

func (r *remote) taskApply() *cobra.Command {
	var file string
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "apply -f FILE",
		Short: "Create tasks from a file, or make them as the file says",
		Long: `Creates the task that the file describes, or changes it to that, as 'daybook task
reconfigure' does; if it is so already, nothing is done. What the file does not say
is as by default. The password is read from the environment variable that password_env
names: to create the task, and whenever something else changes.

A file with several documents (---) describes as many tasks. If one of them is wrong, none is
applied; else one follows the other, and the first that fails ends it.

--dry-run prints what would change.`,
		Example: "  daybook task apply -f shop.yaml --dry-run\n  daybook task export shop | sed 's/^name: .*/name: copy/' | daybook task apply -f -   # with the password in SHOP_PASSWORD",
		RunE: func(cmd *cobra.Command, _ []string) error {
			wanted, err := readDefinitions(file)
			if err != nil {
				return &usageError{err}
			}
			return r.call(func(c *admin.Client) error {
				for i := range wanted {
					if err := r.apply(cmd.Context(), c, &wanted[i], dryRun); err != nil {
						return ofTask(wanted, i, err)
					}
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVarP(&file, "file", "f", "", "`file` with the tasks, as 'daybook task export' prints them; - for standard input")
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "change nothing; print what would change")
	return cmd
}

// ofTask says which task's error it is, where there are several.
func ofTask(wanted []wantedTask, i int, err error) error {
	left := len(wanted) - i - 1
	if len(wanted) == 1 || errors.Is(err, errFailed) && left == 0 {
		return err
	}
	if errors.Is(err, errFailed) {
		err = &exitError{exitFailed, errors.New("the precheck failed")}
	}
	rest := ""
	if left > 0 {
		rest = "; not looked at: task " + wanted[i+1].name
		if left > 1 {
			rest += fmt.Sprintf(" and %d more of the file", left-1)
		}
	}
	var answered *admin.Error
	if errors.As(err, &answered) { // which is made printable later
		answered.Detail = "task " + wanted[i].name + ": " + answered.Detail + rest
		return err
	}
	return fmt.Errorf("task %s: %w%s", wanted[i].name, err, rest)
}

// wantedTask is a definition of a file, whole, and the password that goes with it; "": none.
type wantedTask struct {
	name, password string
	definition     json.RawMessage
}

// readDefinitions reads the tasks of a file, one from each of its documents.
func readDefinitions(file string) ([]wantedTask, error) {
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
	documents, err := documentsOf(text)
	if err != nil {
		return nil, fmt.Errorf("%s is no YAML, or has a key twice", file) // without what it holds
	}
	var wanted []wantedTask
	names := map[string]bool{}
	for i, document := range documents {
		where := file
		if len(documents) > 1 {
			where = fmt.Sprintf("%s, document %d", file, i+1)
		}
		w, err := readDefinition(document)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		if names[w.name] {
			return nil, fmt.Errorf("%s: name: is that of another document", where)
		}
		names[w.name] = true
		wanted = append(wanted, *w)
	}
	if len(wanted) == 0 {
		return nil, fmt.Errorf("%s describes no task", file)
	}
	return wanted, nil
}

// documentBegin is the line that begins a YAML document, wherever it stands.
var documentBegin = regexp.MustCompile(`(?m)^---(?:[ \t]|\r?$)`)

// documentsOf returns the YAML documents that are not empty. They are parsed one by one: the library reads nothing
// behind one that is empty.
func documentsOf(text []byte) ([]any, error) {
	begins := []int{0}
	for _, at := range documentBegin.FindAllIndex(text, -1) {
		begins = append(begins, at[0])
	}
	begins = append(begins, len(text))
	var documents []any
	for i, begin := range begins[:len(begins)-1] {
		file, err := parser.ParseBytes(text[begin:begins[i+1]], 0)
		if err != nil {
			return nil, err
		}
		for _, d := range file.Docs {
			var document any
			if d.Body == nil {
				continue
			}
			if err := yaml.NodeToValue(d.Body, &document); err != nil {
				return nil, err
			}
			if document != nil {
				documents = append(documents, document)
			}
		}
	}
	return documents, nil
}

func readDefinition(written any) (*wantedTask, error) {
	definition, err := json.Marshal(written)
	if err != nil {
		return nil, errors.New("it does not describe a task")
	}
	var given struct {
		Name   string
		Source map[string]any
	}
	if err := json.Unmarshal(definition, &given); err != nil {
		return nil, errors.New("it does not describe a task")
	}
	w := &wantedTask{name: given.Name}
	if w.password, err = passwordOf(given.Source); err != nil {
		return nil, err
	}
	if definition, err = jsonpatch.MergePatch(definition, []byte(`{"source": {"password_env": null}}`)); err != nil {
		return nil, err
	}
	w.definition, err = canonical(definition)
	return w, err
}

// passwordOf returns the password that a definition of a file names; "": none.
func passwordOf(source map[string]any) (string, error) {
	const way = "name an environment variable that holds the password in source.password_env"
	if _, ok := source["password"]; ok {
		return "", errors.New("source.password: is not taken from a file: " + way)
	}
	for _, key := range []string{"password_file", "password_command"} {
		if _, ok := source[key]; ok {
			return "", fmt.Errorf("source.%s: is for tasks of the configuration file, which are changed there; of another task, %s", key, way)
		}
	}
	variable, ok := source["password_env"].(string)
	if _, given := source["password_env"]; given && !ok {
		return "", errors.New("source.password_env: wants a text")
	}
	return os.Getenv(variable), nil
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

// currentOf returns the definition of a task that may be changed.
func currentOf(t *admin.Task) (json.RawMessage, error) {
	switch {
	case t.Owner == "file":
		return nil, &exitError{exitConflict, fmt.Errorf("the configuration file declares task %s: change it there, and start Daybook anew", printable(t.Name))}
	case t.Owner == "none":
		return nil, undefined(t)
	case t.Source.Address == "": // it cannot be carried out, unless it is given once more
		return json.RawMessage("{}"), nil
	}
	definition, err := json.Marshal(t.Definition)
	if err != nil {
		return nil, err
	}
	current, err := canonical(definition)
	if err != nil {
		return nil, fmt.Errorf("as it is now: %w", err)
	}
	return current, nil
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
		if current, err = currentOf(&there); err != nil {
			return err
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
	keys, err := readPatch(patch)
	if err != nil {
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
	if !missing {
		return r.change(ctx, c, w.name, keys)
	}
	if w.password == "" {
		return &usageError{errors.New("source.password_env: names no environment variable that is set; the password is needed to create the task")}
	}
	created, err := c.CreateTask(ctx, keys)
	if err != nil {
		return err
	}
	return r.prechecked(ctx, c, created)
}
