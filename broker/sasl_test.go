package broker_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"daybook/auth"
	"daybook/broker"
)

func token(authzid, user, password string) []byte {
	return []byte(authzid + "\x00" + user + "\x00" + password)
}

// tokens are what may come as a PLAIN token, with the message that the client
// is told; "" is success.
var tokens = []struct {
	name    string
	token   []byte
	message string
}{
	{"right", token("", user, password), ""},
	{"authzid is the user", token(user, user, password), ""},
	{"authzid is another", token(otherUser, user, password), "is not the user"},
	{"wrong password", token("", user, "wrong"), "unknown username or wrong password"},
	{"wrong name", token("", "app-nobody", password), "unknown username or wrong password"},
	{"no dash", token("", "nobody", password), "<account>-<group ID>"},
	{"no account", token("", "-cache", password), "<account>-<group ID>"},
	{"no group", token("", "app-", password), "<account>-<group ID>"},
	{"account too long", token("", "a0123456789012345-cache", password), "<account>-<group ID>"},
	{"characters that no name has", token("", "app-c\u00e4che", password), "<account>-<group ID>"},
	{"no name", token("", "", password), "<account>-<group ID>"},
	{"empty", nil, "PLAIN token"},
	{"no password", []byte("\x00" + user), "PLAIN token"},
	{"too many parts", token("", user, password+"\x00x"), "PLAIN token"},
	{"huge", []byte("\x00" + user + "\x00" + strings.Repeat("x", 4000)), "unknown username or wrong password"},
}

func handshake(version int16, mechanism string) *kmsg.SASLHandshakeRequest {
	req := kmsg.NewPtrSASLHandshakeRequest()
	req.Version, req.Mechanism = version, mechanism
	return req
}

func TestSaslAuthenticate(t *testing.T) {
	for v := range int16(3) {
		c := newCluster(t) // failures slow its address
		for _, test := range tokens {
			t.Run(fmt.Sprintf("v%d/%s", v, test.name), func(t *testing.T) {
				cl := c.dial()
				cl.t = t
				if resp := ask[*kmsg.SASLHandshakeResponse](cl, handshake(1, "PLAIN")); resp.ErrorCode != 0 {
					t.Fatalf("handshake: error %d", resp.ErrorCode)
				}
				req := kmsg.NewPtrSASLAuthenticateRequest()
				req.Version, req.SASLAuthBytes = v, test.token
				resp := ask[*kmsg.SASLAuthenticateResponse](cl, req)
				if test.message == "" {
					if resp.ErrorCode != 0 {
						t.Fatalf("error %d", resp.ErrorCode)
					}
					ask[*kmsg.MetadataResponse](cl, kmsg.NewPtrMetadataRequest())
					return
				}
				if resp.ErrorCode != kerr.SaslAuthenticationFailed.Code || resp.ErrorMessage == nil || !strings.Contains(*resp.ErrorMessage, test.message) {
					t.Errorf("%+v, want error %d with %q", resp, kerr.SaslAuthenticationFailed.Code, test.message)
				}
				cl.wantClosed()
			})
		}
	}
}

// After a handshake of version 0 the token comes without a Kafka header.
func TestSaslRawToken(t *testing.T) {
	c := newCluster(t)
	for _, test := range tokens {
		t.Run(test.name, func(t *testing.T) {
			cl := c.dial()
			cl.t = t
			ask[*kmsg.SASLHandshakeResponse](cl, handshake(0, "PLAIN"))
			cl.sendFrame(test.token)
			if test.message != "" {
				cl.wantClosed()
				return
			}
			if frame, err := cl.frame(); err != nil || len(frame) != 0 {
				t.Fatalf("answer %x, %v; want an empty one", frame, err)
			}
			ask[*kmsg.MetadataResponse](cl, kmsg.NewPtrMetadataRequest())
		})
	}
}

// scramLogin logs in by SCRAM, in the rounds of a handshake version, and
// returns the message of the failure, if there is one.
func (c *client) scramLogin(m sasl.Mechanism, version int16) (failure string) {
	c.t.Helper()
	session, token, err := m.Authenticate(c.t.Context(), "")
	must(c.t, err)
	if resp := ask[*kmsg.SASLHandshakeResponse](c, handshake(version, m.Name())); resp.ErrorCode != 0 {
		c.t.Fatalf("handshake: error %d", resp.ErrorCode)
	}
	for done := false; !done; {
		var answer []byte
		if version == 0 {
			c.sendFrame(token)
			if answer, err = c.frame(); err != nil {
				return "closed"
			}
		} else {
			req := kmsg.NewPtrSASLAuthenticateRequest()
			req.Version, req.SASLAuthBytes = 2, token
			resp := ask[*kmsg.SASLAuthenticateResponse](c, req)
			if resp.ErrorCode != 0 {
				return *resp.ErrorMessage
			}
			answer = resp.SASLAuthBytes
		}
		done, token, err = session.Challenge(answer)
		must(c.t, err)
	}
	return ""
}

