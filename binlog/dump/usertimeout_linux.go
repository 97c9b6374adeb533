package dump

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// limitUnacknowledged bounds how long sent bytes, and keep-alive probes, may go
// without the other host's acknowledgement.
func limitUnacknowledged(c net.Conn) {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	most := keepAlive.Idle + keepAlive.Interval*time.Duration(keepAlive.Count)
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(most.Milliseconds()))
	})
}
