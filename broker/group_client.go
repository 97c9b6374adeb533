package broker

import (
	"net"

	"daybook/group"
)

// client describes the connection to the group coordinator, the host in the
// form that Kafka gives it to admin tools.
func (c *conn) client() group.Client {
	host, _, err := net.SplitHostPort(c.RemoteAddr().String())
	if err != nil {
		host = c.RemoteAddr().String()
	}
	return group.Client{ID: c.clientID, Host: "/" + host}
}
