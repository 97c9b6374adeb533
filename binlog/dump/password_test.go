package dump_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"daybook/binlog/dump"
	"daybook/servertls/certtest"
)

const thePassword = "s3cret-that-nobody-else-has"

// thief is a server that wants the password, in one of the ways in which a server may ask for it.
type thief struct {
	plugin string
	cert   *tls.Certificate // nil: no TLS
	key    *rsa.PrivateKey
	got    bytes.Buffer
	done   chan struct{}
}

// rob is the greeting, and all that follows.
func (s *thief) rob(raw net.Conn) {
	defer close(s.done)
	defer raw.Close()
	c := &fakeConn{Conn: raw}
	hello := greetingOf(1)
	flags := len("\n5.7.99-fake") + 1 + 4 + 9
	if s.cert != nil {
		hello[flags+1] |= 0x08 // CLIENT_SSL
	}
	c.write(hello)
	if s.cert != nil {
		if b, err := c.read(); err != nil || len(b) != 32 {
			s.got.Write(b)
			return
		}
		c.Conn = tls.Server(raw, &tls.Config{Certificates: []tls.Certificate{*s.cert}})
	}
	s.take(c) // the login
	switch s.plugin {
	case "mysql_old_password":
		c.write([]byte{0xfe}) // as servers before MySQL 4.1 ask for it
	default:
		c.write(append(append([]byte{0xfe}, s.plugin...), "\x00salts-of-twenty-byte\x00"...))
	}
	answer := s.take(c)
	if s.plugin == "caching_sha2_password" {
		c.write([]byte{1, 4}) // it is not in the cache
		answer = s.take(c)
	}
	if len(answer) == 1 && s.key != nil { // it asks for a key
		c.write(append([]byte{1}, publicPEM(s.key)...))
		answer = s.take(c)
	}
	if plain, err := rsa.DecryptOAEP(sha1.New(), rand.Reader, s.key, answer, nil); err == nil {
		for i := range plain {
			plain[i] ^= "salts-of-twenty-byte"[i%20]
		}
		s.got.Write(plain)
	}
}

func (s *thief) take(c *fakeConn) []byte {
	b, err := c.read()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil
	}
	s.got.Write(b)
	return b
}

// TestPasswordForWhoeverAsks logs in, in each tls mode, to servers that want the password: the clear one comes over TLS
// that is verified only, or where that is allowed; what SHA-256 wants, to who has the known key.
func TestPasswordForWhoeverAsks(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	dir, ca := t.TempDir(), certtest.NewCA(t, "known")
	good, strange := ca.Issue("server").TLS(t), certtest.NewCA(t, "strange").Issue("server").TLS(t)
	caFile := certtest.File(t, dir, "ca.pem", ca.PEM())
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	known := certtest.File(t, dir, "known.pem", publicPEM(other))
	for _, mode := range []dump.TLSMode{dump.TLSDisabled, dump.TLSPreferred, dump.TLSRequired, dump.TLSVerifyCA, dump.TLSVerifyIdentity} {
		for _, plugin := range []string{"mysql_clear_password", "mysql_old_password", "mysql_native_password", "caching_sha2_password", "sha256_password", "client_ed25519", "dialog"} {
			for name, cert := range map[string]*tls.Certificate{"no TLS": nil, "verified": &good, "a stranger": &strange} {
				for _, allowed := range []bool{false, true} {
					for _, pinned := range []bool{false, true} {
						if pinned && mode != dump.TLSDisabled {
							continue // the configuration refuses it
						}
						t.Run(fmt.Sprintf("%s/%s/%s/allowed=%t/pinned=%t", mode, plugin, name, allowed, pinned), func(t *testing.T) {
							s := &thief{plugin: plugin, cert: cert, key: key, done: make(chan struct{})}
							if mode == dump.TLSDisabled {
								s.cert = nil
							}
							f := (&fake{greet: s.rob}).serve(t)
							src := dump.Source{Address: f.address, User: "u", Password: thePassword, AllowCleartext: allowed, Times: short,
								TLS: dump.TLSOptions{Mode: mode, CAFile: caFile}}
							if pinned {
								src.PublicKeyFile = known
							}
							c, err := dump.Dial(t.Context(), src)
							if err == nil {
								_ = c.Close()
								t.Fatal("it is logged in")
							}
							<-s.done
							verifies := mode == dump.TLSVerifyCA || mode == dump.TLSVerifyIdentity
							encrypted := s.cert != nil && (!verifies || name == "verified")
							want := false
							switch plugin {
							case "mysql_clear_password":
								want = encrypted && (verifies || allowed)
							case "caching_sha2_password", "sha256_password":
								want = encrypted || s.cert == nil && !pinned && (mode == dump.TLSDisabled || mode == dump.TLSPreferred)
							}
							if got := strings.Contains(s.got.String(), thePassword); got != want {
								t.Errorf("it got the password: %t, want %t; error %v", got, want, err)
							}
							if strings.Contains(err.Error(), thePassword) {
								t.Error("the error has the password")
							}
						})
					}
				}
			}
		}
	}
}

// TestSecretAtEachLogin asks for the password anew at each login; one that cannot be had is told, and tried again.
func TestSecretAtEachLogin(t *testing.T) {
	f := (&fake{answer: func(*fakeConn, byte, string) [][]byte { return [][]byte{okPacket} }}).serve(t)
	asked := 0
	src := dump.Source{Address: f.address, User: "u", Times: short, Secret: func(context.Context) (string, error) {
		if asked++; asked == 2 {
			return "", errors.New("no token today")
		}
		return "token", nil
	}}
	for i := range 3 {
		c, err := dump.Dial(t.Context(), src)
		if failed := i == 1; failed != (err != nil) || failed && (!errors.Is(err, dump.ErrSecret) || !dump.IsTransient(err) || !strings.Contains(err.Error(), "no token today")) {
			t.Fatalf("login %d: %v", i, err)
		}
		if err == nil {
			_ = c.Close()
		}
	}
}

func publicPEM(key *rsa.PrivateKey) []byte {
	der, _ := x509.MarshalPKIXPublicKey(&key.PublicKey) // never fails for RSA
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}
