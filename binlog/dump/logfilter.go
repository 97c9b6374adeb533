package dump

import (
	"context"
	"fmt"
)

// LogFilters are the databases that a server's binlog is limited to (binlog_do_db), or that it leaves
// out (binlog_ignore_db), which counts where there is no other. Of each the server shows the names joined by commas; "": none.
type LogFilters struct{ Do, Ignore string }

// LogFilters asks for them. They are no variables.
func (c *Conn) LogFilters(ctx context.Context, s *Status) (f LogFilters, err error) {
	row, err := c.binlogStatus(ctx, s)
	if err == nil && len(row) > 3 {
		f = LogFilters{Do: row[2].String, Ignore: row[3].String}
	}
	return f, err
}

// binlogStatus returns what the server shows of the end of its binlog, at least file and offset.
func (c *Conn) binlogStatus(ctx context.Context, s *Status) ([]Text, error) {
	show := "SHOW MASTER STATUS"
	switch {
	case s.Flavor == MySQL && s.Version >= 80200:
		show = "SHOW BINARY LOG STATUS"
	case s.Flavor == MariaDB && s.Version >= 100502:
		show = "SHOW BINLOG STATUS"
	}
	rows, err := c.Query(ctx, show)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 || len(rows[0]) < 2 {
		return nil, fmt.Errorf("%w: %s is empty; set log_bin, server_id and binlog_format=ROW in the source's configuration and restart it", ErrNoBinlog, show)
	}
	return rows[0], nil
}
