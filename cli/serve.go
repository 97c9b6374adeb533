package cli

import (
	"context"
	"fmt"
	"log/slog"
	"os/signal"
	"syscall"
	"time"

	"daybook/access"
	"daybook/admin"
	"daybook/auth"
	"daybook/broker"
	"daybook/config"
	"daybook/group"
	"daybook/journal"
	"daybook/store"
	"daybook/task"

	"github.com/spf13/cobra"
)

// shutdownLimit bounds the end of `serve`: what is not closed by then is
// abandoned, which loses nothing, as everything acknowledged is synced.
const shutdownLimit = 10 * time.Second

func (a *app) serve() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the tasks of a configuration and serve their consumers",
		Long: `Runs every task of the configuration and serves their records to Kafka clients
until SIGTERM or Ctrl-C, and goes on where it stopped when started again.`,
		Example: "  SHOP_PASSWORD=… CACHE_PASSWORD=… daybook serve -c daybook.yaml\n  daybook serve -c daybook.yaml --log-format json --log-level debug",
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := a.logger()
			if err != nil {
				return err
			}
			c, err := a.loadConfig()
			if err != nil {
				return err
			}
			// Whoever reads the log may go away, such as a collector that is
			// restarted: then log lines are lost, and nothing else.
			signal.Ignore(syscall.SIGPIPE)
			return serve(cmd.Context(), a.configPath, c, log)
		},
	}
	a.configFlag(cmd)
	a.logFlags(cmd)
	return cmd
}

// part is something that serve opened and closes again.
type part struct {
	name  string
	close func() error
}

// serve opens the parts, waits for ctx and closes them in reverse.
func serve(ctx context.Context, file string, c *config.Config, log *slog.Logger) (err error) {
	var parts []part
	defer func() { shutdown(parts, log) }()
	open := func(name string, open func(context.Context) error, close func() error) error {
		// Parts live until they are closed, in order; ctx only ends the waiting.
		if err := open(context.WithoutCancel(ctx)); err != nil {
			return err
		}
		parts = append(parts, part{name, close})
		return nil
	}

	var m memory
	if err := open("memory", m.open, m.close); err != nil {
		return err
	}
	st := store.New(store.Options{
		Dir: c.DataDir, Logger: log,
		RetentionAge: time.Duration(c.Retention.Age), RetentionBytes: c.Retention.MaxBytes,
	})
	if err := open("store", st.Open, st.Close); err != nil {
		return fmt.Errorf("open data directory: %w", err)
	}
	accounts, err := openAccounts(ctx, c, st, log)
	if err != nil {
		return err
	}
	groups := group.New(group.Options{Store: st, Logger: log, Retention: time.Duration(c.Kafka.OffsetRetention)})
	if err := open("groups", groups.Open, groups.Close); err != nil {
		return fmt.Errorf("open consumer groups: %w", err)
	}
	fromFile, err := declared(c)
	if err != nil {
		return err
	}
	box, err := openSeal(c)
	if err != nil {
		return err
	}
	events := journal.New(st)
	refusals := journal.NewRefusals(events, log)
	if err := open("refusals", func(context.Context) error { return nil }, refusals.Close); err != nil {
		return err
	}
	holdings := &holdings{accounts: accounts, groups: groups}
	tasks := task.NewManager(task.ManagerOptions{
		Store: st, Logger: log, Declared: fromFile, Compile: compile(c.DataDir), Sealed: box, Release: holdings.release, Journal: events,
	})
	b := brokerOptions(c)
	b.Store, b.Groups, b.Accounts, b.Logger, b.Compression = st, groups, accounts, log, compressionOf(tasks)
	b.Refused = func(address, reason string) { refusals.Add("login_refused", address, reason) }
	server := broker.New(b)
	holdings.awaitEnd = server.AwaitEnd // before the tasks open: a deletion may go on then
	if err := open("tasks", tasks.Open, tasks.Close); err != nil {
		return fmt.Errorf("open tasks: %w", err)
	}
	if err := open("broker", server.Open, server.Close); err != nil {
		return fmt.Errorf("open listeners: %w", err)
	}
	if !c.Admin.Off() {
		tokens := access.New(access.Options{Store: st, Files: tokenFiles(c), Logger: log})
		if err := tokens.Open(ctx); err != nil {
			return fmt.Errorf("open admin API: %w", err)
		}
		o := adminOptions(file, c)
		o.Tokens, o.Store, o.Groups, o.Accounts, o.Tasks, o.Journal, o.Refusals, o.AwaitEnd, o.Logger = tokens, st, groups, accounts, tasks, events, refusals, server.AwaitEnd, log
		a := admin.New(o)
		if err := open("admin API", a.Open, a.Close); err != nil {
			return err
		}
	}
	log.Info("daybook serves", "version", release, "listeners", len(c.Kafka.Listeners), "tasks", len(c.Tasks), "data_dir", c.DataDir)
	select {
	case <-ctx.Done():
		log.Info("daybook ends")
		return nil
	case <-st.Failed():
		return fmt.Errorf("the data directory can take no more writes: %w", st.Err())
	}
}

// openAccounts returns those of the store and of the configuration file.
func openAccounts(ctx context.Context, c *config.Config, st *store.Store, log *slog.Logger) (*auth.Registry, error) {
	accounts := auth.New(auth.Options{Store: st, Logger: log, MaxGroups: c.Kafka.MaxGroupsPerTask})
	if err := accounts.Open(ctx); err != nil {
		return nil, fmt.Errorf("open accounts: %w", err)
	}
	if err := accounts.SetFile(accountsOf(c)); err != nil {
		return nil, fmt.Errorf("set the accounts of the configuration file: %w", err)
	}
	return accounts, nil
}

// shutdown closes the parts, last opened first, within shutdownLimit.
func shutdown(parts []part, log *slog.Logger) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := len(parts) - 1; i >= 0; i-- {
			if err := parts[i].close(); err != nil {
				log.Error("close failed", "part", parts[i].name, "error", err)
			}
		}
	}()
	select {
	case <-done:
	case <-time.After(shutdownLimit):
		log.Error("some parts did not close in time; nothing acknowledged is lost", "limit", shutdownLimit)
	}
}
