// Package auth knows the accounts: who may use which consumer group, and with
// what password.
//
// An [Account] belongs to exactly one consumer group of one topic, and a group
// has one account. Its SASL username is `<account>-<group ID>`, which [Username]
// builds. A [Registry] holds the accounts: those that the configuration file
// declares, and those that were created while Daybook ran, which it keeps in a
// [store.Store]. An [Exchange] is one login under way, by PLAIN (RFC 4616) or
// SCRAM (RFC 5802, RFC 7677), which ends with a [Login]; its [Principal] is the
// only thing that the rest of the system decides by.
//
// Passwords are kept as one salted SCRAM verifier for each hash, never as text;
// PLAIN is checked against the one of SHA-256. An unknown username costs as much
// work as a wrong password and gets the same answers, so that names cannot be
// probed; an address that fails again and again is slowed. Every change of a
// stored account is synced before the call returns. A Registry may be used by
// any number of goroutines once it is open, an Exchange by one.
package auth

import (
	"context"
	"errors"
	"time"
)

// What a login can fail with. Each may be told to the client: it says nothing
// about the accounts that exist.
var (
	// ErrUsernameShape is returned for a username that cannot be of the form
	// `<account>-<group ID>`.
	ErrUsernameShape = errors.New("the SASL username must have the form <account>-<group ID>, " +
		"with an account of 1–16 letters, digits and '_' and a group ID of 1–128 letters, digits, '.', '_' and '-'")
	// ErrDenied is returned for an unknown username and for a wrong password alike.
	ErrDenied = errors.New("unknown username or wrong password")
	// ErrSlowed is returned if the password was not looked at, because too many
	// logins from the same address have failed.
	ErrSlowed = errors.New("too many logins from this address have failed: try again later")
	// ErrMessage is returned for a token that is not what the mechanism says.
	ErrMessage = errors.New("not a message of the SASL mechanism")
)

// What a change of the accounts can fail with, wrapped with what is wrong.
var (
	ErrInvalid     = errors.New("invalid account")
	ErrExists      = errors.New("the group has an account already")
	ErrTooMany     = errors.New("the task has as many groups as it may have")
	ErrNotFound    = errors.New("the group has no account")
	ErrOwnedByFile = errors.New("the group is declared in the configuration file: change it there")
)

// Why [Login.Revoked] is done, as its [context.Cause].
var (
	ErrDeleted         = errors.New("the account was deleted")
	ErrPasswordChanged = errors.New("the password was changed")
)

// Principal is who a connection acts as once it is authenticated: it may use
// Group and read Topic, and nothing else exists for it.
type Principal struct{ Account, Group, Topic string }

// Login is a login that succeeded.
type Login struct {
	Principal
	// Revoked is done when the login must end: the account was deleted, or its
	// password changed and the old connections were to end with it.
	Revoked context.Context
}

// Account is one account with its password in clear text, on its way in.
type Account struct{ Account, Group, Topic, Password string }

// Username returns the SASL username of an account that belongs to a group.
func Username(account, group string) string { return account + "-" + group }

// Owner tells who decides about an account.
type Owner string

// The owners.
const (
	OwnerFile  Owner = "file"  // declared in the configuration file
	OwnerStore Owner = "store" // created while Daybook ran, kept in the store
)

// Info is what may be shown of an account.
type Info struct {
	Account, Group, Topic string
	Owner                 Owner
	// Created and PasswordChanged are zero for those of the file, and in whole
	// milliseconds.
	Created, PasswordChanged time.Time
}
