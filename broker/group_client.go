package broker

import "daybook/group"

// client describes the connection to the group coordinator, the host in the
// form that Kafka gives it to admin tools.
func (c *conn) client() group.Client {
	return group.Client{ID: c.clientID, Host: "/" + c.host, Address: c.RemoteAddr().String()}
}
