// Daybook tracks the changes of a MySQL server and serves them to Kafka
// clients. See README.md.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"daybook/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.Run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