func TestScram(t *testing.T) {
	for _, version := range []int16{0, 1} {
		c := newCluster(t)
		for _, test := range []struct {
			name, user, password, failure string
		}{
			{"right", user, password, ""},
			{"wrong password", user, "wrong", "authentication failed: unknown username or wrong password"},
			{"wrong name", "app-nobody", password, "authentication failed: unknown username or wrong password"},
			{"no dash", "nobody", password, "authentication failed: the SASL username must have the form <account>-<group ID>"},
			{"no account", "-cache", password, "authentication failed: the SASL username must have the form <account>-<group ID>"},
			{"no group", "app-", password, "authentication failed: the SASL username must have the form <account>-<group ID>"},
			{"account too long", "a0123456789012345-cache", password, "authentication failed: the SASL username must have the form <account>-<group ID>"},
			{"another authorization identity", user, password, "is not the user"},
		} {
			login := scram.Auth{User: test.user, Pass: test.password}
			if strings.Contains(test.failure, "is not the user") {
				login.Zid = otherUser
			}
			if test.failure != "" && version == 0 {
				test.failure = "closed"
			}
			for _, m := range []sasl.Mechanism{login.AsSha256Mechanism(), login.AsSha512Mechanism()} {
				t.Run(fmt.Sprintf("handshake v%d/%s/%s", version, m.Name(), test.name), func(t *testing.T) {
					cl := c.dial()
					cl.t = t
					if failure := cl.scramLogin(m, version); !strings.Contains(failure, test.failure) || (failure == "") != (test.failure == "") {
						t.Fatalf("the failure is %q, want %q", failure, test.failure)
					}
					if test.failure == "" {
						ask[*kmsg.MetadataResponse](cl, kmsg.NewPtrMetadataRequest())
					} else {
						cl.wantClosed()
					}
				})
			}
		}
	}
}

// Half a SCRAM exchange authenticates nobody, and a new handshake begins anew.
func TestScramHalfWay(t *testing.T) {
	c := newCluster(t)
	first := func(cl *client) {
		ask[*kmsg.SASLHandshakeResponse](cl, handshake(1, "SCRAM-SHA-256"))
		req := kmsg.NewPtrSASLAuthenticateRequest()
		req.SASLAuthBytes = []byte("n,,n=" + user + ",r=abc")
		if resp := ask[*kmsg.SASLAuthenticateResponse](cl, req); resp.ErrorCode != 0 {
			t.Fatalf("error %d", resp.ErrorCode)
		}
	}
	cl := c.dial()
	first(cl)
	if code := cl.authenticate(user, password); code != 0 {
		t.Errorf("PLAIN after half of SCRAM: error %d", code)
	}
	cl = c.dial()
	first(cl)
	cl.send(kmsg.NewPtrMetadataRequest())
	cl.wantClosed()
}

// A listener offers the mechanisms that it was given.
func TestMechanismsOfAListener(t *testing.T) {
	c := newCluster(t, func(o *broker.Options) { o.Listeners[0].Mechanisms = []auth.Mechanism{auth.ScramSHA512} })
	cl := c.dial()
	resp := ask[*kmsg.SASLHandshakeResponse](cl, handshake(1, "PLAIN"))
	if resp.ErrorCode != kerr.UnsupportedSaslMechanism.Code || fmt.Sprint(resp.SupportedMechanisms) != "[SCRAM-SHA-512]" {
		t.Errorf("%+v", resp)
	}
	cl.wantClosed()
	if failure := c.dial().scramLogin(scram.Auth{User: user, Pass: password}.AsSha512Mechanism(), 1); failure != "" {
		t.Error(failure)
	}
}

