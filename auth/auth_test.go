package auth_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"daybook/auth"
	"daybook/store"
	"daybook/store/storetest"
)

func registry(t testing.TB, accounts ...auth.Account) *auth.Registry {
	t.Helper()
	r := open(t, storetest.Open(t))
	if err := r.SetFile(accounts); err != nil {
		t.Fatal(err)
	}
	return r
}

// open returns a registry on a store.
func open(t testing.TB, s *store.Store) *auth.Registry {
	t.Helper()
	r := auth.New(auth.Options{Store: s, Logger: slog.New(slog.DiscardHandler)})
	if err := r.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return r
}

const host = "192.0.2.1"

// login plays a whole exchange, with franz-go's client.
func login(r *auth.Registry, m auth.Mechanism, username, password string) (auth.Principal, error) {
	ctx := context.Background()
	session, token, err := client(m, username, password).Authenticate(ctx, "broker")
	if err != nil {
		return auth.Principal{}, err
	}
	x := r.Begin(m, host)
	for {
		answer, who, err := x.Step(ctx, token)
		if err != nil {
			return auth.Principal{}, err
		}
		done := false
		if len(answer) > 0 { // PLAIN has none
			if done, token, err = session.Challenge(answer); err != nil {
				return auth.Principal{}, fmt.Errorf("client: %w", err)
			}
		}
		if who != nil {
			if m != auth.Plain && !done {
				return auth.Principal{}, errors.New("the client waits for more")
			}
			return who.Principal, nil
		}
	}
}

func client(m auth.Mechanism, username, password string) sasl.Mechanism {
	switch m {
	case auth.ScramSHA256:
		return scram.Auth{User: username, Pass: password}.AsSha256Mechanism()
	case auth.ScramSHA512:
		return scram.Auth{User: username, Pass: password}.AsSha512Mechanism()
	}
	return plain.Auth{User: username, Pass: password}.AsMechanism()
}

func TestLogin(t *testing.T) {
	odd := auth.Account{Account: "A_1", Group: "x-y.z_", Topic: "shop", Password: "p,=ß \u00e9\u05d0\U0001F512"}
	for _, m := range auth.Mechanisms() {
		r := registry(t, app, odd)
		for _, test := range []struct {
			name, username, password string
			want                     auth.Principal
			err                      error
		}{
			{"right", "app-cache", app.Password, auth.Principal{Account: "app", Group: "cache", Topic: "shop"}, nil},
			{"right again, from the cache", "app-cache", app.Password, auth.Principal{Account: "app", Group: "cache", Topic: "shop"}, nil},
			{"dashes and odd characters", "A_1-x-y.z_", odd.Password, auth.Principal{Account: "A_1", Group: "x-y.z_", Topic: "shop"}, nil},
			{"wrong password", "app-cache", app.Password + " ", auth.Principal{}, auth.ErrDenied},
			{"another's password", "app-cache", odd.Password, auth.Principal{}, auth.ErrDenied},
			{"unknown group", "app-other", app.Password, auth.Principal{}, auth.ErrDenied},
			{"another account of the group", "apq-cache", app.Password, auth.Principal{}, auth.ErrDenied},
			{"no dash", "app", app.Password, auth.Principal{}, auth.ErrUsernameShape},
			{"no account", "-cache", app.Password, auth.Principal{}, auth.ErrUsernameShape},
			{"no group", "app-", app.Password, auth.Principal{}, auth.ErrUsernameShape},
			{"account too long", "a0123456789012345-cache", app.Password, auth.Principal{}, auth.ErrUsernameShape},
			{"group too long", "app-" + strings.Repeat("g", 129), app.Password, auth.Principal{}, auth.ErrUsernameShape},
			{"longest names", "a012345678901234-" + strings.Repeat("g", 128), app.Password, auth.Principal{}, auth.ErrDenied},
			{"characters that an account cannot have", "a.p-cache", app.Password, auth.Principal{}, auth.ErrUsernameShape},
			{"characters that a group cannot have", "app-c\u00e4che", app.Password, auth.Principal{}, auth.ErrUsernameShape},
		} {
			t.Run(string(m)+"/"+test.name, func(t *testing.T) {
				got, err := login(r, m, test.username, test.password)
				if got != test.want || !errors.Is(err, test.err) {
					t.Errorf("login of %q with %q = %+v, %v; want %+v, %v", test.username, test.password, got, err, test.want, test.err)
				}
			})
		}
	}
}

func TestEmptyRegistryDenies(t *testing.T) {
	if _, err := login(registry(t), auth.Plain, "app-cache", "any"); !errors.Is(err, auth.ErrDenied) {
		t.Errorf("err = %v, want ErrDenied", err)
	}
}

func TestConcurrentLogins(t *testing.T) {
	accounts := []auth.Account{app}
	r := registry(t, accounts...)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				if _, err := login(r, auth.Plain, "app-cache", app.Password); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 5 {
		if err := r.SetFile(accounts); err != nil {
			t.Fatal(err)
		}
	}
	wg.Wait()
}
