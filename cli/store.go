package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"daybook/config"
	"daybook/store"

	"github.com/spf13/cobra"
)

func (a *app) store() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "store",
		Short:   "Look after the data directory while Daybook is stopped",
		Example: "  daybook store check -c daybook.yaml\n  daybook store repair -c daybook.yaml --dry-run",
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.storeCheck(), a.storeRepair())
	return cmd
}

func (a *app) storeCheck() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Read everything in the data directory and tell what is damaged",
		Long: `Reads everything in the data directory, changes nothing, and tells for each
topic what cannot be read. Daybook must be stopped. Not a byte in the directory
changes, but for the file LOCK if it is not there; the file system may be mounted
read-only. Of the configuration data_dir and retention are read, and no secret is needed.

Of lost records it names the offsets, and the positions in the source of the
records before and after them.

Exit code 0: nothing is damaged; 1: something is, or the directory is in use or
not there; 2: the command line or the configuration is wrong.`,
		Example: "  daybook store check -c daybook.yaml\n  daybook store check -c daybook.yaml -o json | jq '.damages[] | select(.what == \"records\")'",
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := a.storeReport(output)
			if err != nil {
				return err
			}
			if err := store.Inspect(cmd.Context(), r.options, r.add); err != nil {
				return err
			}
			if err := r.print(a.stdout, output); err != nil {
				return err
			}
			if len(r.Damages) > 0 {
				return errFailed
			}
			return nil
		},
	}
	a.configFlag(cmd)
	outputFlag(cmd, &output, false)
	return cmd
}

func (a *app) storeRepair() *cobra.Command {
	var output string
	var dryRun, yes bool
	cmd := &cobra.Command{
		Use:   "repair (--dry-run | --yes)",
		Short: "Make a damaged data directory consistent again, and tell what is lost",
		Long: `Copies all that can be read to a new database in the data directory, and keeps
the damaged one in a folder beside it, which you may delete later. The disk must
have room for both. Daybook must be stopped.

Every record stays at its offset. In the place of lost ones is a gap, which
consumers step over. A task whose position or schema is lost stops in Error until
it is restarted: daybook task restart NAME --from now. One that has lost only what it wrote
last goes on where it was before that, and appends the lost records again, behind the gap.

--dry-run changes nothing and shows what would be lost; --yes does it. A repair
that was interrupted is begun again, or goes on, with the same command.

Exit code 0: all is well now, or would be; 1: it cannot be repaired, or the directory
is in use or not there; 2: the command line or the configuration is wrong.`,
		Example: "  daybook store repair -c daybook.yaml --dry-run\n  daybook store repair -c daybook.yaml --yes",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dryRun == yes {
				return &usageError{fmt.Errorf("one of --dry-run and --yes is needed; see '%s --help'", cmd.CommandPath())}
			}
			r, err := a.storeReport(output)
			if err != nil {
				return err
			}
			r.DryRun = dryRun
			if dryRun {
				err = store.Inspect(cmd.Context(), r.options, r.add)
			} else {
				r.Kept, err = store.Repair(cmd.Context(), r.options, r.add)
			}
			if err != nil {
				return err
			}
			if err := r.print(a.stdout, output); err != nil {
				return err
			}
			if r.beyondRepair() {
				return errFailed
			}
			return nil
		},
	}
	a.configFlag(cmd)
	outputFlag(cmd, &output, false)
	cmd.Flags().BoolVar(&dryRun, "dry-run", false, "change nothing")
	cmd.Flags().BoolVar(&yes, "yes", false, "repair it")
	return cmd
}

// storeReport is what the commands print.
type storeReport struct {
	DataDir string   `json:"data_dir"`
	Damages []damage `json:"damages"`
	DryRun  bool     `json:"dry_run,omitempty"`
	Kept    string   `json:"kept,omitempty"` // the folder of the damaged database

	options store.Options
}

