package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"daybook/admin"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

const (
	tailWait  = 20 // seconds that one request waits for changes
	tailRetry = time.Second
	tailShort = 200     // bytes of a value on a terminal
	tailFull  = 1 << 20 // and elsewhere
)

// tailing is a run of 'daybook tail'.
type tailing struct {
	*remote
	task     string
	q        admin.ChangeQuery
	most     int // changes; 0: any number
	noFollow bool
	full     bool
	color    string

	text  changeText
	shown int
}

func (a *app) tail() *cobra.Command {
	t := &tailing{remote: &remote{app: a, noun: "task"}}
	cmd := &cobra.Command{
		Use:   "tail TASK",
		Short: "Follow a task's changes as people read them",
		Long: `Shows the changes of a task as they come: when, what, which row, and from what to what.
It reads the log of the Daybook that runs with the configuration given by -c, through
its admin API, by a reader of its own: no consumer group is touched. It needs a token
of the role admin, as it shows rows.

--from is earliest, latest (what comes from now on, the default), an offset, a time
(2026-01-31T12:00:00Z), a duration before now (10m), or a GTID (uuid:n of MySQL,
domain-server-n of MariaDB), of which it is the first record.
--table is a pattern as those of a task's objects: shop.orders, shop.*, *.order?; a name
without a dot is of any database.
--key is the row's key: id=7, or 7 for a key of one column; a=1,b=2 for several columns;
a value with a comma is quoted, as in SQL: name='a,b'. Values are compared with what is
shown.

Times are UTC. Binary values are in hexadecimal. On a terminal long values are cut, and it
is told how many bytes are left out; --full shows up to 1 MiB of each. -o json has one
object a line, whatever the values are. A Daybook that restarts is waited for.`,
		Example: "  daybook tail shop\n  daybook tail shop --from 10m --table 'shop.order*' --op update,delete\n  daybook tail shop --from earliest --key id=7 --no-follow\n  daybook tail shop --from earliest --no-follow -o json | jq -c 'select(.op == \"delete\") | .key'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t.task = args[0]
			return t.run(cmd.Context())
		},
	}
	t.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&t.q.From, "from", "", "`place` to begin at; default: latest, with --no-follow earliest")
	f.StringSliceVar(&t.q.Tables, "table", nil, "`pattern` of tables; may be repeated")
	f.StringSliceVar(&t.q.Ops, "op", nil, "insert, update, delete, ddl; several with commas, or repeated")
	f.StringVar(&t.q.Key, "key", "", "the row's `key`: id=7, or 7")
	f.IntVarP(&t.most, "limit", "n", 0, "how many changes at most; default: any number")
	f.BoolVar(&t.noFollow, "no-follow", false, "end where the log ends now")
	f.BoolVar(&t.full, "full", false, "show long values up to 1 MiB")
	f.StringVar(&t.color, "color", "auto", "auto, always or never; NO_COLOR is honoured")
	return cmd
}

func (t *tailing) run(ctx context.Context) error {
	f, isFile := t.app.stdout.(*os.File)
	terminal := isFile && term.IsTerminal(int(f.Fd()))
	switch {
	case t.color != "auto" && t.color != "always" && t.color != "never":
		return &usageError{fmt.Errorf("--color %q is not one of auto, always, never", t.color)}
	case t.most < 0:
		return &usageError{errors.New("-n must be 1 or more")}
	}
	t.text.color = t.color == "always" || t.color == "auto" && isFile && colorful(f)
	t.q.MaxValue = tailFull
	if terminal && !t.full && t.output == asTable {
		t.q.MaxValue = tailShort
	}
	if t.q.From == "" && t.noFollow {
		t.q.From = "earliest"
	}
	return t.call(func(c *admin.Client) error { return t.follow(ctx, c) })
}

// colorful tells whether a file is a terminal that is to show colours.
func colorful(f *os.File) bool {
	return term.IsTerminal(int(f.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// follow shows page after page. Where the next one begins is known from the first
// answer on, so that nothing is missing or comes twice when a Daybook goes and comes.
func (t *tailing) follow(ctx context.Context, c *admin.Client) error {
	t.q.Limit = 1000
	var until int64 = -1
	told := false
	for first := true; ; first = false {
		if t.most > 0 {
			t.q.Limit = min(1000, t.most-t.shown)
		}
		page, err := c.Changes(ctx, t.task, t.q)
		switch {
		case err != nil && !first && passing(err) && ctx.Err() == nil:
			if !told {
				fmt.Fprintf(t.app.stderr, "daybook: %v: trying again, from offset %s\n", err, t.q.From)
			}
			told = true
			if err := sleep(ctx, tailRetry); err != nil {
				return t.ended(err)
			}
			continue
		case err != nil:
			return t.ended(err)
		}
		told = false
		if first && t.noFollow {
			until = page.HighWatermark
		}
		for i := range page.Changes {
			if c := &page.Changes[i]; until < 0 || c.Offset < until {
				if err := t.show(c); err != nil {
					return err
				}
			}
		}
		if t.most > 0 && t.shown >= t.most || until >= 0 && page.Next >= until {
			return nil
		}
		t.q.From = strconv.FormatInt(page.Next, 10)
		if t.q.WaitLimit = tailWait; t.noFollow {
			t.q.WaitLimit = 0
		}
	}
}

// ended makes Ctrl-C the usual end that it is.
func (t *tailing) ended(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// passing tells whether an error is of a Daybook that ends, is gone, or is busy.
func passing(err error) bool {
	var answered *admin.Error
	if errors.As(err, &answered) {
		return answered.Code == admin.CodeTooManyReaders
	}
	return errors.Is(err, admin.ErrUnreachable)
}

func (t *tailing) show(c *admin.Change) error {
	t.shown++
	if t.output != asTable {
		var one bytes.Buffer
		if err := encodeOne(&one, t.output, c); err != nil {
			return err
		}
		text := one.String()
		if t.output == asJSON {
			text = plainJSON(strings.TrimSuffix(text, "\n")) + "\n"
		}
		_, err := io.WriteString(t.app.stdout, text)
		return err
	}
	_, err := fmt.Fprintln(t.app.stdout, t.text.line(c))
	return err
}

// plainJSON has JSON escape what a terminal would obey, which is the same to a program.
func plainJSON(s string) string {
	if strings.IndexFunc(s, unprintable) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if !unprintable(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.String()
}

func unprintable(r rune) bool { return r != joiner && !unicode.IsPrint(r) }
