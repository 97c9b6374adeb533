package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

const (
	// watchEach is how often a command with --watch looks again.
	watchEach   = time.Second
	clearScreen = "\x1b[H\x1b[2J" // of a terminal's screen
)

// watchable gives a command that shows something --watch: it shows it again whenever it is
// otherwise, in the same place on a terminal, until Ctrl-C. A Daybook that does not answer for
// a while, as in a restart, is waited for.
func (r *remote) watchable(cmd *cobra.Command) *cobra.Command {
	var watch bool
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "go on, and show what has changed, until Ctrl-C")
	once := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !watch {
			return once(cmd, args)
		}
		return r.watch(cmd, func() error { return once(cmd, args) })
	}
	return cmd
}

func (r *remote) watch(cmd *cobra.Command, once func() error) error {
	out := r.app.stdout
	defer func() { r.app.stdout = out }()
	before := ""
	for first := true; ; first = false {
		var shown bytes.Buffer
		r.app.stdout = &shown
		err := once()
		if cmd.Context().Err() != nil {
			return nil
		}
		var exit *exitError
		switch away := errors.As(err, &exit) && exit.code == exitUnreachable; {
		case err == nil || errors.Is(err, errFailed):
		case first || !away:
			return err
		default:
			shown.Reset()
			fmt.Fprintf(&shown, "%v\n", err)
		}
		if now := shown.String(); now != before {
			before = now
			if f, is := out.(*os.File); is && term.IsTerminal(int(f.Fd())) {
				now = clearScreen + now
			}
			if _, err := fmt.Fprint(out, now); err != nil {
				return err
			}
		}
		if sleep(cmd.Context(), watchEach) != nil {
			return nil
		}
	}
}