// The same answer, byte for byte, and the same delay, whether the name or the
// password is wrong.
func TestSaslDoesNotTellNames(t *testing.T) {
	const delay = 80 * time.Millisecond
	c := newCluster(t, func(o *broker.Options) { o.DenyDelay = delay })
	var answers []string
	for _, login := range [][]byte{token("", user, "wrong"), token("", "app-nobody", "wrong")} {
		cl := c.dial()
		ask[*kmsg.SASLHandshakeResponse](cl, handshake(1, "PLAIN"))
		req := kmsg.NewPtrSASLAuthenticateRequest()
		req.SASLAuthBytes = login
		start := time.Now()
		cl.send(req)
		frame, err := cl.frame()
		must(t, err)
		if d := time.Since(start); d < delay {
			t.Errorf("answered after %v, before the delay", d)
		}
		answers = append(answers, string(frame))
	}
	if answers[0] != answers[1] {
		t.Errorf("wrong password: %q\nwrong name:     %q", answers[0], answers[1])
	}
}

func TestSaslState(t *testing.T) {
	c := newCluster(t)
	t.Run("another mechanism", func(t *testing.T) {
		for v := range int16(2) {
			cl := c.dial()
			resp := ask[*kmsg.SASLHandshakeResponse](cl, handshake(v, "GSSAPI"))
			if resp.ErrorCode != kerr.UnsupportedSaslMechanism.Code || fmt.Sprint(resp.SupportedMechanisms) != "[PLAIN SCRAM-SHA-256 SCRAM-SHA-512]" {
				t.Errorf("%+v, want error %d and all mechanisms", resp, kerr.UnsupportedSaslMechanism.Code)
			}
			cl.wantClosed()
		}
	})
	t.Run("token without handshake", func(t *testing.T) {
		cl := c.dial()
		if resp := ask[*kmsg.SASLAuthenticateResponse](cl, kmsg.NewPtrSASLAuthenticateRequest()); resp.ErrorCode != kerr.IllegalSaslState.Code {
			t.Errorf("error %d, want %d", resp.ErrorCode, kerr.IllegalSaslState.Code)
		}
		cl.wantClosed()
	})
	t.Run("handshake after login", func(t *testing.T) {
		cl := c.login(user)
		if resp := ask[*kmsg.SASLHandshakeResponse](cl, handshake(1, "PLAIN")); resp.ErrorCode != kerr.IllegalSaslState.Code {
			t.Errorf("error %d, want %d", resp.ErrorCode, kerr.IllegalSaslState.Code)
		}
		ask[*kmsg.MetadataResponse](cl, kmsg.NewPtrMetadataRequest())
	})
}

// The answer to a failed login and the end of the connection do not come together:
// some clients read both at once, and see the end only.
func TestAnswerBeforeTheEnd(t *testing.T) {
	const linger = time.Second
	c := newCluster(t, func(o *broker.Options) { o.Linger = linger })
	cl := c.dial()
	start := time.Now()
	if code := cl.authenticate(user, "wrong"); code != kerr.SaslAuthenticationFailed.Code {
		t.Errorf("error %d, want %d", code, kerr.SaslAuthenticationFailed.Code)
	}
	cl.send(kmsg.NewPtrMetadataRequest()) // is not answered
	cl.wantClosed()
	if took := time.Since(start); took < linger {
		t.Errorf("the end came after %v, want at least %v", took, linger)
	}
}

// A client that ends the connection itself makes room at once.
func TestFailedLoginMakesRoom(t *testing.T) {
	c := newCluster(t, func(o *broker.Options) { o.Linger, o.MaxConnections = time.Hour, 1 })
	cl := c.dial()
	if code := cl.authenticate(user, "wrong"); code != kerr.SaslAuthenticationFailed.Code {
		t.Errorf("error %d, want %d", code, kerr.SaslAuthenticationFailed.Code)
	}
	cl.Close()
	c.waitForRoom()
}

// Without login, only ApiVersions and SASL are answered; the log says why a
// connection was closed.
func TestLoginIsRequired(t *testing.T) {
	c := newCluster(t)
	cl := c.dial()
	for _, k := range ask[*kmsg.ApiVersionsResponse](cl, kmsg.NewPtrApiVersionsRequest()).ApiKeys {
		switch kmsg.Key(k.ApiKey) {
		case kmsg.ApiVersions, kmsg.SASLHandshake, kmsg.SASLAuthenticate:
			continue
		}
		cl := c.dial()
		req := kmsg.RequestForKey(k.ApiKey)
		req.SetVersion(k.MaxVersion)
		cl.send(req)
		cl.wantClosed()
		if want := kmsg.NameForKey(k.ApiKey) + " before it authenticated"; !strings.Contains(c.logs.String(), want) {
			t.Errorf("the log has no %q:\n%s", want, c.logs)
		}
	}
}
