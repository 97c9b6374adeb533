package auth

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

const (
	maxAccount  = 16
	maxGroup    = 128
	minPassword = 8 // characters
	maxPassword = 128
)

// CheckAccount tells whether name can be an account's: 1–16 ASCII letters,
// digits and '_'. It has no dash, so a SASL username reads in one way only. The
// error holds nothing of the name, which may be a password in the wrong place.
func CheckAccount(name string) error {
	if !isName(name, maxAccount, "_") {
		return errors.New("an account has 1–16 letters, digits and '_'")
	}
	return nil
}

// CheckGroup tells whether id can be a group ID: 1–128 ASCII letters, digits,
// '.', '_' and '-'. "." and ".." are none, as they are no topics of Kafka's:
// they cannot stand in a URL's path, by which the administrator names groups. The
// error holds nothing of the ID.
func CheckGroup(id string) error {
	if !isName(id, maxGroup, "._-") || id == "." || id == ".." {
		return errors.New("a group ID has 1–128 letters, digits, '.', '_' and '-', and is neither \".\" nor \"..\"")
	}
	return nil
}

func isName(s string, limit int, others string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return 0 < len(s) && len(s) <= limit
}

// CheckPassword tells whether a password is one that can be had: 8–128
// characters of at least two of the classes upper case, lower case, digit and
// other. The error holds nothing of the password.
//
// Some clients prepare a password for SCRAM with SASLprep (RFC 4013) and others
// send it as it is. One that SASLprep would change is refused, since it would be
// right for some clients and wrong for others.
func CheckPassword(password string) error {
	if !utf8.ValidString(password) {
		return errors.New("the password is not UTF-8")
	}
	if n := utf8.RuneCountInString(password); n < minPassword || n > maxPassword {
		return fmt.Errorf("the password has %d characters: %d–%d are allowed", n, minPassword, maxPassword)
	}
	var upper, lower, digit, other int
	at := 0
	for _, c := range password {
		at++
		switch {
		case !unicode.IsPrint(c) || vanishes(c):
			return fmt.Errorf("character %d of the password is not a printable one", at)
		case unicode.IsUpper(c):
			upper = 1
		case unicode.IsLower(c):
			lower = 1
		case unicode.IsDigit(c):
			digit = 1
		default:
			other = 1
		}
	}
	if upper+lower+digit+other < 2 {
		return errors.New("the password has characters of one kind only: mix upper case, lower case, digits and others")
	}
	if !norm.NFKC.IsNormalString(password) {
		return errors.New("the password has characters that clients write in different ways: give it in Unicode's form NFKC")
	}
	return nil
}

// vanishes tells whether SASLprep drops a character that counts as printable:
// RFC 3454, table B.1.
func vanishes(c rune) bool {
	return unicode.Is(unicode.Variation_Selector, c) || c == 0x034F || c == 0x1806
}

// check checks all that an account needs.
func (a Account) check() error {
	topic := error(nil)
	if a.Topic == "" {
		topic = errors.New("it belongs to no task")
	}
	for _, err := range []error{CheckGroup(a.Group), CheckAccount(a.Account), topic, CheckPassword(a.Password)} {
		if err != nil {
			return fmt.Errorf("%w: group %q: %w", ErrInvalid, a.Group, err)
		}
	}
	return nil
}
