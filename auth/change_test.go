package auth_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"daybook/auth"
	"daybook/store/storetest"
)

// stored is an account that tests create.
var stored = auth.Account{Account: "ops", Group: "search", Topic: "shop", Password: "Stored-1"}

func create(t *testing.T, r *auth.Registry, accounts ...auth.Account) {
	t.Helper()
	for _, a := range accounts {
		if _, err := r.Create(a); err != nil {
			t.Fatal(err)
		}
	}
}

// loginOf logs in by PLAIN.
func loginOf(t *testing.T, r *auth.Registry, a auth.Account) *auth.Login {
	t.Helper()
	_, who, err := r.Begin(auth.Plain, host).Step(t.Context(), plainToken(a))
	if err != nil {
		t.Fatal(err)
	}
	return who
}

func plainToken(a auth.Account) []byte {
	return []byte("\x00" + auth.Username(a.Account, a.Group) + "\x00" + a.Password)
}

// wantLogin tries an account by every mechanism.
func wantLogin(t *testing.T, r *auth.Registry, a auth.Account, want error) {
	t.Helper()
	for _, m := range auth.Mechanisms() {
		p, err := login(r, m, auth.Username(a.Account, a.Group), a.Password)
		if !errors.Is(err, want) || err == nil && p != (auth.Principal{Account: a.Account, Group: a.Group, Topic: a.Topic}) {
			t.Errorf("%s login of %s: %+v, %v; want %v", m, a.Group, p, err, want)
		}
	}
}

func TestCreate(t *testing.T) {
	r := registry(t, app)
	i, err := r.Create(stored)
	if err != nil {
		t.Fatal(err)
	}
	want := auth.Info{
		Account: "ops", Group: "search", Topic: "shop", Owner: auth.OwnerStore,
		Created: i.Created, PasswordChanged: i.Created,
	}
	if i != want || i.Created.IsZero() {
		t.Errorf("got %+v, want %+v", i, want)
	}
	if got, ok := r.Info("search"); !ok || got != want {
		t.Errorf("Info: %+v, %v", got, ok)
	}
	file := auth.Info{Account: "app", Group: "cache", Topic: "shop", Owner: auth.OwnerFile}
	if got := r.List(); !reflect.DeepEqual(got, []auth.Info{file, want}) {
		t.Errorf("List: %+v", got)
	}
	if _, ok := r.Info("other"); ok {
		t.Error("Info of a group without account")
	}
	wantLogin(t, r, stored, nil)
	wantLogin(t, r, app, nil)
}

func TestListIsInOrder(t *testing.T) {
	r := registry(t, auth.Account{Account: "a", Group: "m", Topic: "shop", Password: "Stored-1"})
	for _, g := range []string{"shop/z", "bank/b", "shop/a", "bank/a"} {
		topic, group, _ := strings.Cut(g, "/")
		create(t, r, auth.Account{Account: "a", Group: topic + group, Topic: topic, Password: "Stored-1"})
	}
	var got []string
	for _, i := range r.List() {
		got = append(got, i.Topic+"/"+i.Group)
	}
	if want := "[bank/banka bank/bankb shop/m shop/shopa shop/shopz]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestCreateRefuses(t *testing.T) {
	long := strings.Repeat("g", 129)
	for _, test := range []struct {
		name string
		a    auth.Account
		want error
		text string
	}{
		{"a group of the file", auth.Account{Account: "x", Group: "cache", Topic: "bank", Password: "Stored-1"}, auth.ErrExists, "task shop"},
		{"a stored group", auth.Account{Account: "x", Group: "search", Topic: "shop", Password: "Stored-1"}, auth.ErrExists, "task shop"},
		{"account", auth.Account{Account: "x-y", Group: "g", Topic: "shop", Password: "Stored-1"}, auth.ErrInvalid, `group "g": an account has 1–16`},
		{"group", auth.Account{Account: "x", Group: long, Topic: "shop", Password: "Stored-1"}, auth.ErrInvalid, "a group ID has 1–128"},
		{"password", auth.Account{Account: "x", Group: "g", Topic: "shop", Password: "Short-1"}, auth.ErrInvalid, "7 characters"},
		{"no task", auth.Account{Account: "x", Group: "g", Password: "Stored-1"}, auth.ErrInvalid, "no task"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := registry(t, app)
			create(t, r, stored)
			before := r.List()
			_, err := r.Create(test.a)
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) || strings.Contains(err.Error(), test.a.Password) {
				t.Errorf("err = %v, want %v with %q", err, test.want, test.text)
			}
			if !reflect.DeepEqual(r.List(), before) {
				t.Errorf("it changed the accounts: %+v", r.List())
			}
		})
	}
}

