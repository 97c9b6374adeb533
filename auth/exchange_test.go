package auth_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"daybook/auth"
)

var app = auth.Account{Account: "app", Group: "cache", Topic: "shop", Password: "s3cret-word"}

// begin returns an exchange after its first message, and the answer.
func begin(t *testing.T, r *auth.Registry, m auth.Mechanism, first string) (*auth.Exchange, string, error) {
	t.Helper()
	x := r.Begin(m, host)
	answer, who, err := x.Step(t.Context(), []byte(first))
	if m != auth.Plain && who != nil {
		t.Errorf("%q: a login after one message", first)
	}
	return x, string(answer), err
}

func TestPlainTokens(t *testing.T) {
	for _, test := range []struct {
		token string
		err   error
	}{
		{"\x00app-cache\x00s3cret-word", nil},
		{"app-cache\x00app-cache\x00s3cret-word", nil},
		{"app-other\x00app-cache\x00s3cret-word", auth.ErrMessage},
		{"\x00app-cache\x00", auth.ErrDenied},
		{"\x00\x00", auth.ErrUsernameShape},
		{"", auth.ErrMessage},
		{"\x00app-cache", auth.ErrMessage},
		{"\x00app-cache\x00s3cret-word\x00", auth.ErrMessage},
	} {
		x := registry(t, app).Begin(auth.Plain, host)
		if _, _, err := x.Step(t.Context(), []byte(test.token)); !errors.Is(err, test.err) {
			t.Errorf("%q: %v, want %v", test.token, err, test.err)
		}
		if _, who, err := x.Step(t.Context(), []byte("\x00app-cache\x00s3cret-word")); who != nil || err == nil {
			t.Errorf("%q: the exchange goes on after its end", test.token)
		}
	}
}

func TestScramFirstMessages(t *testing.T) {
	r := registry(t, app)
	for _, test := range []struct {
		message  string
		username string
		err      error
	}{
		{"n,,n=app-cache,r=abc", "app-cache", nil},
		{"y,,n=app-cache,r=abc", "app-cache", nil},
		{"n,,n=app-cache,r=abc,tokenauth=false,x=y", "app-cache", nil},
		{"n,a=app-cache,n=app-cache,r=abc", "app-cache", nil},
		{"n,a=a=3D-b=2Cc,n=a=3D-b=2Cc,r=abc", "a=-b,c", auth.ErrUsernameShape},
		{"n,,n=nobody-here,r=abc", "nobody-here", nil}, // told at the end only
		{"n,,n=nobody,r=abc", "nobody", auth.ErrUsernameShape},
		{"n,a=app-other,n=app-cache,r=abc", "app-cache", auth.ErrMessage},
		{"n,x=app-cache,n=app-cache,r=abc", "", auth.ErrMessage},
		{"p=tls-unique,,n=app-cache,r=abc", "", auth.ErrMessage},
		{"z,,n=app-cache,r=abc", "", auth.ErrMessage},
		{"n,,m=ext,n=app-cache,r=abc", "", auth.ErrMessage},
		{"n,,n=app=2c-cache,r=abc", "", auth.ErrMessage},
		{"n,,n=app=-cache,r=abc", "", auth.ErrMessage},
		{"n,,n=,r=abc", "", auth.ErrMessage},
		{"n,,n=app-cache,r=", "app-cache", auth.ErrMessage},
		{"n,,n=app-cache,r=a\x7f", "app-cache", auth.ErrMessage},
		{"n,,n=app-cache", "", auth.ErrMessage},
		{"n,,r=abc,n=app-cache", "", auth.ErrMessage},
		{"n,n=app-cache,r=abc", "", auth.ErrMessage},
		{"n,,", "", auth.ErrMessage},
		{"n", "", auth.ErrMessage},
		{"", "", auth.ErrMessage},
	} {
		x, answer, err := begin(t, r, auth.ScramSHA256, test.message)
		if !errors.Is(err, test.err) {
			t.Errorf("%q: %v, want %v", test.message, err, test.err)
		}
		if test.err == nil && (!strings.HasPrefix(answer, "r=abc") || !strings.HasSuffix(answer, ",i=4096") || x.Username() != test.username) {
			t.Errorf("%q: user %q, answer %q", test.message, x.Username(), answer)
		}
	}
}

