package dump

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
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

// config returns the client's settings; nil if the mode is disabled.
func (o TLSOptions) config(address string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
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
