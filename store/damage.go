package store

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
)

// describeRead is describe for reading. What is no error of the operating system's
// is damage, also where Pebble does not say so, and so is a file that cannot be read.
func describeRead(err error) error {
	if err == nil || described(err) {
		return err
	}
	if isUnreadable(err) {
		return fmt.Errorf("%w (%w: mend its permissions or the disk, or repair without it)", ErrCorrupt, inOneLine{err})
	}
	err = describe(err)
	var system syscall.Errno
	if described(err) || errors.As(err, &system) {
		return err
	}
	return fmt.Errorf("%w (%w)", ErrCorrupt, inOneLine{err})
}

// isUnreadable tells whether the operating system does not let a file be read that is
// there, and will not let it the next time: a sector is bad, its owner or mode was changed, something else
// is in its place.
func isUnreadable(err error) bool {
	for _, e := range []error{fs.ErrPermission, syscall.EIO, syscall.EISDIR, syscall.ELOOP, syscall.ENXIO, syscall.EBADMSG} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// beyondRepair is ErrBeyondRepair, and is ErrCorrupt without its advice.
type beyondRepair struct{ cause error }

func (e *beyondRepair) Error() string {
	return fmt.Sprintf("%v (%s)", ErrBeyondRepair, detail(e.cause))
}
func (e *beyondRepair) Unwrap() []error { return []error{ErrBeyondRepair, ErrCorrupt, e.cause} }

// recoverDamage makes a panic of Pebble's an error.
func recoverDamage(err *error) {
	r := recover()
	switch {
	case r == nil:
	case fmt.Sprint(r) == "unknown metadata type: <nil>": // as it says for want of a name
		*err = fmt.Errorf("%w (a value file, *.blob, is gone, or is none any more)", ErrCorrupt)
	default:
		*err = fmt.Errorf("%w (Pebble gave up: %v)", ErrCorrupt, r)
	}
}

// inOneLine is an error of Pebble's, which may have more.
type inOneLine struct{ error }

func (e inOneLine) Error() string {
	text := strings.ReplaceAll(e.error.Error(), "\n<corruption detail carrier>", "")
	return strings.Join(strings.Fields(text), " ")
}

func (e inOneLine) Unwrap() error { return e.error }

// detail is an error in one line, without the advice that all of them have.
func detail(err error) string {
	var beyond *beyondRepair
	if errors.As(err, &beyond) {
		err = beyond.cause
	}
	line := inOneLine{err}.Error()
	for {
		before, after, found := strings.Cut(line, ErrCorrupt.Error())
		if !found {
			return line
		}
		after = strings.TrimPrefix(after, ": ")
		if inner, ok := strings.CutPrefix(after, " ("); ok && strings.HasSuffix(inner, ")") {
			after = strings.TrimSuffix(inner, ")")
		}
		line = before + after
	}
}
