package auth_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"daybook/auth"
	"daybook/store"
	"daybook/store/storetest"
)

var update = flag.Bool("update", false, "rewrite testdata/stored.txt")

// TestStoredForm pins the bytes of the accounts table: another form needs
// another value format, a reader for this one and another page in
// docs/store-format.md.
func TestStoredForm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // whose clock begins with the year 2000
		s := storetest.Open(t)
		defer storetest.Close(t, s)
		secret := append([]byte{1}, []byte("a secret of exactly 32 bytes ...")...)
		if err := s.Table("accounts").Put([]byte("secret"), secret); err != nil {
			t.Fatal(err)
		}
		r := open(t, s)
		create(t, r, stored)
		time.Sleep(time.Hour)
		if err := r.SetPassword("search", "Stored-2", false); err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for kv, err := range s.Table("accounts").Scan(nil) {
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "%q\n", kv.Key)
			for v := kv.Value; len(v) > 0; v = v[min(32, len(v)):] {
				fmt.Fprintf(&b, "  %x\n", v[:min(32, len(v))])
			}
		}
		const golden = "testdata/stored.txt"
		if *update {
			if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if b.String() != string(want) {
			t.Errorf("got\n%swant\n%s", b.String(), want)
		}
	})
}

func TestDamagedOrNewerEntriesAreRefused(t *testing.T) {
	good := func() []byte {
		s := storetest.Open(t)
		create(t, open(t, s), stored)
		v, _, err := s.Table("accounts").Get([]byte("gsearch"))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}()
	for _, test := range []struct {
		name  string
		entry store.Write
		want  error
		text  string
	}{
		{"newer account", store.Write{Key: []byte("gsearch"), Value: append([]byte{2}, good[1:]...)}, store.ErrNewerFormat, `group "search"`},
		{"newer secret", store.Write{Key: []byte("secret"), Value: append([]byte{2}, make([]byte, 32)...)}, store.ErrNewerFormat, "secret"},
		{"cut short", store.Write{Key: []byte("gsearch"), Value: good[:len(good)-1]}, store.ErrCorrupt, `group "search"`},
		{"text cut short", store.Write{Key: []byte("gsearch"), Value: good[:18]}, store.ErrCorrupt, `group "search"`},
		{"too long", store.Write{Key: []byte("gsearch"), Value: append(good, 0)}, store.ErrCorrupt, `group "search"`},
		{"empty", store.Write{Key: []byte("gsearch"), Value: []byte{}}, store.ErrCorrupt, `group "search"`},
		{"short secret", store.Write{Key: []byte("secret"), Value: []byte{1, 2}}, store.ErrCorrupt, "secret"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := storetest.Open(t)
			if err := s.Table("accounts").Apply([]store.Write{test.entry}); err != nil {
				t.Fatal(err)
			}
			err := auth.New(auth.Options{Store: s}).Open(t.Context())
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("err = %v, want %v with %q", err, test.want, test.text)
			}
		})
	}
}
