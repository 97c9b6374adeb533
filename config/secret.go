package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	// commandLimit is how long a password_command may take.
	commandLimit = 10 * time.Second
	// maxSecret bounds what a file or a command may give.
	maxSecret = 64 << 10
	// maxSaid bounds what a command may write to its standard error.
	maxSaid = 1 << 20
)

// secret reads a password from where the configuration says it is.
func (l *loader) secret(key, envName, file string) string {
	switch {
	case envName != "" && file != "":
		l.faultf(key+".password_file", "give password_env or password_file, not both")
	case envName != "":
		v, ok := l.env(envName)
		if !ok || v == "" {
			l.faultf(key+".password_env", "there is no environment variable of this name, or it is empty")
		}
		return v
	case file != "":
		s, err := readSecret(file)
		if err != nil {
			l.faultf(key+".password_file", "%v", err)
		}
		return s
	default:
		l.faultf(key, "has no password: name an environment variable in password_env or a file in password_file")
	}
	return ""
}

// sourceSecret sees that a source's password can be had.
func (l *loader) sourceSecret(key string, s *Source) {
	if len(s.PasswordCommand) == 0 {
		s.EnvPassword = l.secret(key, s.PasswordEnv, s.PasswordFile)
		return
	}
	if s.PasswordEnv != "" || s.PasswordFile != "" {
		l.faultf(key+".password_command", "give one of password_env, password_file and password_command")
	}
	if _, err := exec.LookPath(s.PasswordCommand[0]); err != nil {
		l.faultf(key+".password_command", "its first item is no program that can be run: it is not in PATH, or not executable")
	}
}

// Password returns the source's password as it is now: of a file that is read again, or what
// the command gives. Errors name no secret.
func (s *Source) Password(ctx context.Context) (string, error) {
	switch {
	case len(s.PasswordCommand) > 0:
		return runSecret(ctx, s.PasswordCommand)
	case s.PasswordFile != "":
		password, err := readSecret(s.PasswordFile)
		if err != nil {
			return "", fmt.Errorf("password_file: %w", err)
		}
		return password, nil
	}
	return s.EnvPassword, nil
}

func readSecret(file string) (string, error) {
	if f, err := os.Stat(file); err == nil && !f.Mode().IsRegular() { // a pipe would be waited for, for ever
		return "", errors.New("it is no ordinary file (a pipe gives its text once: use password_command)")
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("cannot read the file: %w", unreadable(err))
	}
	return theSecret("the file", b)
}

// theSecret is a file's or an output's text without the end of its line.
func theSecret(of string, b []byte) (string, error) {
	switch s := strings.TrimRight(string(b), "\r\n"); {
	case s == "":
		return "", fmt.Errorf("%s is empty", of)
	case len(s) > maxSecret:
		return "", fmt.Errorf("%s has more than %d bytes", of, maxSecret)
	default:
		return s, nil
	}
}

// runSecret runs a program without a shell. What it writes to its standard error is told,
// as it says what went wrong.
func runSecret(ctx context.Context, command []string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	c := exec.CommandContext(ctx, command[0], command[1:]...)
	c.WaitDelay = time.Second // its children may keep its output open
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGKILL) } // its children too
	out, errs := &limited{keep: maxSecret + 2, left: maxSecret + 2, over: cancel}, &limited{keep: 300, left: maxSaid, over: cancel}
	c.Stdout, c.Stderr = out, errs
	err := c.Run()
	said := strings.TrimSpace(strings.ToValidUTF8(errs.kept.String(), "?"))
	switch {
	case out.kept.Len() > maxSecret:
	case errs.left < 0:
		return "", fmt.Errorf("password_command writes more than %d bytes to its standard error: %q", maxSaid, said)
	case errors.Is(err, exec.ErrWaitDelay): // it has ended well
	case ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "", fmt.Errorf("password_command has not ended within %s", commandLimit)
	case err != nil:
		return "", fmt.Errorf("password_command: %w: %q", err, said)
	}
	return theSecret("what password_command writes", out.kept.Bytes())
}

// limited keeps the first bytes of what is written, and tells as soon as it is more than may be. The
// buffer is not embedded: its ReadFrom would take all that comes.
type limited struct {
	kept       bytes.Buffer
	keep, left int
	over       func()
}

func (l *limited) Write(b []byte) (int, error) {
	n := min(len(b), l.keep)
	l.keep -= n
	_, _ = l.kept.Write(b[:n])
	if l.left -= len(b); l.left < 0 {
		l.left = -1
		l.over()
	}
	return len(b), nil
}
