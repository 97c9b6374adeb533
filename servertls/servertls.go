// Package servertls keeps the TLS of a listener in step with its certificate
// files: they are read again when they change, and connections that are
// accepted then are served with them, without a restart.
//
// The main type is [Certificates]. Files that cannot be used change nothing:
// what was right last stays in use, and the log tells once. Watch belongs to one
// goroutine; Config may be called by any.
package servertls

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// Files names the PEM files of a listener's TLS.
type Files struct {
	CertFile     string // the certificate, and those between it and the root
	KeyFile      string
	ClientCAFile string // who signs clients' certificates, which are demanded then; "": none are
}

// Certificates holds what the files said when they were right last.
type Certificates struct {
	files   Files
	log     *slog.Logger
	seen    pems // read last, right or not
	current atomic.Pointer[tls.Config]
}

// pems is the content of the Files.
type pems struct{ cert, key, clientCA []byte }

func (p pems) equal(o pems) bool {
	return bytes.Equal(p.cert, o.cert) && bytes.Equal(p.key, o.key) && bytes.Equal(p.clientCA, o.clientCA)
}

// Load reads the files; they must be right the first time.
func Load(files Files, log *slog.Logger) (*Certificates, error) {
	c := &Certificates{files: files, log: log}
	var err error
	if c.seen, err = c.read(); err != nil {
		return nil, err
	}
	return c, c.use(c.seen)
}

// Config is what connections that are accepted now are served with. It must not
// be changed.
func (c *Certificates) Config() *tls.Config { return c.current.Load() }

// Watch looks at the files until ctx ends. Changed ones are used once they
// have stayed the same for one interval, so that a certificate is not tried with
// the key of the one before; those that cannot be used are told once.
func (c *Certificates) Watch(ctx context.Context, interval time.Duration) {
	tried, unreadable := c.seen, false
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		p, err := c.read()
		if err != nil && !unreadable {
			c.keep(err)
		}
		if unreadable = err != nil; unreadable {
			continue
		}
		settled := p.equal(c.seen)
		if c.seen = p; !settled || p.equal(tried) {
			continue
		}
		tried = p
		if err := c.use(p); err != nil {
			c.keep(err)
		}
	}
}

func (c *Certificates) keep(why error) {
	c.log.Error("cannot use the changed certificate files; those before stay in use", "error", why)
}

func (c *Certificates) read() (p pems, err error) {
	for _, f := range []struct {
		path string
		to   *[]byte
	}{{c.files.CertFile, &p.cert}, {c.files.KeyFile, &p.key}, {c.files.ClientCAFile, &p.clientCA}} {
		if f.path == "" {
			continue
		}
		if *f.to, err = os.ReadFile(f.path); err != nil {
			return p, fmt.Errorf("read certificate: %w", err)
		}
	}
	return p, nil
}

// use makes the files' content the current configuration, if it is right.
func (c *Certificates) use(p pems) error {
	pair, err := tls.X509KeyPair(p.cert, p.key)
	if err != nil {
		return fmt.Errorf("load certificate %s with key %s: %w", c.files.CertFile, c.files.KeyFile, err)
	}
	config := &tls.Config{
		Certificates: []tls.Certificate{pair},
		MinVersion:   tls.VersionTLS12,
		// A ticket would let a client in that the certificate authority of
		// today does not know; connections are long, so handshakes are few.
		SessionTicketsDisabled: true,
	}
	if c.files.ClientCAFile != "" {
		config.ClientAuth = tls.RequireAndVerifyClientCert
		config.ClientCAs = x509.NewCertPool()
		if !config.ClientCAs.AppendCertsFromPEM(p.clientCA) {
			return fmt.Errorf("load client authority %s: %w", c.files.ClientCAFile, errNoCertificate)
		}
	}
	c.current.Store(config)
	leaf := pair.Leaf
	level := slog.LevelInfo
	if time.Now().After(leaf.NotAfter) {
		level = slog.LevelWarn
	}
	c.log.Log(context.Background(), level, "certificate is in use", "file", c.files.CertFile, "subject", leaf.Subject.String(),
		"names", leaf.DNSNames, "not_after", leaf.NotAfter, "client_certificates", c.files.ClientCAFile != "")
	return nil
}

var errNoCertificate = errors.New("it holds no PEM certificate")
