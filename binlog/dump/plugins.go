package dump

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/go-mysql-org/go-mysql/mysql"
)

// switchPlugin proves the password in the way that the account wants.
func (c *Conn) switchPlugin(b []byte) (string, error) {
	name, data, _ := bytes.Cut(b, []byte{0})
	plugin := string(name)
	if plugin == "" {
		plugin = mysql.AUTH_MYSQL_OLD_PASSWORD
	}
	if plugin != mysql.AUTH_MARIADB_ED25519 {
		data = bytes.TrimSuffix(data, []byte{0})
	}
	c.secret.salt = bytes.Clone(data)
	proof, err := c.proof(plugin, c.secret.salt)
	if err != nil {
		return "", err
	}
	return plugin, c.writePacket(proof)
}

var errPlugin = errors.New("unknown authentication plugin")

// knownPlugins are those that are named to who has another.
var knownPlugins = []string{mysql.AUTH_CACHING_SHA2_PASSWORD + " (MySQL)", "ed25519 (MariaDB)", mysql.AUTH_NATIVE_PASSWORD, mysql.AUTH_SHA256_PASSWORD}

// proof is what a plugin sends first.
func (c *Conn) proof(plugin string, salt []byte) ([]byte, error) {
	password := c.secret.password
	c.secret.revealed = false
	switch plugin {
	case mysql.AUTH_NATIVE_PASSWORD:
		return mysql.CalcNativePassword(salt, []byte(password)), nil
	case mysql.AUTH_CACHING_SHA2_PASSWORD:
		return mysql.CalcCachingSha2Password(salt, []byte(password)), nil
	case mysql.AUTH_SHA256_PASSWORD:
		if password == "" || c.TLSVersion() != 0 {
			return c.reveal(), nil
		}
		return c.askKey(1)
	case mysql.AUTH_MARIADB_ED25519:
		return mysql.CalcEd25519Password(salt, password)
	case mysql.AUTH_CLEAR_PASSWORD:
		if err := c.mayReveal(); err != nil {
			return nil, err
		}
		return c.reveal(), nil
	}
	return nil, fmt.Errorf("%w: %w %q; give the account one of %s", ErrAuth, errPlugin, plugin, strings.Join(knownPlugins, ", "))
}

// more goes on where a plugin wants more than the first proof.
func (c *Conn) more(plugin string, b []byte) error {
	switch plugin {
	case mysql.AUTH_CACHING_SHA2_PASSWORD:
		switch {
		case len(b) == 1 && b[0] == mysql.CACHE_SHA2_FAST_AUTH:
			return nil // the outcome follows
		case len(b) == 1 && b[0] == mysql.CACHE_SHA2_FULL_AUTH && c.TLSVersion() != 0:
			return c.writePacket(c.reveal())
		case len(b) == 1 && b[0] == mysql.CACHE_SHA2_FULL_AUTH:
			packet, err := c.askKey(2)
			if err != nil {
				return err
			}
			return c.writePacket(packet)
		}
		return c.sendEncrypted(b)
	case mysql.AUTH_SHA256_PASSWORD:
		return c.sendEncrypted(b)
	}
	return fmt.Errorf("%s wants more than its proof", plugin)
}

// sendEncrypted sends the password encrypted with the public key that the server has sent.
func (c *Conn) sendEncrypted(key []byte) error {
	if c.source.PublicKeyFile != "" {
		return errors.New("a public key that was not asked for")
	}
	b, err := c.encrypted(key)
	if err != nil {
		return err
	}
	c.secret.revealed = true
	return c.writePacket(b)
}

// askKey is the packet that asks for the server's public key; or, where that is known, the
// password encrypted with it.
func (c *Conn) askKey(ask byte) ([]byte, error) {
	if c.source.PublicKeyFile == "" {
		return []byte{ask}, nil
	}
	key, err := os.ReadFile(c.source.PublicKeyFile)
	if err != nil {
		return nil, fmt.Errorf("%w: read server_public_key_file: %w", ErrSecret, err)
	}
	password, err := c.encrypted(key)
	if err != nil {
		err = fmt.Errorf("%w: server_public_key_file is not the server's RSA public key in PEM (public_key.pem in its data directory): %w", ErrSecret, err)
	}
	return password, err
}

// encrypted is the password encrypted with a public key.
func (c *Conn) encrypted(key []byte) ([]byte, error) {
	block, _ := pem.Decode(key)
	if block == nil {
		return nil, errors.New("a public key that is no PEM")
	}
	public, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("read the server's public key: %w", err)
	}
	rsaKey, ok := public.(*rsa.PublicKey)
	if !ok || len(c.secret.salt) == 0 {
		return nil, errors.New("a public key that is not RSA")
	}
	b, err := mysql.EncryptPassword(c.secret.password, c.secret.salt, rsaKey)
	if err != nil {
		return nil, fmt.Errorf("encrypt the password: %w", err)
	}
	return b, nil
}

// reveal is the password itself.
func (c *Conn) reveal() []byte {
	c.secret.revealed = true
	return append([]byte(c.secret.password), 0)
}

// mayReveal refuses to send the password itself to an account of the cleartext plugin, which any server can claim
// the account to be, unless TLS protects it and the certificate was verified, or that is allowed.
// The plugins of SHA-256 want it, too, the first time after a server's start: see [Conn.Trusted].
func (c *Conn) mayReveal() error {
	switch {
	case c.TLSVersion() == 0:
		return fmt.Errorf("%w: the server wants the password in clear (%s), which is never sent without TLS: set tls.mode to verify-identity", ErrAuth, mysql.AUTH_CLEAR_PASSWORD)
	case !c.source.TLS.verifies() && !c.source.AllowCleartext:
		return fmt.Errorf("%w: the server wants the password in clear (%s), and its certificate is not verified: set tls.mode to verify-identity and tls.ca_file; "+
			"allow_cleartext_password: true sends it to whatever server answers", ErrAuth, mysql.AUTH_CLEAR_PASSWORD)
	}
	return nil
}

// Trusted tells whether the server got the password without having shown by a certificate or a
// known key who it is.
func (c *Conn) Trusted() bool { return c.secret.revealed && !c.source.TLS.verifies() }

// RemoteIP is the address that was connected to; nil: none is known.
func (c *Conn) RemoteIP() net.IP {
	if a, ok := c.raw.RemoteAddr().(*net.TCPAddr); ok {
		return a.IP
	}
	return nil
}

// secret is what a login proves, and what was done with it.
type secret struct {
	password string
	salt     []byte
	revealed bool // the password was sent, in clear or so that the server can read it
}

// password asks for it.
func (s *Source) password(ctx context.Context) (string, error) {
	if s.Secret == nil {
		return s.Password, nil
	}
	password, err := s.Secret(ctx)
	if err != nil {
		return "", Transient(fmt.Errorf("%w: %w", ErrSecret, err))
	}
	return password, nil
}
