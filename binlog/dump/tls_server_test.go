//go:build servers

package dump_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"daybook/binlog/dump"
	"daybook/e2e/servers"
)

// authority is a CA and a server's certificate by it, in files.
type authority struct{ ca, cert, key string }

// options are mysqld's.
func (a *authority) options() []string {
	return []string{"--ssl-ca=" + a.ca, "--ssl-cert=" + a.cert, "--ssl-key=" + a.key}
}

// newAuthority makes keys in the form and of the size that yaSSL reads.
func newAuthority(t *testing.T) *authority {
	t.Helper()
	dir := t.TempDir()
	write := func(name, kind string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	var keys [2]*rsa.PrivateKey
	for i := range keys {
		var err error
		if keys[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			t.Fatal(err)
		}
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, SignatureAlgorithm: x509.SHA256WithRSA}
	server := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "server"}, NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, SignatureAlgorithm: x509.SHA256WithRSA}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, &keys[0].PublicKey, keys[0])
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, server, ca, &keys[1].PublicKey, keys[0])
	if err != nil {
		t.Fatal(err)
	}
	return &authority{write("ca.pem", "CERTIFICATE", caDER), write("cert.pem", "CERTIFICATE", der),
		write("key.pem", "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(keys[1]))}
}

var allModes = []dump.TLSMode{"", dump.TLSDisabled, dump.TLSPreferred, dump.TLSRequired, dump.TLSVerifyCA, dump.TLSVerifyIdentity}

// TestTLSOfOldServers logs in to servers whose TLS is yaSSL's, in every mode, and
// reads their binlog by the best version that they have.
func TestTLSOfOldServers(t *testing.T) {
	a, stranger := newAuthority(t), newAuthority(t)
	for _, c := range []struct {
		server string
		want   uint16
	}{{"mysql-5.5", tls.VersionTLS10}, {"mysql-5.6", tls.VersionTLS10}, {"mysql-5.7", tls.VersionTLS11}} {
		t.Run(c.server, func(t *testing.T) {
			s := servers.Start(t, c.server, a.options()...)
			for _, mode := range allModes {
				src := source(s, mode)
				src.TLS.CAFile = a.ca
				conn, err := dump.Dial(t.Context(), src)
				if err != nil {
					t.Errorf("%s: %v", mode, err)
					continue
				}
				rows, err := conn.Query(t.Context(), "SHOW STATUS LIKE 'Ssl_cipher'")
				if err != nil || len(rows) != 1 {
					t.Fatalf("%s: %v %v", mode, rows, err)
				}
				want := c.want
				if mode == dump.TLSDisabled {
					want = 0
				}
				if got := conn.TLSVersion(); got != want || (rows[0][1].String != "") != (want != 0) || conn.TLSFailure() != nil {
					t.Errorf("%s: version %s, cipher %q", mode, tls.VersionName(got), rows[0][1].String)
				}
				_ = conn.Close()
			}
			for _, mode := range []dump.TLSMode{dump.TLSVerifyCA, dump.TLSVerifyIdentity} {
				src := source(s, mode)
				src.TLS.CAFile = stranger.ca
				if _, err := dump.Dial(t.Context(), src); !errors.Is(err, dump.ErrTLS) || dump.IsTransient(err) || !strings.Contains(err.Error(), "unknown authority") {
					t.Errorf("%s by a strange authority: %v", mode, err)
				}
			}
			name, db := s.Database(t)
			db.Exec("CREATE TABLE " + name + ".t (s TEXT)")
			r := read(t, source(s, dump.TLSRequired), end(t, s))
			db.Exec("INSERT INTO " + name + ".t VALUES ('encrypted')")
			if err := r.text("encrypted"); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestTLSThatFails meets a server that offers TLS and can agree on nothing.
func TestTLSThatFails(t *testing.T) {
	a := newAuthority(t)
	s := servers.Start(t, "mysql-5.7", append(a.options(), "--ssl-cipher=DES-CBC3-SHA")...)
	conn, err := dump.Dial(t.Context(), source(s, dump.TLSPreferred))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if conn.TLSVersion() != 0 || !errors.Is(conn.TLSFailure(), dump.ErrTLS) {
		t.Errorf("preferred: %s, %v", tls.VersionName(conn.TLSVersion()), conn.TLSFailure())
	}
	if _, err := dump.Dial(t.Context(), source(s, dump.TLSRequired)); !errors.Is(err, dump.ErrTLS) {
		t.Errorf("required: %v", err)
	}
}

// TestTLSModes logs in to servers of today, and to one without TLS.
func TestTLSModes(t *testing.T) {
	for server, best := range map[string]uint16{"mysql-8.0": tls.VersionTLS13, "mysql-5.7": 0} {
		for _, mode := range allModes {
			conn, err := dump.Dial(t.Context(), source(servers.Get(t, server), mode))
			switch verifies := mode == dump.TLSVerifyCA || mode == dump.TLSVerifyIdentity; {
			case verifies || mode == dump.TLSRequired && best == 0:
				if !errors.Is(err, dump.ErrTLS) || dump.IsTransient(err) {
					t.Errorf("%s of %s: %v", mode, server, err)
				}
				continue
			case err != nil:
				t.Errorf("%s of %s: %v", mode, server, err)
				continue
			}
			want := best
			if mode == dump.TLSDisabled {
				want = 0
			}
			if conn.TLSVersion() != want || conn.TLSFailure() != nil {
				t.Errorf("%s of %s: %s, %v", mode, server, tls.VersionName(conn.TLSVersion()), conn.TLSFailure())
			}
			_ = conn.Close()
		}
	}
}
