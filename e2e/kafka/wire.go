package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// ClientID is what every Conn calls itself.
const ClientID = "raw"

// timeout of one request: the longest is a JoinGroup that waits for a member.
const timeout = 30 * time.Second

// ErrClosed says that the broker ended the connection instead of answering.
var ErrClosed = errors.New("connection closed")

// Conn is a connection on which requests are sent as they are: in the version
// that they state, without retries. It belongs to one goroutine.
type Conn struct {
	nc          net.Conn
	correlation int32
}

// Dial connects; it does not log in. The connection is closed with the test.
func Dial(t *testing.T, address string) (*Conn, error) {
	nc, err := net.DialTimeout("tcp", address, timeout)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { nc.Close() })
	return &Conn{nc: nc}, nil
}

// Close ends the connection.
func (c *Conn) Close() { c.nc.Close() }

// Login authenticates with SASL/PLAIN.
func (c *Conn) Login(user, password string) error {
	handshake := kmsg.NewPtrSASLHandshakeRequest()
	handshake.Version, handshake.Mechanism = 1, "PLAIN"
	if _, err := c.Do(handshake); err != nil {
		return fmt.Errorf("log in as %s: %w", user, err)
	}
	auth := kmsg.NewPtrSASLAuthenticateRequest()
	auth.Version, auth.SASLAuthBytes = 1, []byte("\x00"+user+"\x00"+password)
	resp, err := c.Do(auth)
	if err != nil {
		return fmt.Errorf("log in as %s: %w", user, err)
	}
	if code := resp.(*kmsg.SASLAuthenticateResponse).ErrorCode; code != 0 {
		return fmt.Errorf("log in as %s: error %d", user, code)
	}
	return nil
}

// Do sends a request and returns its answer, or ErrClosed.
func (c *Conn) Do(req kmsg.Request) (kmsg.Response, error) {
	c.correlation++
	c.nc.SetDeadline(time.Now().Add(timeout))
	f := kmsg.NewRequestFormatter(kmsg.FormatterClientID(ClientID))
	if _, err := c.nc.Write(f.AppendRequest(nil, req, c.correlation)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrClosed, err)
	}
	frame, err := c.frame()
	if err != nil {
		return nil, err
	}
	if len(frame) < 4 || int32(binary.BigEndian.Uint32(frame)) != c.correlation {
		return nil, fmt.Errorf("answer to another request: %.20x", frame)
	}
	body := frame[4:]
	resp := req.ResponseKind()
	resp.SetVersion(req.GetVersion())
	// The header of ApiVersions has no tags in any version.
	if resp.IsFlexible() && resp.Key() != int16(kmsg.ApiVersions) {
		if len(body) == 0 || body[0] != 0 {
			return nil, fmt.Errorf("tags in the header: %.20x", body)
		}
		body = body[1:]
	}
	if err := resp.ReadFrom(body); err != nil {
		return nil, fmt.Errorf("%T version %d: %w", resp, req.GetVersion(), err)
	}
	return resp, nil
}

func (c *Conn) frame() ([]byte, error) {
	var size [4]byte
	_, err := io.ReadFull(c.nc, size[:])
	if ne := net.Error(nil); errors.As(err, &ne) && ne.Timeout() {
		return nil, fmt.Errorf("no answer within %v", timeout)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrClosed, err)
	}
	frame := make([]byte, binary.BigEndian.Uint32(size[:]))
	if _, err := io.ReadFull(c.nc, frame); err != nil {
		return nil, fmt.Errorf("%w: within an answer: %w", ErrClosed, err)
	}
	return frame, nil
}
