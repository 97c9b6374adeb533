package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/go-mysql-org/go-mysql/client"
	"github.com/spf13/cobra"
)

const (
	demoDatabase = "daybook_demo"
	demoPatience = time.Minute // for anything that should take a second
	demoPassword = "demo-1234" // of the consumers
)

// demoSteps are the statements of the demo, each with the changes it makes.
var demoSteps = []struct {
	sql     string
	changes int
}{
	{"CREATE TABLE orders (id INT PRIMARY KEY, customer VARCHAR(40), total DECIMAL(9,2))", 1},
	{"INSERT INTO orders VALUES (1, 'Ada', 9.90), (2, 'Zoë', 120.00)", 2},
	{"UPDATE orders SET total = 19.90 WHERE id = 1", 1},
	{"ALTER TABLE orders ADD COLUMN paid BOOLEAN NOT NULL DEFAULT FALSE AFTER customer", 1},
	{"UPDATE orders SET paid = TRUE WHERE id = 2", 1},
	{"UPDATE orders SET id = 3 WHERE id = 2", 1},
	{"DELETE FROM orders WHERE id = 1", 1},
}

// demoRecord is the offset of the record that kcat shows.
const demoRecord = 3

// demo shows the way of the data with the programs a user would run: this
// binary's own serve and tail, and kcat.
type demo struct {
	source, user, passwordEnv, kcat string
	stay                            bool

	out      io.Writer
	dir      string // of the configuration and the data; removed at the end
	address  string // the Kafka listener
	admin    string // the admin API's
	password string // of the source's account
}

func (a *app) demo() *cobra.Command {
	d := &demo{out: a.stdout}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Change a few rows of a MySQL server and see the changes arrive",
		Long: `Makes the database ` + demoDatabase + ` on the server given by --source, runs "daybook serve" on it
in a temporary directory, changes rows, prints the changes as "daybook tail" shows
them and a record as kcat receives it, and removes everything again. The account must be allowed to do that and to replicate.

No server or kcat at hand? "make demo" in a checkout of Daybook gets both.`,
		Example: `  make demo
  daybook demo --source 127.0.0.1:3306 --user root --password-env MYSQL_PASSWORD
  daybook demo --source 127.0.0.1:3306 --stay    # and keep it running until Ctrl-C`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if d.source == "" {
				return &usageError{errors.New(`demo needs --source HOST:PORT, a MySQL or MariaDB it may write to; "make demo" in a checkout gets one`)}
			}
			d.password = os.Getenv(d.passwordEnv)
			err := d.run(cmd.Context())
			if cmd.Context().Err() != nil {
				return nil // Ctrl-C is a way to end it
			}
			return err
		},
	}
	cmd.Flags().StringVar(&d.source, "source", "", "`host:port` of the server")
	cmd.Flags().StringVar(&d.user, "user", "root", "account on the server")
	cmd.Flags().StringVar(&d.passwordEnv, "password-env", "MYSQL_PASSWORD", "environment `variable` with its password")
	cmd.Flags().StringVar(&d.kcat, "kcat", "kcat", "`path` of kcat")
	cmd.Flags().BoolVar(&d.stay, "stay", false, "keep running until Ctrl-C")
	return cmd
}

func (d *demo) run(ctx context.Context) error {
	var err error
	if d.dir, err = os.MkdirTemp("", "daybook-demo-"); err != nil {
		return err
	}
	defer os.RemoveAll(d.dir)
	db, err := d.connect()
	if err != nil {
		return err
	}
	defer func() {
		_, _ = db.Execute("DROP DATABASE " + demoDatabase) // a lost connection has told already
		_ = db.Close()
	}()

	stopServe, err := d.serve(ctx)
	if err != nil {
		return err
	}
	defer stopServe()
	lines, stopTail, err := d.tail(ctx)
	if err != nil {
		return err
	}
	err = d.change(ctx, db, lines)
	stopTail()
	if err != nil {
		return err
	}
	if err := d.record(ctx); err != nil {
		return err
	}
	d.next(ctx)
	return nil
}

// connect makes the demo's database and selects it.
func (d *demo) connect() (*client.Conn, error) {
	db, err := client.Connect(d.source, d.user, d.password, "")
	if err != nil {
		return nil, fmt.Errorf("connect to %s as %s: %w", d.source, d.user, err)
	}
	for _, sql := range []string{"SET NAMES utf8mb4", "CREATE DATABASE " + demoDatabase + " CHARACTER SET utf8mb4", "USE " + demoDatabase} {
		if _, err := db.Execute(sql); err != nil {
			_ = db.Close()
			return nil, fmt.Errorf("%s: %w", sql, err)
		}
	}
	return db, nil
}

// serve starts this binary's serve command and waits until its task follows
// the source. stop ends it in order.
func (d *demo) serve(ctx context.Context) (stop func(), err error) {
	for _, address := range []*string{&d.address, &d.admin} {
		if *address, err = freeAddress(); err != nil {
			return nil, err
		}
	}
	file := filepath.Join(d.dir, "daybook.yaml")
	if err := os.WriteFile(file, []byte(d.config()), 0o600); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(d.out, "$ cat daybook.yaml\n%s\n$ daybook serve -c daybook.yaml &\n", d.config())
	cmd := d.command(ctx, self, "serve", "-c", file, "--log-format", "json")
	cmd.Env = append(os.Environ(), "MYSQL_PASSWORD="+d.password, "CONSUMER_PASSWORD="+demoPassword)
	log, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start daybook serve: %w", err)
	}
	ready, drained := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(drained)
		d.follow(log, ready)
	}()
	stop = func() {
		_ = cmd.Cancel()
		<-drained
		_ = cmd.Wait() // what it had to say stands in its log
	}
	select {
	case <-ready:
		return stop, nil
	case <-drained:
		err = errors.New("daybook serve ended, see above")
	case <-time.After(demoPatience):
		err = errors.New("daybook serve does not follow the server, see above")
	}
	stop()
	return nil, err
}