// Whatever follows the first message wrongly ends the exchange; so does a
// second try after it.
func TestScramFinalMessages(t *testing.T) {
	proof := ",p=" + base64.StdEncoding.EncodeToString(make([]byte, 32))
	for _, test := range []struct {
		message string // NONCE stands for the right one
		err     error
	}{
		{"c=biws,r=NONCE" + proof, auth.ErrDenied},
		{"c=biws,r=NONCE,x=y" + proof, auth.ErrDenied},
		{"c=biws,r=abcNONCE" + proof, auth.ErrDenied}, // as old librdkafka
		{"c=biws,r=NONCE,p=AAAA", auth.ErrDenied},
		{"c=biws,r=NONCE,p=", auth.ErrDenied},
		{"c=eSws,r=NONCE" + proof, auth.ErrMessage}, // y,,
		{"c=,r=NONCE" + proof, auth.ErrMessage},
		{"c=biws,r=NONCEx" + proof, auth.ErrMessage},
		{"c=biws,r=xNONCE" + proof, auth.ErrMessage},
		{"c=biws,r=abc" + proof, auth.ErrMessage},
		{"c=bi\nws,r=NONCE" + proof, auth.ErrMessage},
		{"c=biws,r=NONCE,p=A", auth.ErrMessage},
		{"c=biws,r=NONCE,p=AA\n==", auth.ErrMessage},
		{"r=NONCE,c=biws" + proof, auth.ErrMessage},
		{"c=biws,r=NONCE", auth.ErrMessage},
		{"c=biws" + proof, auth.ErrMessage},
		{proof, auth.ErrMessage},
		{"", auth.ErrMessage},
	} {
		x, first, err := begin(t, registry(t, app), auth.ScramSHA256, "n,,n=app-cache,r=abc")
		if err != nil {
			t.Fatal(err)
		}
		nonce, _, _ := strings.Cut(strings.TrimPrefix(first, "r="), ",")
		for range 2 {
			if _, who, err := x.Step(t.Context(), []byte(strings.ReplaceAll(test.message, "NONCE", nonce))); who != nil || !errors.Is(err, test.err) {
				t.Errorf("%q: %v, %v, want %v", test.message, who, err, test.err)
			}
			test.err = auth.ErrMessage
		}
	}
}

// What SCRAM tells before the proof looks the same, and stays the same,
// whether a name exists or not; so it does when accounts are set again.
func TestScramDoesNotTellNames(t *testing.T) {
	r := registry(t, app)
	salt := func(name string) string {
		_, answer, err := begin(t, r, auth.ScramSHA512, "n,,n="+name+",r=abc")
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(answer, ",s=")
		return rest
	}
	known, unknown := salt("app-cache"), salt("app-nobody")
	if len(known) != len(unknown) || known == unknown {
		t.Errorf("salts %q and %q", known, unknown)
	}
	if err := r.SetFile([]auth.Account{{Account: "app", Group: "cache", Topic: "shop", Password: "another-word"}}); err != nil {
		t.Fatal(err)
	}
	if salt("app-cache") != known || salt("app-nobody") != unknown {
		t.Error("the salts have changed")
	}
}

// FuzzScram: no pair of messages logs in without the password, and nothing but
// this package's errors comes of them.
func FuzzScram(f *testing.F) {
	f.Add("n,,n=app-cache,r=abc", "c=biws,r=NONCE,p=AAAA")
	f.Add("y,a=a=3D-b=2Cc,n=a=3D-b=2Cc,r=abc,tokenauth=true", "c=eSws,r=NONCE,x=y,p=")
	f.Add("p=tls-unique,,n=app-cache,r=abc", "")
	f.Add("n,,m=x,n=app-cache,r=abc", ",p=")
	r := registry(f)
	f.Fuzz(func(t *testing.T, first, final string) {
		x, answer, err := begin(t, r, auth.ScramSHA256, first)
		if err == nil {
			nonce, _, _ := strings.Cut(strings.TrimPrefix(answer, "r="), ",")
			if !strings.Contains(first, x.Username()) && !strings.Contains(first, "=2C") && !strings.Contains(first, "=3D") {
				t.Errorf("%q: username %q", first, x.Username())
			}
			if len(answer) > len(first)+100 || strings.Count(answer, ",") != 2 {
				t.Errorf("%q: answer %q", first, answer)
			}
			_, who, finalErr := x.Step(t.Context(), []byte(strings.ReplaceAll(final, "NONCE", nonce)))
			if err = finalErr; who != nil || err == nil {
				t.Fatalf("%q, %q: logged in", first, final)
			}
		}
		if !errors.Is(err, auth.ErrDenied) && !errors.Is(err, auth.ErrMessage) && !errors.Is(err, auth.ErrUsernameShape) {
			t.Errorf("%q, %q: %v", first, final, err)
		}
	})
}
