package auth_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/sasl"

	"daybook/auth"
	"daybook/store/storetest"
)

// The time until a login is refused does not tell whether the name exists: it
// is that of one PBKDF2 with PLAIN, and of a few hashes with SCRAM. Without one
// it would be a hundredth.
func TestDenialsTakeTheSameTime(t *testing.T) {
	s := storetest.Open(t)
	first := open(t, s)
	fresh, gone := stored, stored
	fresh.Group, gone.Group = "fresh", "gone"
	create(t, first, stored, gone)
	if err := first.Delete("gone"); err != nil {
		t.Fatal(err)
	}
	r := open(t, s) // after a restart
	if err := r.SetFile([]auth.Account{app}); err != nil {
		t.Fatal(err)
	}
	create(t, r, fresh)
	wantLogin(t, r, app, nil)    // so that the right passwords
	wantLogin(t, r, stored, nil) // need no PBKDF2 any more

	names := []string{"ops-nobody", "ops-gone", "app-search", "app-cache", "ops-search", "ops-fresh"}
	for _, m := range auth.Mechanisms() {
		took := map[string][]time.Duration{}
		for round := range 25 {
			for _, name := range names {
				x := r.Begin(m, fmt.Sprint(m, name, round)) // from an address that owes nothing
				took[name] = append(took[name], denial(t, x, client(m, name, "Wrong-123")))
			}
		}
		var least []time.Duration // which a busy machine disturbs least
		for _, name := range names {
			least = append(least, slices.Min(took[name]))
		}
		t.Logf("%s: %v", m, least)
		if slices.Max(least) > 3*slices.Min(least) {
			t.Errorf("%s: refused after %v; of %v", m, least, names)
		}
	}
}

// denial plays an exchange that fails and returns the time it took the server.
func denial(t *testing.T, x *auth.Exchange, m sasl.Mechanism) (took time.Duration) {
	t.Helper()
	session, token, err := m.Authenticate(t.Context(), "broker")
	for err == nil {
		start := time.Now()
		answer, who, stepErr := x.Step(t.Context(), token)
		took += time.Since(start)
		if errors.Is(stepErr, auth.ErrDenied) {
			return took
		}
		if stepErr != nil || who != nil {
			t.Fatalf("%v, %v; want ErrDenied", who, stepErr)
		}
		_, token, err = session.Challenge(answer)
	}
	t.Fatal(err)
	return 0
}