func TestGroupsOfATaskAreLimited(t *testing.T) {
	r := registry(t, app)
	for n := range 19 {
		create(t, r, auth.Account{Account: "a", Group: fmt.Sprint("g", n), Topic: "shop", Password: "Stored-1"})
	}
	more := auth.Account{Account: "a", Group: "more", Topic: "shop", Password: "Stored-1"}
	if _, err := r.Create(more); !errors.Is(err, auth.ErrTooMany) || !strings.Contains(err.Error(), "task shop has 20") {
		t.Errorf("err = %v, want ErrTooMany", err)
	}
	create(t, r, auth.Account{Account: "a", Group: "bank", Topic: "bank", Password: "Stored-1"})
	if err := r.Delete("g7"); err != nil {
		t.Fatal(err)
	}
	create(t, r, more)
}

func TestSetPassword(t *testing.T) {
	r := registry(t, app)
	create(t, r, stored)
	first := loginOf(t, r, stored)
	second := stored
	second.Password = "Stored-2"
	if err := r.SetPassword("search", second.Password, false); err != nil {
		t.Fatal(err)
	}
	wantLogin(t, r, stored, auth.ErrDenied)
	wantLogin(t, r, second, nil)
	if err := first.Revoked.Err(); err != nil {
		t.Errorf("a login from before has ended: %v", err)
	}
	third := stored
	third.Password = "Stored-3"
	middle := loginOf(t, r, second)
	if err := r.SetPassword("search", third.Password, true); err != nil {
		t.Fatal(err)
	}
	for _, l := range []*auth.Login{first, middle} {
		if context.Cause(l.Revoked) != auth.ErrPasswordChanged {
			t.Errorf("a login from before: %v, want that it ended", context.Cause(l.Revoked))
		}
	}
	if now := loginOf(t, r, third); now.Revoked.Err() != nil {
		t.Error("a login with the new password has ended")
	}
	i, _ := r.Info("search")
	if i.PasswordChanged.Before(i.Created) {
		t.Errorf("%+v", i)
	}
}

func TestDelete(t *testing.T) {
	r := registry(t, app)
	create(t, r, stored)
	l := loginOf(t, r, stored)
	if err := r.Delete("search"); err != nil {
		t.Fatal(err)
	}
	if context.Cause(l.Revoked) != auth.ErrDeleted {
		t.Errorf("its login: %v, want that it ended", context.Cause(l.Revoked))
	}
	wantLogin(t, r, stored, auth.ErrDenied)
	if _, ok := r.Info("search"); ok {
		t.Error("it is still shown")
	}
	again := stored
	again.Topic, again.Password = "bank", "Again-123"
	create(t, r, again)
	wantLogin(t, r, again, nil)
}

func TestChangesOfOthersAreRefused(t *testing.T) {
	r := registry(t, app)
	create(t, r, stored)
	for _, test := range []struct {
		name string
		err  error
		want error
	}{
		{"password of the file's", r.SetPassword("cache", "Stored-2", true), auth.ErrOwnedByFile},
		{"deletion of the file's", r.Delete("cache"), auth.ErrOwnedByFile},
		{"password of nobody's", r.SetPassword("none", "Stored-2", true), auth.ErrNotFound},
		{"deletion of nobody's", r.Delete("none"), auth.ErrNotFound},
		{"bad password", r.SetPassword("search", "stored", true), auth.ErrInvalid},
	} {
		if !errors.Is(test.err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, test.err, test.want)
		}
	}
	wantLogin(t, r, app, nil)
	wantLogin(t, r, stored, nil)
}

func TestSetFile(t *testing.T) {
	kept := auth.Account{Account: "app", Group: "kept", Topic: "shop", Password: "Kept-123"}
	changed := auth.Account{Account: "app", Group: "changed", Topic: "shop", Password: "Changed-1"}
	moved := auth.Account{Account: "app", Group: "moved", Topic: "shop", Password: "Moved-123"}
	gone := auth.Account{Account: "app", Group: "gone", Topic: "shop", Password: "Gone-123"}
	r := registry(t, kept, changed, moved, gone)
	create(t, r, stored)
	logins := map[string]*auth.Login{}
	for _, a := range []auth.Account{kept, changed, moved, gone, stored} {
		logins[a.Group] = loginOf(t, r, a)
	}
	old := changed
	changed.Password = "Changed-2"
	moved.Topic = "bank"
	if err := r.SetFile([]auth.Account{kept, changed, moved}); err != nil {
		t.Fatal(err)
	}
	for group, want := range map[string]error{
		"kept": nil, "changed": nil, "search": nil, "moved": auth.ErrDeleted, "gone": auth.ErrDeleted,
	} {
		if got := context.Cause(logins[group].Revoked); got != want {
			t.Errorf("login of %s: %v, want %v", group, got, want)
		}
	}
	wantLogin(t, r, kept, nil)
	wantLogin(t, r, changed, nil)
	wantLogin(t, r, old, auth.ErrDenied)
	wantLogin(t, r, moved, nil)
	wantLogin(t, r, gone, auth.ErrDenied)
	wantLogin(t, r, stored, nil)
}

