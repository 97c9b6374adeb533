//go:build servers

// Package tls shows that stock clients log in by each mechanism, with and
// without TLS, and read the same records; that a listener takes up changed
// certificates while clients read; and that it can demand theirs.
package tls

import (
	"context"
	cryptotls "crypto/tls"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"daybook/e2e/harness"
	"daybook/e2e/servers"
	"daybook/servertls/certtest"
)

const rows = 200

// password is one that clients would encode in different ways, if any is.
const password = "Tür, schlüssel=密碼 🔒"

// daybook is a running one with some records, and what clients need to trust it.
type daybook struct {
	*harness.Daybook
	ca  *certtest.CA
	dir string // of the certificates: ca.pem, server.pem, server.key
}

// start starts a daybook whose listener has these further keys, in which $DIR
// is where the certificates are.
func start(t *testing.T, listener string, groups ...string) *daybook {
	t.Helper()
	d := &daybook{ca: certtest.NewCA(t, "Daybook's tests"), dir: t.TempDir()}
	d.ca.Issue("first").Write(t, d.dir, "server")
	certtest.File(t, d.dir, "ca.pem", d.ca.PEM())
	server := servers.Get(t, "mysql-8.0")
	name, db := server.Database(t)
	db.Exec("CREATE TABLE notes (id INT PRIMARY KEY)")
	d.Daybook = harness.Start(t, harness.Config{
		Source: server.Address, Include: []string{name + ".*"}, SchemaChanges: "none",
		Groups: groups, GroupPassword: password, Listener: strings.ReplaceAll(listener, "$DIR", d.dir),
	})
	d.WaitLog("state=Normal", time.Minute) // "now" has been fixed
	for i := range rows {
		db.Exec(fmt.Sprintf("INSERT INTO notes VALUES (%d)", i))
	}
	return d
}

const serverTLS = `tls: {cert_file: "$DIR/server.pem", key_file: "$DIR/server.key"}`

var mechanisms = []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"}

// clients read all rows with a mechanism and return "offset value" of each.
var clients = []struct {
	name string
	read func(t *testing.T, d *daybook, tls bool, mechanism, group string) []string
}{
	{"franz-go", readFranz},
	{"kcat", func(t *testing.T, d *daybook, tls bool, mechanism, group string) []string {
		t.Helper()
		out, err := kcat(t, d, tls, mechanism, group)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}},
	{"java-1.1.1", readJava("1.1.1")},
	{"java-4.4.0", readJava("4.4.0")},
}

func TestEveryMechanismWithEveryClient(t *testing.T) {
	var groups []string
	for _, c := range clients {
		for _, m := range mechanisms {
			groups = append(groups, groupOf(c.name, m))
		}
	}
	for name, listener := range map[string]string{"TLS": serverTLS, "plaintext": ""} {
		t.Run(name, func(t *testing.T) {
			d := start(t, listener, groups...)
			want := readFranz(t, d, listener != "", "PLAIN", harness.Group)
			for _, c := range clients {
				for _, m := range mechanisms {
					got := c.read(t, d, listener != "", m, groupOf(c.name, m))
					if !slices.Equal(got, want) {
						t.Errorf("%s with %s: read %d records that are not the %d that franz-go read", c.name, m, len(got), len(want))
					}
				}
			}
		})
	}
}

// groupOf is the group that a client uses with a mechanism.
func groupOf(client, mechanism string) string { return strings.ToLower(client + "-" + mechanism) }

// What is wrong with a login is told, by each mechanism.
func TestWrongLogins(t *testing.T) {
	d := start(t, serverTLS)
	for _, m := range mechanisms {
		for setting, message := range map[string]string{
			"sasl.password=wrong":      "unknown username or wrong password",
			"sasl.username=app-nobody": "unknown username or wrong password",
			"sasl.username=nobody":     "the SASL username must have the form <account>-<group ID>",
		} {
			out, err := kcat(t, d, true, m, harness.Group, "-X", setting)
			if err == nil || !strings.Contains(err.Error(), message) {
				t.Errorf("%s, %s: %d lines, %v", m, setting, len(out), err)
			}
		}
	}
}

func TestCertificatesAreReadAgain(t *testing.T) {
	d := start(t, serverTLS)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	during := franz(t, d, true, "SCRAM-SHA-256", harness.Group)
	if err := during.PollFetches(ctx).Err(); err != nil {
		t.Fatal(err)
	}

	before := d.dir + "/ca.pem"
	d.ca = certtest.NewCA(t, "the next authority")
	after := certtest.File(t, d.dir, "next.pem", d.ca.PEM())
	d.ca.Issue("second").Write(t, d.dir, "server")
	d.WaitLog("CN=second", time.Minute)
	if _, err := kcat(t, d, true, "PLAIN", harness.Group, "-X", "ssl.ca.location="+before, "-L"); err == nil {
		t.Error("a client that trusts only the authority before has connected")
	}
	if _, err := kcat(t, d, true, "PLAIN", harness.Group, "-X", "ssl.ca.location="+after, "-L"); err != nil {
		t.Error(err)
	}

	certtest.File(t, d.dir, "server.pem", []byte("not a certificate"))
	d.WaitLog("cannot use the changed certificate files", time.Minute)
	if _, err := kcat(t, d, true, "PLAIN", harness.Group, "-X", "ssl.ca.location="+after, "-L"); err != nil {
		t.Errorf("with a broken file: %v", err)
	}
	if err := during.CommitUncommittedOffsets(ctx); err != nil {
		t.Errorf("a connection from before: %v", err)
	}
}

