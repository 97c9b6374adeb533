package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"daybook/auth"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// passwordFlags say where a password comes from: never from the command line,
// which other users of the host can see.
type passwordFlags struct {
	file, env string
	generate  bool
}

func (p *passwordFlags) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.file, "password-file", "", "`file` with the password")
	cmd.Flags().StringVar(&p.env, "password-env", "", "environment `variable` with the password")
	cmd.Flags().BoolVar(&p.generate, "generate", false, "make up a password and print it, once")
}

// read returns the password; without a flag it asks at the terminal.
func (p *passwordFlags) read(ctx context.Context, prompt io.Writer) (string, error) {
	switch {
	case p.file != "" && p.env != "" || p.generate && p.file+p.env != "":
		return "", &usageError{errors.New("give one of --password-file, --password-env and --generate")}
	case p.generate:
		return generatePassword(), nil
	case p.env != "":
		v := os.Getenv(p.env)
		if v == "" {
			return "", &usageError{errors.New("--password-env: there is no environment variable of this name, or it is empty")}
		}
		return v, nil
	case p.file != "":
		b, err := os.ReadFile(p.file)
		if err != nil {
			return "", &usageError{fmt.Errorf("--password-file: %w", withoutPath(err))}
		}
		return strings.TrimRight(string(b), "\r\n"), nil
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return "", &usageError{errors.New("there is no terminal to ask for the password: give --password-file, --password-env or --generate")}
	}
	return askTwice(ctx, prompt)
}

// withoutPath leaves out the file's name: it may be the secret itself.
func withoutPath(err error) error {
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// generatePassword returns one of about 130 bits.
func generatePassword() string {
	for {
		if p := rand.Text(); auth.CheckPassword(p) == nil { // it has letters and digits, nearly always
			return p
		}
	}
}

func askTwice(ctx context.Context, prompt io.Writer) (string, error) {
	first, err := ask(ctx, prompt, "Password: ")
	if err != nil {
		return "", err
	}
	if err := auth.CheckPassword(first); err != nil {
		return "", &usageError{err}
	}
	second, err := ask(ctx, prompt, "Again: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", &usageError{errors.New("the two passwords differ")}
	}
	return first, nil
}

// ask reads a line from the terminal without echo. When ctx ends, the terminal
// shows again what is typed; the reading itself only ends with the process.
func ask(ctx context.Context, prompt io.Writer, text string) (string, error) {
	fd := int(os.Stdin.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", fmt.Errorf("ask for the password: %w", err)
	}
	type line struct {
		text []byte
		err  error
	}
	fmt.Fprint(prompt, text)
	defer fmt.Fprintln(prompt)
	read := make(chan line, 1)
	go func() {
		b, err := term.ReadPassword(fd)
		read <- line{b, err}
	}()
	select {
	case l := <-read:
		if l.err != nil {
			return "", fmt.Errorf("read the password: %w", l.err)
		}
		return string(l.text), nil
	case <-ctx.Done():
		return "", errors.Join(ctx.Err(), term.Restore(fd, before))
	}
}

// made returns the password if it was made up, "" if the user knows it.
func (p *passwordFlags) made(password string) string {
	if p.generate {
		return password
	}
	return ""
}
