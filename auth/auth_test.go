package auth_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

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
			return *who, nil
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
	app := auth.Account{Account: "app", Group: "cache", Topic: "shop", Password: "s3cret"}
	odd := auth.Account{Account: "a-b=,", Group: "=2C-d", Topic: "shop", Password: "p,=\n ß"}
	for _, m := range auth.Mechanisms() {
		r := registry(t, app, odd)
		for _, test := range []struct {
			name, username, password string
			want                     auth.Principal
			err                      error
		}{
			{"right", "app-cache", "s3cret", auth.Principal{Account: "app", Group: "cache", Topic: "shop"}, nil},
			{"right again, from the cache", "app-cache", "s3cret", auth.Principal{Account: "app", Group: "cache", Topic: "shop"}, nil},
			{"dashes and odd bytes", "a-b=,-=2C-d", "p,=\n ß", auth.Principal{Account: "a-b=,", Group: "=2C-d", Topic: "shop"}, nil},
			{"wrong password", "app-cache", "s3cret ", auth.Principal{}, auth.ErrDenied},
			{"another's password", "app-cache", "p,=\n ß", auth.Principal{}, auth.ErrDenied},
			{"unknown name", "app-other", "s3cret", auth.Principal{}, auth.ErrDenied},
			{"no dash", "app", "s3cret", auth.Principal{}, auth.ErrUsernameShape},
			{"no account", "-cache", "s3cret", auth.Principal{}, auth.ErrUsernameShape},
			{"no group", "app-", "s3cret", auth.Principal{}, auth.ErrUsernameShape},
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
	if _, err := login(auth.NewRegistry(), auth.Plain, "app-cache", "any"); !errors.Is(err, auth.ErrDenied) {
		t.Errorf("err = %v, want ErrDenied", err)
	}
}

func TestSetReplaces(t *testing.T) {
	r := registry(t, auth.Account{Account: "app", Group: "cache", Topic: "shop", Password: "old"})
	if _, err := login(r, auth.Plain, "app-cache", "old"); err != nil {
		t.Fatal(err)
	}
	if err := r.Set([]auth.Account{{Account: "app", Group: "cache", Topic: "other", Password: "new"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := login(r, auth.Plain, "app-cache", "old"); !errors.Is(err, auth.ErrDenied) {
		t.Errorf("the old password: err = %v, want ErrDenied", err)
	}
	if p, err := login(r, auth.Plain, "app-cache", "new"); err != nil || p.Topic != "other" {
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
			if _, err := login(r, auth.Plain, "app-cache", "kept"); err != nil {
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
				if _, err := login(r, auth.Plain, "app-cache", "p"); err != nil {
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