func TestClientCertificateIsDemanded(t *testing.T) {
	d := start(t, strings.TrimSuffix(serverTLS, "}")+`, client_ca_file: "$DIR/ca.pem"}`)
	if _, err := kcat(t, d, true, "PLAIN", harness.Group, "-L"); err == nil {
		t.Error("a client without a certificate has connected")
	}
	d.WaitLog("client didn't provide a certificate", time.Minute)
	cert, key := d.ca.Issue("client").Write(t, d.dir, "client")
	if _, err := kcat(t, d, true, "SCRAM-SHA-512", harness.Group, "-L",
		"-X", "ssl.certificate.location="+cert, "-X", "ssl.key.location="+key); err != nil {
		t.Error(err)
	}
}

func readFranz(t *testing.T, d *daybook, tls bool, mechanism, group string) []string {
	t.Helper()
	c := franz(t, d, tls, mechanism, group)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var lines []string
	for len(lines) < rows {
		fetched := c.PollFetches(ctx)
		if err := fetched.Err(); err != nil {
			t.Fatalf("franz-go: %v, after %d records", err, len(lines))
		}
		for _, r := range fetched.Records() {
			lines = append(lines, fmt.Sprintf("%d %s", r.Offset, r.Value))
		}
	}
	c.Close()
	return lines
}

func franz(t *testing.T, d *daybook, tls bool, mechanism, group string) *kgo.Client {
	t.Helper()
	user := harness.Account + "-" + group
	opts := []kgo.Opt{
		kgo.SeedBrokers(d.Address()), kgo.ConsumeTopics(harness.Topic), kgo.ConsumerGroup(group), kgo.DisableAutoCommit(),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.SASL(map[string]sasl.Mechanism{
			"PLAIN":         plain.Auth{User: user, Pass: password}.AsMechanism(),
			"SCRAM-SHA-256": scram.Auth{User: user, Pass: password}.AsSha256Mechanism(),
			"SCRAM-SHA-512": scram.Auth{User: user, Pass: password}.AsSha512Mechanism(),
		}[mechanism]),
	}
	if tls {
		opts = append(opts, kgo.DialTLSConfig(&cryptotls.Config{RootCAs: d.ca.Pool()}))
	}
	c, err := kgo.NewClient(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// kcat reads all rows, or does what the further arguments say.
func kcat(t *testing.T, d *daybook, tls bool, mechanism, group string, further ...string) ([]string, error) {
	t.Helper()
	args := []string{"-b", d.Address(), "-X", "sasl.mechanism=" + mechanism,
		"-X", "sasl.username=" + harness.Account + "-" + group, "-X", "sasl.password=" + password,
		"-X", "auto.offset.reset=earliest", "-X", "security.protocol=" + protocol(tls), "-m", "10"}
	if tls {
		args = append(args, "-X", "ssl.ca.location="+d.dir+"/ca.pem")
	}
	args = append(args, further...)
	if !slices.Contains(further, "-L") {
		args = append(args, "-f", `%o %s\n`, "-c", strconv.Itoa(rows), "-G", group, harness.Topic)
	}
	return run(t, found(t, "kcat")[0], args...)
}

func protocol(tls bool) string {
	if tls {
		return "SASL_SSL"
	}
	return "SASL_PLAINTEXT"
}

func readJava(version string) func(*testing.T, *daybook, bool, string, string) []string {
	return func(t *testing.T, d *daybook, tls bool, mechanism, group string) []string {
		t.Helper()
		module := "plain.Plain"
		if mechanism != "PLAIN" {
			module = "scram.Scram"
		}
		settings := []string{
			"bootstrap.servers=" + d.Address(), "group.id=" + group,
			"security.protocol=" + protocol(tls), "sasl.mechanism=" + mechanism,
			fmt.Sprintf("sasl.jaas.config=org.apache.kafka.common.security.%sLoginModule required username=\"%s-%s\" password=\"%s\";",
				module, harness.Account, group, escaped(password)),
		}
		if tls {
			settings = append(settings, "ssl.truststore.location="+truststore(t, d), "ssl.truststore.type=PKCS12",
				"ssl.truststore.password=changeit", "ssl.endpoint.identification.algorithm=https")
		}
		file := certtest.File(t, t.TempDir(), "client.properties", []byte(strings.Join(settings, "\n")))
		words := found(t, "run", "java-"+version) // the last one is another program
		lines, err := run(t, words[0], slices.Concat(words[1:len(words)-1], []string{"Read.java", file, harness.Topic, strconv.Itoa(rows)})...)
		if err != nil {
			t.Fatal(err)
		}
		return lines
	}
}

// escaped is a text as a properties file takes it, whose encoding was Latin-1.
func escaped(s string) string {
	var b strings.Builder
	for _, c := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, `\u%04x`, c)
	}
	return b.String()
}

// truststore has the JDK's own tool make what old clients read.
func truststore(t *testing.T, d *daybook) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.p12")
	if _, err := run(t, "keytool", "-importcert", "-noprompt", "-alias", "ca", "-file", d.dir+"/ca.pem",
		"-keystore", path, "-storetype", "PKCS12", "-storepass", "changeit"); err != nil {
		t.Fatal(err)
	}
	return path
}

// found returns how to run a client, as scripts/clients.sh tells.
func found(t *testing.T, args ...string) []string {
	t.Helper()
	lines, err := run(t, "../../scripts/clients.sh", args...)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// run runs a program and returns the lines that it prints.
func run(t *testing.T, program string, args ...string) ([]string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", program, err, stderr.String())
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n"), nil
}
