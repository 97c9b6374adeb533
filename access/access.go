// Package access knows who may do what by the admin API: tokens, each with a
// name and a [Role].
//
// The main type is [Registry]. Its tokens are those of files that the configuration
// names, which are read each time, and those that were created while Daybook ran, of
// which a [store.Store] keeps nothing but the SHA-256: they have 256 random bits, so
// that it cannot be turned back.
//
// Guarantees: what a change acknowledges is synced; a token is compared with all that
// there are, in a time that tells nothing of them; no error holds a token.
//
// A Registry may be used by any goroutine once it is open.
package access

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Role is what a token may do: all that those below it may, and more.
type Role string

// The roles, from the least on. Package admin says for each operation which one it needs.
const (
	Viewer   Role = "viewer"   // looks at what there is, without rows and secrets
	Operator Role = "operator" // runs what there is, and leads it on from errors
	Admin    Role = "admin"    // everything
)

// Roles returns all of them, the least first.
func Roles() []Role { return []Role{Viewer, Operator, Admin} }

// Covers tells whether the role may do what needs another one. A role that is none covers none, and none
// covers it.
func (r Role) Covers(least Role) bool {
	mine, wanted := slices.Index(Roles(), r), slices.Index(Roles(), least)
	return mine >= 0 && wanted >= 0 && mine >= wanted
}

// CheckRole tells whether a text is a role's name.
func CheckRole(name string) error {
	if slices.Contains(Roles(), Role(name)) {
		return nil
	}
	return fmt.Errorf("%w: a role is one of viewer, operator, admin", ErrInvalid)
}

const maxName = 64

// CheckName tells whether a token may be called so: 1–64 ASCII letters, digits, '.', '_' and
// '-'. The error holds nothing of the name, which may be a token in the wrong place.
func CheckName(name string) error {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	if name == "" || len(name) > maxName || strings.Trim(name, letters) != "" || name == "." || name == ".." {
		return fmt.Errorf("%w: a token's name has 1–%d letters, digits, '.', '_' and '-', and is neither \".\" nor \"..\"", ErrInvalid, maxName)
	}
	return nil
}

// What a token can be refused for, and a change of the tokens.
var (
	ErrUnknown     = errors.New("there is no such token")
	ErrExpired     = errors.New("the token has expired")
	ErrUnavailable = errors.New("a token file cannot be used") // so it is not known whether it is one
	ErrInvalid     = errors.New("invalid token")
	ErrExists      = errors.New("there is a token of that name already")
	ErrNotFound    = errors.New("there is no token of that name")
	ErrOwnedByFile = errors.New("the token is of the configuration file: change it there")
	ErrTooMany     = errors.New("there are as many tokens as there may be")
)

// Owner tells who decides about a token.
type Owner string

// The owners.
const (
	OwnerFile  Owner = "file"  // the configuration file names its file
	OwnerStore Owner = "store" // it was created while Daybook ran
)

// Info is what may be shown of a token.
type Info struct {
	Name  string
	Role  Role
	Owner Owner
	// Created and Expires are zero for those of files; Expires also for one that does not.
	Created, Expires time.Time
	Used             time.Time // last; zero: not known to have been
	// Problem says why its file lets nobody in; "": it does.
	Problem string
}

func (i *Info) expired(now time.Time) bool { return !i.Expires.IsZero() && !now.Before(i.Expires) }
