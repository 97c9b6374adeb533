package auth_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"daybook/auth"
)

// plainly logs in by PLAIN from an address.
func plainly(ctx context.Context, r *auth.Registry, address, username, password string) error {
	_, _, err := r.Begin(auth.Plain, address).Step(ctx, []byte("\x00"+username+"\x00"+password))
	return err
}

// guess tries passwords from an address, many at a time, for a while, and
// returns how many were looked at.
func guess(r *auth.Registry, address, username string, atOnce int, d time.Duration) int64 {
	var checked atomic.Int64
	var wg sync.WaitGroup
	end := time.Now().Add(d)
	for i := range atOnce {
		wg.Go(func() {
			for n := 0; time.Now().Before(end); n++ {
				err := plainly(context.Background(), r, address, username, fmt.Sprint("guess ", i, n))
				if errors.Is(err, auth.ErrDenied) {
					checked.Add(1)
				}
				time.Sleep(500 * time.Millisecond) // as the broker does after a failure
			}
		})
	}
	wg.Wait()
	return checked.Load()
}

// Ten failures are free, then one in two seconds is looked at, however many
// are tried at once, and whether the name exists or not.
func TestGuessingIsSlowed(t *testing.T) {
	for _, username := range []string{"app-cache", "app-nobody"} {
		for _, atOnce := range []int{1, 50} {
			t.Run(fmt.Sprint(username, " ", atOnce, " at once"), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					got := guess(registry(t, app), "192.0.2.1", username, atOnce, time.Minute)
					if got < 30 || got > 10+60/2+6 { // six more while the last ones end
						t.Errorf("%d passwords looked at in a minute", got)
					}
				})
			})
		}
	}
}

func TestWhoGuessesSlowsOnlyHimself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		r := registry(t, app)
		if err := plainly(ctx, r, "192.0.2.1", "app-cache", app.Password); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		wg.Go(func() { guess(r, "192.0.2.1", "app-nobody", 20, time.Minute) })
		time.Sleep(30 * time.Second)
		for name, address := range map[string]string{"who was here before": "192.0.2.1", "another address": "192.0.2.2"} {
			start := time.Now()
			if err := plainly(ctx, r, address, "app-cache", app.Password); err != nil || time.Since(start) > 0 {
				t.Errorf("%s: %v after %v", name, err, time.Since(start))
			}
		}
		wg.Wait()
		// It is over soon after the guessing is.
		time.Sleep(2 * time.Second)
		if err := plainly(ctx, r, "192.0.2.1", "app-new", "x"); !errors.Is(err, auth.ErrDenied) {
			t.Errorf("later: %v", err)
		}
	})
}

// One client holds a /64 of IPv6; and IPv4 may come in either form.
func TestAddressesCountedTogether(t *testing.T) {
	for _, test := range []struct {
		a, b     string
		together bool
	}{
		{"2001:db8::1", "2001:db8::ffff:1:2:3", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx := context.Background()
			r := registry(t, app)
			for range 10 {
				if err := plainly(ctx, r, test.a, "app-cache", "wrong"); !errors.Is(err, auth.ErrDenied) {
					t.Fatal(err)
				}
			}
			start := time.Now()
			if err := plainly(ctx, r, test.b, "app-cache", app.Password); err != nil || (time.Since(start) > 0) != test.together {
				t.Errorf("%s after %s: %v after %v", test.b, test.a, err, time.Since(start))
			}
		})
	}
}

func TestWaitingEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := registry(t, app)
		for range 10 {
			plainly(context.Background(), r, host, "app-cache", "wrong")
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		start := time.Now()
		if err := plainly(ctx, r, host, "app-cache", app.Password); !errors.Is(err, auth.ErrSlowed) || time.Since(start) != time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}
