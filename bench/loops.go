package main

import (
	"context"
	"fmt"
	"log/slog"
	"syscall"
	"time"

	"github.com/go-mysql-org/go-mysql/mysql"
	"github.com/go-mysql-org/go-mysql/replication"
)

// rate is how fast something went through the rows.
type rate struct {
	Rows       int     `json:"rows"`
	Seconds    float64 `json:"seconds"`
	CPUSeconds float64 `json:"cpu_seconds"` // user and system
	Bytes      uint64  `json:"bytes,omitempty"`
}

func (r rate) perSecond() float64 { return float64(r.Rows) / r.Seconds }

const megabyte = 1e6

func (r rate) megabytesPerSecond() float64 { return float64(r.Bytes) / megabyte / r.Seconds }

// cpuPerMegabyte returns milliseconds.
func (r rate) cpuPerMegabyte() float64 { return 1000 * r.CPUSeconds / (float64(r.Bytes) / megabyte) }

// readBinlog reads the binlog with go-mysql, rows and all or raw events only,
// and counts the rows.
func readBinlog(ctx context.Context, address string, log *binlog, raw bool) (rate, error) {
	host, port, err := hostPort(address)
	if err != nil {
		return rate{}, err
	}
	flavor := mysql.MySQLFlavor
	if log.mariadb {
		flavor = mysql.MariaDBFlavor
	}
	began, cpu := time.Now(), ownCPU()
	s := replication.NewBinlogSyncer(replication.BinlogSyncerConfig{
		ServerID: 94100, Flavor: flavor, Host: host, Port: port, User: user, Password: password, RawModeEnabled: raw,
		Logger: slog.New(slog.DiscardHandler),
	})
	defer s.Close()
	stream, err := s.StartSync(log.start)
	if err != nil {
		return rate{}, err
	}
	rows, file := 0, log.start.Name
	for {
		e, err := stream.GetEvent(ctx)
		if err != nil {
			return rate{}, err
		}
		switch v := e.Event.(type) {
		case *replication.RotateEvent: // parsed in raw mode too
			file = string(v.NextLogName)
		case *replication.RowsEvent:
			n := len(v.Rows)
			if t := e.Header.EventType; t == replication.UPDATE_ROWS_EVENTv1 || t == replication.UPDATE_ROWS_EVENTv2 {
				n /= 2
			}
			rows += n
		}
		if file == log.end.Name && e.Header.LogPos >= log.end.Pos {
			break
		}
	}
	if raw {
		rows = log.rows
	}
	if rows != log.rows {
		return rate{}, fmt.Errorf("the binlog holds %d row changes, not %d: does something else write to the server?", rows, log.rows)
	}
	return rate{Rows: rows, Seconds: time.Since(began).Seconds(), CPUSeconds: ownCPU() - cpu, Bytes: log.bytes}, nil
}

// ownCPU returns the CPU seconds this process has used.
func ownCPU() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}
