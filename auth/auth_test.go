package auth_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"daybook/auth"
)

func registry(t *testing.T, accounts ...auth.Account) *auth.Registry {
	t.Helper()
	r := auth.NewRegistry()
	if err := r.Set(accounts); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAuthenticate(t *testing.T) {
	app := auth.Account{Account: "app", Group: "cache", Topic: "shop", Password: "s3cret"}
	dashed := auth.Account{Account: "a-b", Group: "c-d", Topic: "shop", Password: "p\x00ß"}
	r := registry(t, app, dashed)
	for _, test := range []struct {
		name, username, password string
		want                     auth.Principal
		err                      error
	}{
		{"right", "app-cache", "s3cret", auth.Principal{Account: "app", Group: "cache", Topic: "shop"}, nil},
		{"right again, from the cache", "app-cache", "s3cret", auth.Principal{Account: "app", Group: "cache", Topic: "shop"}, nil},
		{"dashes and odd bytes", "a-b-c-d", "p\x00ß", auth.Principal{Account: "a-b", Group: "c-d", Topic: "shop"}, nil},
		{"wrong password", "app-cache", "s3cret ", auth.Principal{}, auth.ErrDenied},
		{"empty password", "app-cache", "", auth.Principal{}, auth.ErrDenied},
		{"another's password", "app-cache", "p\x00ß", auth.Principal{}, auth.ErrDenied},
		{"unknown name", "app-other", "s3cret", auth.Principal{}, auth.ErrDenied},
		{"no dash", "app", "s3cret", auth.Principal{}, auth.ErrUsernameShape},
		{"no account", "-cache", "s3cret", auth.Principal{}, auth.ErrUsernameShape},
		{"no group", "app-", "s3cret", auth.Principal{}, auth.ErrUsernameShape},
		{"empty", "", "", auth.Principal{}, auth.ErrUsernameShape},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := r.Authenticate(test.username, test.password)
			if got != test.want || !errors.Is(err, test.err) {
				t.Errorf("Authenticate(%q, %q) = %+v, %v; want %+v, %v", test.username, test.password, got, err, test.want, test.err)
			}
		})
	}
}

func TestEmptyRegistryDenies(t *testing.T) {
	if _, err := auth.NewRegistry().Authenticate("app-cache", ""); !errors.Is(err, auth.ErrDenied) {
		t.Errorf("err = %v, want ErrDenied", err)
	}
}

func TestSetReplaces(t *testing.T) {
	r := registry(t, auth.Account{Account: "app", Group: "cache", Topic: "shop", Password: "old"})
	if _, err := r.Authenticate("app-cache", "old"); err != nil {
		t.Fatal(err)
	}
	if err := r.Set([]auth.Account{{Account: "app", Group: "cache", Topic: "other", Password: "new"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Authenticate("app-cache", "old"); !errors.Is(err, auth.ErrDenied) {
		t.Errorf("the old password: err = %v, want ErrDenied", err)
	}
	if p, err := r.Authenticate("app-cache", "new"); err != nil || p.Topic != "other" {
		t.Errorf("the new password: %+v, %v", p, err)
	}
}

func TestSetRefuses(t *testing.T) {
	for _, test := range []struct {
		name     string
		accounts []auth.Account
		message  string
	}{
		{"the same pair twice", []auth.Account{{Account: "a", Group: "g"}, {Account: "a", Group: "g"}}, `have the same username "a-g"`},
		{"two pairs that read the same", []auth.Account{{Account: "a-b", Group: "c"}, {Account: "a", Group: "b-c"}}, `have the same username "a-b-c"`},
		{"no account", []auth.Account{{Group: "g"}}, "neither name may be empty"},
		{"no group", []auth.Account{{Account: "a"}}, "neither name may be empty"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := registry(t, auth.Account{Account: "app", Group: "cache", Password: "kept"})
			err := r.Set(test.accounts)
			if err == nil || !strings.Contains(err.Error(), test.message) {
				t.Errorf("Set: %v, want an error with %q", err, test.message)
			}
			if _, err := r.Authenticate("app-cache", "kept"); err != nil {
				t.Errorf("a refused Set changed the accounts: %v", err)
			}
		})
	}
}

func TestConcurrentUse(t *testing.T) {
	accounts := []auth.Account{{Account: "app", Group: "cache", Password: "p"}}
	r := registry(t, accounts...)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				if _, err := r.Authenticate("app-cache", "p"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 5 {
		if err := r.Set(accounts); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
}