// follow reads the log of serve: closes ready when the task follows its
// source, and shows the user whatever is a warning or worse.
func (d *demo) follow(log io.Reader, ready chan struct{}) {
	following := false
	for s := bufio.NewScanner(log); s.Scan(); {
		var line struct{ Level, Msg, State string }
		err := json.Unmarshal(s.Bytes(), &line)
		advice := line.Msg == "precheck warns" // for a server that stays; 'daybook check' gives it
		if err != nil || (line.Level == "WARN" || line.Level == "ERROR") && !advice {
			fmt.Fprintln(d.out, s.Text())
		}
		if line.Msg == "task state" && line.State == "Normal" && !following {
			following = true
			close(ready)
		}
	}
}

// tail starts this binary's tail, whose lines are the changes. The channel is closed
// when it ends.
func (d *demo) tail(ctx context.Context) (lines <-chan string, stop func(), err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	fmt.Fprintf(d.out, "$ daybook tail shop -c daybook.yaml --from earliest\n\n")
	args := []string{"tail", "shop", "-c", filepath.Join(d.dir, "daybook.yaml"), "--from", "earliest"}
	if f, ok := d.out.(*os.File); ok && colorful(f) {
		args = append(args, "--color", "always")
	}
	cmd := d.command(ctx, self, args...)
	cmd.Stderr = unlessDone{ctx, d.out}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("start daybook tail: %w", err)
	}
	received, stopped := make(chan string), make(chan struct{})
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		defer close(received)
		for s := bufio.NewScanner(out); s.Scan(); {
			select {
			case received <- s.Text():
			case <-stopped:
			}
		}
	}()
	return received, func() {
		close(stopped)
		_ = cmd.Cancel()
		<-drained
		_ = cmd.Wait()
	}, nil
}

// record has kcat show a record, if it is there.
func (d *demo) record(ctx context.Context) error {
	kcat, err := exec.LookPath(d.kcat)
	if err != nil {
		fmt.Fprintf(d.out, "kcat is not here, so no Kafka client shows the records; install it (apt-get install kcat) or name it with --kcat\n\n")
		return nil
	}
	args := []string{"-b", d.address,
		"-X", "security.protocol=SASL_PLAINTEXT", "-X", "sasl.mechanism=PLAIN",
		"-X", "sasl.username=demo-reader", "-X", "sasl.password=" + demoPassword,
		"-C", "-t", "shop", "-o", fmt.Sprint(demoRecord), "-c", "1"}
	fmt.Fprintf(d.out, "$ kcat %s\n", strings.Join(args, " "))
	ctx, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	cmd := d.command(ctx, kcat, append(args, "-q")...)
	cmd.Stderr = unlessDone{ctx, d.out}
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("kcat did not receive a record: %w", err)
	}
	fmt.Fprintf(d.out, "%s\n", out)
	return nil
}

// change runs the statements and prints the changes of each as they arrive.
func (d *demo) change(ctx context.Context, db *client.Conn, lines <-chan string) error {
	for _, step := range demoSteps {
		fmt.Fprintf(d.out, "mysql> %s;\n", step.sql)
		if _, err := db.Execute(step.sql); err != nil {
			return fmt.Errorf("%s: %w", step.sql, err)
		}
		for range step.changes {
			select {
			case line, ok := <-lines:
				if !ok {
					return errors.New("daybook tail ended, see above")
				}
				fmt.Fprintln(d.out, line)
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(demoPatience):
				return errors.New("no change arrived for a minute")
			}
		}
		fmt.Fprintln(d.out)
	}
	return nil
}

func (d *demo) next(ctx context.Context) {
	fmt.Fprint(d.out, `That was a real server, a real binlog and a stock Kafka client. Next:
  daybook demo --stay          the same, left running for clients of your own (make demo STAY=1)
  daybook check -c FILE        is your MySQL ready? config.example.yaml shows every key of FILE
  daybook serve -c FILE        run it; README.md shows consumers in other languages
  daybook tail TASK -c FILE    the changes, as above
  daybook group list -c FILE   who consumes, and how far they are
`)
	if !d.stay {
		return
	}
	fmt.Fprintf(d.out, `
Running until Ctrl-C. Change %s on %s, and read it from
  %s   topic shop, group mine, SASL PLAIN demo-mine / %s
`, demoDatabase, d.source, d.address, demoPassword)
	<-ctx.Done()
}

func (d *demo) config() string {
	return fmt.Sprintf(`data_dir: ./data
kafka:
  listeners: [{name: demo, address: "%s"}]
admin: {address: "%s"}
tasks:
  - name: shop
    source: {address: "%s", user: %q, password_env: MYSQL_PASSWORD}
    objects: {include: ["%s.*"]}
    schema_changes: objects
    groups:
      - {id: reader, account: demo, password_env: CONSUMER_PASSWORD}
      - {id: mine, account: demo, password_env: CONSUMER_PASSWORD}
`, d.address, d.admin, d.source, d.user, demoDatabase)
}

// command prepares a program that is ended in order when ctx is done.
func (d *demo) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = shutdownLimit
	return cmd
}

// unlessDone drops what a program complains about while everything is taken down.
type unlessDone struct {
	ctx context.Context
	w   io.Writer
}

func (u unlessDone) Write(p []byte) (int, error) {
	if u.ctx.Err() != nil {
		return len(p), nil
	}
	return u.w.Write(p)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
