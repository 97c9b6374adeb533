package broker_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/broker"
)

// TestRefusedLoginsAreTold wants each login that is refused to be told once, with the user if that can be one,
// and without anything that may be a password, there and in the log.
func TestRefusedLoginsAreTold(t *testing.T) {
	var mu sync.Mutex
	var told []string
	c := newCluster(t, func(o *broker.Options) {
		o.Refused = func(address, reason string) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, address+": "+reason)
		}
	})
	const secret = "Zq7-kVw9xJp"
	for _, test := range []struct{ token, want string }{
		{string(token("", user, secret)), `127.0.0.1: the user "app-cache": unknown username or wrong password (client ID "raw")`},
		{string(token("", "app-none", secret)), `127.0.0.1: the user "app-none": unknown username or wrong password (client ID "raw")`},
		{string(token("", "!"+secret, password)), `127.0.0.1: the SASL username must have the form`},
		{string(token(secret, user, password)), `127.0.0.1: not a message of the SASL mechanism: the authorization identity is not the user (client ID "raw")`},
		{string(token("x", secret, password)), `127.0.0.1: not a message of the SASL mechanism: the authorization identity is not the user (client ID "raw")`},
		{secret, `127.0.0.1: not a message of the SASL mechanism: the PLAIN token is not authzid NUL user NUL password (client ID "raw")`},
	} {
		cl := c.dial()
		ask[*kmsg.SASLHandshakeResponse](cl, handshake(1, "PLAIN"))
		req := kmsg.NewPtrSASLAuthenticateRequest()
		req.Version, req.SASLAuthBytes = 2, []byte(test.token)
		if resp := ask[*kmsg.SASLAuthenticateResponse](cl, req); resp.ErrorCode != kerr.SaslAuthenticationFailed.Code {
			t.Errorf("%q: %+v", test.token, resp)
		}
		mu.Lock()
		if len(told) != 1 || !strings.HasPrefix(told[0], test.want) {
			t.Errorf("%q: told %q, want %q", test.token, told, test.want)
		}
		if all := fmt.Sprint(told) + c.logs.String(); strings.Contains(all, secret) {
			t.Errorf("%q: the password is told: %s", test.token, all)
		}
		told = nil
		mu.Unlock()
	}
	cl := c.dial()
	ask[*kmsg.SASLHandshakeResponse](cl, handshake(1, secret))
	mu.Lock()
	defer mu.Unlock()
	if len(told) != 1 || told[0] != `127.0.0.1: the listener does not offer the mechanism (client ID "raw")` {
		t.Errorf("told %q", told)
	}
}
