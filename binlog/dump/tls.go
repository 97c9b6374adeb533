package dump

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
)

// TLSMode is when a connection is encrypted and what of the server is
// verified; the meanings are those of MySQL's --ssl-mode.
type TLSMode string

// The modes. The zero value is TLSPreferred.
const (
	TLSDisabled       TLSMode = "disabled"
	TLSPreferred      TLSMode = "preferred"
	TLSRequired       TLSMode = "required"
	TLSVerifyCA       TLSMode = "verify-ca"
	TLSVerifyIdentity TLSMode = "verify-identity"
)

// TLSOptions are the TLS settings of a Source. The files are PEM.
type TLSOptions struct {
	Mode              TLSMode
	CAFile            string // "": the system's roots
	CertFile, KeyFile string // the client's own certificate; "": none
}

// optional tells whether a connection without TLS is better than none.
func (o TLSOptions) optional() bool { return o.Mode == TLSPreferred || o.Mode == "" }

// verifies tells whether the server's certificate is looked at.
func (o TLSOptions) verifies() bool { return o.Mode == TLSVerifyCA || o.Mode == TLSVerifyIdentity }

// oldSuites are what the yaSSL of MySQL's own builds before 8.0 has in common
// with crypto/tls, which does not offer them by itself: they have no forward
// secrecy. A server that knows better ones chooses those.
var oldSuites = []uint16{
	tls.TLS_RSA_WITH_AES_256_CBC_SHA, tls.TLS_RSA_WITH_AES_128_CBC_SHA,
	tls.TLS_RSA_WITH_AES_256_GCM_SHA384, tls.TLS_RSA_WITH_AES_128_GCM_SHA256,
}

// suites are those of crypto/tls and the old ones.
func suites() []uint16 {
	list := slices.Clone(oldSuites)
	for _, s := range tls.CipherSuites() {
		list = append(list, s.ID)
	}
	return list
}

// config returns the client's settings; nil if the mode is disabled. All modes
// take the newest version that the server has, TLS 1.0 if need be: what the
// server has is agreed on in one handshake, which nobody on the way can lower
// below what both have.
func (o TLSOptions) config(address string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS10, CipherSuites: suites()}
	switch o.Mode {
	case TLSDisabled:
		return nil, nil
	case TLSPreferred, TLSRequired, "":
		c.InsecureSkipVerify = true
	case TLSVerifyCA:
		c.InsecureSkipVerify = true
		c.VerifyConnection = func(s tls.ConnectionState) error { return verifyChain(s, c.RootCAs) }
	case TLSVerifyIdentity:
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, fmt.Errorf("read address %q: %w", address, err)
		}
		c.ServerName = host
	default:
		return nil, fmt.Errorf("%w: unknown mode %q; use disabled, preferred, required, verify-ca or verify-identity", ErrTLS, o.Mode)
	}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("%w: read ca_file: %w", ErrTLS, err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%w: ca_file %s holds no PEM certificate", ErrTLS, o.CAFile)
		}
	}
	if o.CertFile != "" || o.KeyFile != "" {
		cert, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("%w: read cert_file and key_file: %w", ErrTLS, err)
		}
		c.Certificates = []tls.Certificate{cert}
	}
	return c, nil
}

// verifyChain checks the server's certificate against the roots, but not the
// name in it.
func verifyChain(s tls.ConnectionState, roots *x509.CertPool) error {
	if len(s.PeerCertificates) == 0 {
		return errors.New("the server sent no certificate")
	}
	o := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	for _, c := range s.PeerCertificates[1:] {
		o.Intermediates.AddCert(c)
	}
	_, err := s.PeerCertificates[0].Verify(o)
	return err
}

// tlsError says why a handshake failed. One that was cut off may have met a
// server that can do no better, or a network that does not carry it.
func tlsError(err error) error {
	var network *net.OpError
	switch {
	case isTimeout(err):
		return fmt.Errorf("wait for the TLS handshake: %w", err)
	case errors.As(err, &network) && network.Op != "remote error" && network.Op != "local error", errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return Transient(fmt.Errorf("%w: the server broke off the handshake: %w; its log may say why", ErrTLS, err))
	}
	return fmt.Errorf("%w: %w; check the tls settings of both sides", ErrTLS, err)
}