func (a *app) storeReport(output string) (*storeReport, error) {
	if err := checkOutput(output); err != nil {
		return nil, err
	}
	c, err := config.LoadData(a.configPath)
	if err != nil {
		return nil, &usageError{err}
	}
	return &storeReport{DataDir: c.DataDir, Damages: []damage{}, options: storeOptions(c)}, nil
}

// storeOptions are those of the store that serve opens.
func storeOptions(c *config.Config) store.Options {
	return store.Options{Dir: c.DataDir, RetentionAge: time.Duration(c.Retention.Age), RetentionBytes: c.Retention.MaxBytes}
}

func (r *storeReport) add(d store.Damage) {
	r.Damages = append(r.Damages, damage{d, placeOf(d.Before), placeOf(d.After)})
}

func (r *storeReport) beyondRepair() bool {
	return slices.ContainsFunc(r.Damages, func(d damage) bool { return d.What == store.LostDirectory })
}

// damage is one of the store's, with where in the source the records beside
// the lost ones were.
type damage struct {
	store.Damage
	Before *sourcePlace `json:"before,omitempty"`
	After  *sourcePlace `json:"after,omitempty"`
}

// sourcePlace is a part of the source block of a record.
type sourcePlace struct {
	GTID string `json:"gtid,omitempty"`
	File string `json:"file"`
	Pos  uint64 `json:"pos"`
}

func placeOf(record []byte) *sourcePlace {
	var r struct{ Source sourcePlace }
	if json.Unmarshal(record, &r) != nil || r.Source.File == "" {
		return nil // none, or the record of something else
	}
	return &r.Source
}

func (p *sourcePlace) String() string {
	switch {
	case p == nil:
		return "unknown"
	case p.GTID != "":
		return fmt.Sprintf("%s:%d (%s)", p.File, p.Pos, p.GTID)
	}
	return fmt.Sprintf("%s:%d", p.File, p.Pos)
}

func (r *storeReport) print(w io.Writer, output string) error {
	if output != asTable {
		return encode(w, output, r)
	}
	var errs []error
	line := func(format string, args ...any) {
		_, err := fmt.Fprintf(w, format+"\n", args...)
		errs = append(errs, err)
	}
	for _, d := range r.Damages {
		line("%s", damageLine(d))
	}
	switch {
	case r.Kept != "":
		line("repaired; the damaged database is kept in %s/%s and may be deleted", r.DataDir, r.Kept)
	case len(r.Damages) == 0:
		line("nothing in %s is damaged", r.DataDir)
	case r.beyondRepair(): // there is no way to mend it
	case r.DryRun:
		line("dry run: nothing was changed; --yes repairs it")
	default:
		line("mend it with: daybook store repair --yes")
	}
	return errors.Join(errs...)
}

func damageLine(d damage) string {
	switch d.What {
	case store.LostRecords:
		return fmt.Sprintf("%s: the records at offsets %d to %d are lost, between the positions %v and %v (%s)", d.Topic, d.From, d.To-1, d.Before, d.After, d.Detail)
	case store.LostState:
		return fmt.Sprintf("%s: the position or the schema is lost (%s); after the repair 'daybook task restart %s --from now' goes on with the source as it is; an earlier file:offset or GTID set passes over less", d.Topic, d.Detail, d.Topic)
	case store.LostFile:
		return fmt.Sprintf("a file that is needed only if others are damaged: %s; a repair writes it anew, and nothing of it is lost", d.Detail)
	case store.LostIndex:
		if d.Topic == "" {
			return fmt.Sprintf("the names of the topics are damaged (%s); a repair writes them anew, and nothing of them is lost", d.Detail)
		}
		return fmt.Sprintf("%s: the index is damaged (%s); a repair makes it anew, and nothing of it is lost", d.Topic, d.Detail)
	case store.LostLog:
		return fmt.Sprintf("%s; a repair keeps all that can be read, and what is lost is told apart", d.Detail)
	case store.LostTable:
		return fmt.Sprintf("groups and accounts: %s; look at `daybook group list` after the repair", d.Detail)
	}
	return fmt.Sprintf("the data directory cannot be read (%s): restore it from a copy, or move it away and start again from the source", d.Detail)
}
