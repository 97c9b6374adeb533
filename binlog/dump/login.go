package dump

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"

	"daybook/binlog/cursor"

	"github.com/go-mysql-org/go-mysql/mysql"
)

const (
	collationUTF8MB4 = 45 // utf8mb4_general_ci, in every version from 5.5.3
	protocolVersion  = 10
	maxGreeting      = 4 << 10
)

// greeting is what a server says first.
type greeting struct {
	capabilities uint32
	salt         []byte
	plugin       string
}

// login runs the connection phase, encrypted if there is a config.
// Source: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase.html
func (c *Conn) login(config *tls.Config) error {
	b, err := c.readPacket(maxGreeting)
	if err != nil {
		return fmt.Errorf("wait for the greeting: %w", err)
	}
	g, err := readGreeting(b)
	if err != nil {
		return err
	}
	c.secret.salt = g.salt
	capabilities := mysql.CLIENT_LONG_PASSWORD | mysql.CLIENT_LONG_FLAG | mysql.CLIENT_PROTOCOL_41 | mysql.CLIENT_TRANSACTIONS |
		mysql.CLIENT_SECURE_CONNECTION | g.capabilities&(mysql.CLIENT_PLUGIN_AUTH|mysql.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA|mysql.CLIENT_CONNECT_ATTRS)
	switch offered := g.capabilities&mysql.CLIENT_SSL != 0; {
	case config != nil && offered:
		capabilities |= mysql.CLIENT_SSL
		if err := c.encrypt(config, loginHead(capabilities)); err != nil {
			return err
		}
	case config != nil && !c.source.TLS.optional():
		return fmt.Errorf("%w: the server offers none (have_ssl is not YES: it lacks a certificate)", ErrTLS)
	}
	if err := c.writeLogin(g.plugin, capabilities); err != nil {
		return err
	}
	return c.authenticate(g.plugin)
}

func readGreeting(b []byte) (*greeting, error) {
	if b[0] == headerErr {
		return nil, errorPacket(b)
	}
	if b[0] != protocolVersion {
		return nil, fmt.Errorf("a greeting of protocol version %d in place of %d: check that this is the port of the MySQL protocol", b[0], protocolVersion)
	}
	_, rest, ok := bytes.Cut(b[1:], []byte{0}) // the version
	r := cursor.Cursor{B: rest}
	r.Bytes(4) // connection ID
	salt := bytes.Clone(r.Bytes(8))
	r.Bytes(1)
	g := &greeting{capabilities: uint32(r.U16())}
	if !ok || r.Err != nil || g.capabilities&mysql.CLIENT_PROTOCOL_41 == 0 || g.capabilities&mysql.CLIENT_SECURE_CONNECTION == 0 {
		return nil, errors.New("a greeting that is not of MySQL 4.1 or later")
	}
	r.Bytes(1 + 2) // charset, status
	g.capabilities |= uint32(r.U16()) << 16
	saltLength := int(r.U8())
	r.Bytes(10)
	second := r.Bytes(max(13, saltLength-8))
	if r.Err != nil {
		return nil, errors.New("a greeting that is too short")
	}
	g.salt = append(salt, second[:len(second)-1]...) // without the zero at its end
	g.plugin = mysql.AUTH_NATIVE_PASSWORD
	if g.capabilities&mysql.CLIENT_PLUGIN_AUTH != 0 {
		name, _, _ := bytes.Cut(r.B, []byte{0})
		g.plugin = string(name)
	}
	return g, nil
}

// loginHead is the beginning of a login, which by itself asks for TLS.
func loginHead(capabilities uint32) []byte {
	b := binary.LittleEndian.AppendUint32(nil, capabilities)
	b = append(b, 0, 0, 0, 0) // largest packet: no word about it
	b = append(b, collationUTF8MB4)
	return append(b, make([]byte, 23)...)
}

func (c *Conn) encrypt(config *tls.Config, request []byte) error {
	if err := c.writePacket(request); err != nil {
		return err
	}
	if c.in.Buffered() > 0 {
		return errors.New("the server spoke before TLS began") // or somebody on the way did
	}
	t := tls.Client(c.net, config)
	if err := t.HandshakeContext(c.asked.ctx); err != nil {
		return tlsError(err)
	}
	c.net = t
	return nil
}

// writeLogin sends the user's name and the first proof of the password.
func (c *Conn) writeLogin(plugin string, capabilities uint32) error {
	proof, err := c.proof(plugin, c.secret.salt)
	if errors.Is(err, errPlugin) {
		// The account may have another plugin than the server's default; then
		// the server says so.
		plugin, proof, err = mysql.AUTH_NATIVE_PASSWORD, nil, nil
	}
	if err != nil {
		return err
	}
	b := append(loginHead(capabilities), c.source.User...)
	b = append(b, 0)
	if capabilities&mysql.CLIENT_PLUGIN_AUTH_LENENC_CLIENT_DATA != 0 {
		b = mysql.AppendLengthEncodedInteger(b, uint64(len(proof)))
	} else {
		if len(proof) > 255 {
			return fmt.Errorf("%w: the password is too long for this server", ErrAuth)
		}
		b = append(b, byte(len(proof)))
	}
	b = append(b, proof...)
	if capabilities&mysql.CLIENT_PLUGIN_AUTH != 0 {
		b = append(append(b, plugin...), 0)
	}
	if capabilities&mysql.CLIENT_CONNECT_ATTRS != 0 {
		attributes := append(mysql.PutLengthEncodedString([]byte("program_name")), mysql.PutLengthEncodedString([]byte("daybook"))...)
		b = append(b, mysql.PutLengthEncodedString(attributes)...)
	}
	return c.writePacket(b)
}

// maxRounds bounds the packets of an authentication: a switch of the plugin,
// a key, and the outcome take four.
const maxRounds = 8

// authenticate answers the server until it has made up its mind.
func (c *Conn) authenticate(plugin string) error {
	for range maxRounds {
		b, err := c.readPacket(maxSmallPacket)
		if err != nil {
			return fmt.Errorf("wait for the outcome: %w", err)
		}
		switch b[0] {
		case headerOK:
			return nil
		case headerErr:
			return errorPacket(b)
		case headerMore:
			err = c.more(plugin, b[1:])
		case headerEOF:
			plugin, err = c.switchPlugin(b[1:])
		default:
			err = fmt.Errorf("a packet that begins with %#x", b[0])
		}
		if err != nil {
			return err
		}
	}
	return errors.New("the authentication has no end")
}
