package task

import (
	"context"
	"fmt"
	"strconv"
)

// wantConnections is how many connections a task has at a time: the dump, one that asks beside it, and one that looks
// whether that is at work. With one alone it cannot start.
const wantConnections = 3

// connections looks whether the account may have as many at a time; what the session is told is the account's
// limit, or else the server's.
func (p *prechecker) connections(ctx context.Context) error {
	const name = "connections"
	rows, err := p.conn.Query(ctx, "SELECT @@SESSION.max_user_connections")
	if err != nil || len(rows) != 1 {
		return nil // a server that has no such limit
	}
	n, err := strconv.Atoi(rows[0][0].String)
	if err != nil || n == 0 || n >= wantConnections {
		return nil
	}
	status := Warn
	if n == 1 {
		status = Fail
	}
	p.add(name, status, fmt.Sprintf("%s may have %d at a time; a task keeps one, and has up to %d for moments", p.opts.Source.User, n, wantConnections), p.moreConnections())
	return nil
}

func (p *prechecker) moreConnections() string {
	limit := fmt.Sprintf("%s WITH MAX_USER_CONNECTIONS %d", p.account, wantConnections)
	var major, minor int
	_, _ = fmt.Sscanf(p.vars["version"], "%d.%d", &major, &minor)
	if p.mariaDB() || major == 5 && minor < 7 {
		limit = "GRANT USAGE ON *.* TO " + limit
	} else {
		limit = "ALTER USER " + limit
	}
	return fmt.Sprintf("%s (%d for each task that it has); if that is not the account's limit, raise max_user_connections of the server", limit, wantConnections)
}