func TestSetFileRefuses(t *testing.T) {
	for _, test := range []struct {
		name     string
		accounts []auth.Account
		want     error
		message  string
	}{
		{"a group twice", []auth.Account{
			{Account: "a", Group: "g", Topic: "shop", Password: "Stored-1"},
			{Account: "b", Group: "g", Topic: "bank", Password: "Stored-1"},
		}, auth.ErrExists, `group "g" is declared twice in the configuration file, for tasks shop and bank`},
		{"a stored group", []auth.Account{
			{Account: "a", Group: "search", Topic: "bank", Password: "Stored-1"},
		}, auth.ErrExists, "group \"search\" of task shop was created by `daybook group create`, and the configuration file declares it too: " +
			"take it out of the file, or start without it there, run `daybook group delete search`, and put it in again"},
		{"a bad name", []auth.Account{{Account: "a-b", Group: "g", Topic: "shop", Password: "Stored-1"}}, auth.ErrInvalid, `group "g": an account has 1–16`},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := registry(t, app)
			create(t, r, stored)
			if err := r.SetFile(test.accounts); !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.message) {
				t.Errorf("SetFile: %v, want an error with %q", err, test.message)
			}
			wantLogin(t, r, app, nil)
			wantLogin(t, r, stored, nil)
		})
	}
}

// A login that is half way when its account changes does not get in by the old
// password; one of an account that stays as it was does.
func TestChangeDuringALogin(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*auth.Registry) error
		want   error
	}{
		{"new password", func(r *auth.Registry) error { return r.SetPassword("search", "Stored-2", false) }, auth.ErrDenied},
		{"deletion", func(r *auth.Registry) error { return r.Delete("search") }, auth.ErrDenied},
		{"another's deletion", func(r *auth.Registry) error { return r.Delete("other") }, nil},
		{"the file's accounts", func(r *auth.Registry) error { return r.SetFile([]auth.Account{app}) }, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := registry(t, app)
			other := stored
			other.Group = "other"
			create(t, r, stored, other)
			finish := halfWay(t, r, stored)
			fileFinish := halfWay(t, r, app)
			if err := test.change(r); err != nil {
				t.Fatal(err)
			}
			if err := finish(); !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
			if err := fileFinish(); err != nil {
				t.Errorf("the file's account: %v", err)
			}
		})
	}
}

// halfWay begins a login by SCRAM; finish ends it.
func halfWay(t *testing.T, r *auth.Registry, a auth.Account) (finish func() error) {
	t.Helper()
	session, first, err := client(auth.ScramSHA256, auth.Username(a.Account, a.Group), a.Password).Authenticate(t.Context(), "broker")
	if err != nil {
		t.Fatal(err)
	}
	x := r.Begin(auth.ScramSHA256, host)
	answer, _, err := x.Step(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	_, final, err := session.Challenge(answer)
	if err != nil {
		t.Fatal(err)
	}
	return func() error {
		_, who, err := x.Step(t.Context(), final)
		if (who == nil) == (err == nil) {
			t.Errorf("login %v and error %v", who, err)
		}
		return err
	}
}

// Changes at the same time as logins: a login gets in by a password that was
// the account's while it ran, and one that began by an ended password ends.
func TestConcurrentChanges(t *testing.T) {
	r := open(t, storetest.Open(t))
	var wg sync.WaitGroup
	for n := range 3 {
		a := auth.Account{Account: "ops", Group: fmt.Sprint("g", n), Topic: "shop", Password: "Stored-1"}
		var done atomic.Bool
		wg.Go(func() {
			defer done.Store(true)
			for range 5 {
				create(t, r, a)
				if err := r.SetPassword(a.Group, "Stored-2", true); err != nil {
					t.Error(err)
				}
				if err := r.Delete(a.Group); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for n := 0; !done.Load(); n++ {
				x := r.Begin(auth.Plain, fmt.Sprint(a.Group, n))
				_, who, err := x.Step(t.Context(), plainToken(a))
				switch {
				case err == nil:
					select {
					case <-who.Revoked.Done(): // by the new password, or the deletion
					case <-time.After(time.Minute):
						t.Error("a login by the password before does not end")
					}
				case !errors.Is(err, auth.ErrDenied):
					t.Error(err)
				}
				r.List()
			}
		})
	}
	wg.Wait()
	if l := r.List(); len(l) != 0 {
		t.Errorf("left: %+v", l)
	}
}
