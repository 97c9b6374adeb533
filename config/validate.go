package config

import (
	"fmt"
	"maps"
	"net"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kafka's own rule for topic names (org.apache.kafka.common.internals.Topic).
var topicName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,249}$`)

// validate checks what the YAML types cannot say and reads the secrets.
func (l *loader) validate(c *Config) {
	l.data(c)
	l.listeners(c.Kafka.Listeners)
	l.limits(&c.Kafka)
	l.admin(&c.Admin)
	l.tokens(&c.Admin)
	if len(c.Tasks) == 0 && c.Admin.Off() {
		l.faultf("tasks", "there is no task, and no admin API to create one; config.example.yaml shows one")
	}
	names, groups := map[string]string{}, map[string]string{}
	for i := range c.Tasks {
		key := fmt.Sprintf("tasks[%d]", i)
		t := &c.Tasks[i]
		switch l.taskName(key, t.Name); {
		case names[t.Name] != "":
			l.faultf(key+".name", "is the name of %s already", names[t.Name])
		case t.Name != "":
			names[t.Name] = key
		}
		l.tracks(key, t)
		if !*t.AutoStart {
			l.faultf(key+".auto_start", "a task of the file starts by itself: leave it out, or make a task that waits by 'daybook task create'")
		}
		if n := c.Kafka.MaxGroupsPerTask; len(t.Groups) > n {
			l.faultf(key+".groups", "there are %d; kafka.max_groups_per_task allows %d", len(t.Groups), n)
		}
		l.groups(key, t.Groups, groups)
	}
}

func (l *loader) taskName(key, name string) {
	switch {
	case name == "":
		l.faultf(key+".name", "a task needs a name: it is the topic's")
	case !topicName.MatchString(name) || name == "." || name == "..":
		l.faultf(key+".name", "cannot be a topic: 1–249 of letters, digits, '.', '_' and '-'")
	}
}

func (l *loader) data(c *Config) {
	if c.DataDir == "" {
		l.faultf("data_dir", "is empty")
	}
	if c.Retention.Age < Duration(time.Minute) {
		l.faultf("retention.age", "%v is less than a minute", c.Retention.Age)
	}
	if c.Retention.MaxBytes < 0 {
		l.faultf("retention.max_bytes", "is negative; 0 means no cap")
	}
}

func (l *loader) listeners(ls []Listener) {
	names := map[string]bool{}
	for i, li := range ls {
		key := fmt.Sprintf("kafka.listeners[%d]", i)
		if li.Name == "" {
			l.faultf(key+".name", "a listener needs a name")
		} else if names[li.Name] {
			l.faultf(key+".name", "is the name of another listener")
		}
		names[li.Name] = true
		l.address(key+".address", li.Address)
		if li.Advertised != li.Address {
			l.address(key+".advertised", li.Advertised)
		}
		if host, _, err := net.SplitHostPort(li.Advertised); err == nil {
			if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
				l.faultf(key+".advertised", "is no address that a client can connect to: advertise a host name or IP address")
			}
		}
		l.listenerSecurity(key, &li)
	}
}

// listenerSecurity refuses what would send passwords over a network in clear
// text, unless that is asked for.
func (l *loader) listenerSecurity(key string, li *Listener) {
	for i, m := range li.SASLMechanisms {
		l.oneOf(fmt.Sprintf("%s.sasl_mechanisms[%d]", key, i), m, saslMechanisms()...)
	}
	if t := li.TLS; t != nil {
		if t.CertFile == "" || t.KeyFile == "" {
			l.faultf(key+".tls", "needs cert_file and key_file")
		}
		l.readable(key+".tls", map[string]string{"cert_file": t.CertFile, "key_file": t.KeyFile, "client_ca_file": t.ClientCAFile})
		return
	}
	if !loopback(li.Address) && slices.Contains(li.SASLMechanisms, "PLAIN") && !li.AllowPlaintext {
		l.faultf(key, "clients that log in with PLAIN would send passwords over the network in clear text: "+
			"give the listener tls, or sasl_mechanisms without PLAIN, or allow_plaintext: true")
	}
}

// loopback tells whether only this host can reach host:port.
func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return true // which is a fault of its own
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (l *loader) limits(k *Kafka) {
	for _, n := range []struct {
		key   string
		value int
	}{
		{"max_connections", k.MaxConnections}, {"max_connections_per_address", k.MaxConnectionsPerAddress},
		{"max_connections_per_group", k.MaxConnectionsPerGroup}, {"max_groups_per_task", k.MaxGroupsPerTask},
	} {
		if n.value < 1 {
			l.faultf("kafka."+n.key, "%d is less than one", n.value)
		}
	}
	if k.IdleTimeout < Duration(time.Second) {
		l.faultf("kafka.idle_timeout", "%v is less than a second", k.IdleTimeout)
	}
	if k.OffsetRetention < Duration(time.Minute) {
		l.faultf("kafka.offset_retention", "%v is less than a minute", k.OffsetRetention)
	}
}

// admin refuses what would send the token over a network in clear text, unless
// that is asked for.
func (l *loader) admin(a *Admin) {
	if a.Off() {
		return
	}
	l.address("admin.address", a.Address)
	if t := a.TLS; t != nil {
		if t.CertFile == "" || t.KeyFile == "" {
			l.faultf("admin.tls", "needs cert_file and key_file")
		}
		l.readable("admin.tls", map[string]string{"cert_file": t.CertFile, "key_file": t.KeyFile})
		return
	}
	if !loopback(a.Address) && !a.AllowPlaintext {
		l.faultf("admin", "clients would send the token over the network in clear text: give it tls, or a loopback address, or allow_plaintext: true")
	}
}

// tokens wants names and files that differ from each other's.
func (l *loader) tokens(a *Admin) {
	if a.Off() {
		return
	}
	names, files := map[string]bool{FirstToken: true}, map[string]bool{a.TokenFile: true, a.SecretKeyFile: true}
	for i, t := range a.Tokens {
		key := fmt.Sprintf("admin.tokens[%d]", i)
		if err := l.rules.Token(t.Name); err != nil {
			l.faultf(key+".name", "%v", err)
		} else if names[t.Name] {
			l.faultf(key+".name", "is the name of another token (that of token_file is called %s)", FirstToken)
		}
		if err := l.rules.Role(t.Role); err != nil {
			l.faultf(key+".role", "%v", err)
		}
		switch {
		case t.File == "":
			l.faultf(key+".file", "is missing: it holds the token, and is made at the first start")
		case files[t.File]:
			l.faultf(key+".file", "is the file of another token or key")
		}
		names[t.Name], files[t.File] = true, true
	}
}

// address checks host:port. A URL is none, nor is what names a user too.
func (l *loader) address(key, addr string) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil || strings.ContainsAny(addr, "@/?#\\ \t\r\n") {
		l.faultf(key, "is not of the form host:port")
		return
	}
	if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
		l.faultf(key, "has no port of 1–65535")
	}
}

// tracks checks what a task says of its source and of what it tracks there.
func (l *loader) tracks(key string, t *Task) {
	src := &t.Source
	l.address(key+".source.address", src.Address)
	if src.User == "" {
		l.faultf(key+".source.user", "is missing: the MySQL user with REPLICATION SLAVE, REPLICATION CLIENT and SELECT")
	}
	if !l.given {
		l.sourceSecret(key+".source", src)
	}
	if d := src.Away; d != 0 && d < Duration(time.Second) {
		l.faultf(key+".source.away", "%v is less than a second", d)
	}
	l.tls(key+".source.tls", &src.TLS)
	l.publicKey(key+".source", src)
	l.oneOf(key+".schema_changes", t.SchemaChanges, "instance", "objects", "none")
	l.oneOf(key+".format", t.Format, "debezium-json")
	l.oneOf(key+".wire_compression", t.WireCompression, "none", "gzip", "snappy", "lz4", "zstd")
	l.oneOf(key+".partial_images", t.PartialImages, "accept", "stop")
	if d := *t.CheckDefinitions; d != 0 && d < Duration(time.Second) {
		l.faultf(key+".check_definitions", "%v is less than a second", d)
	}
	if d := t.Retention.Age; d != 0 && d < Duration(time.Minute) {
		l.faultf(key+".retention.age", "%v is less than a minute", d)
	}
	if t.Retention.MaxBytes < 0 {
		l.faultf(key+".retention.max_bytes", "is negative; 0 means no cap of its own")
	}
	for i, name := range t.SkipChecks {
		if err := l.rules.Check(name); err != nil {
			l.faultf(fmt.Sprintf("%s.skip_checks[%d]", key, i), "%v", err)
		}
	}
	l.patterns(key+".objects.include", t.Objects.Include)
	l.patterns(key+".objects.exclude", t.Objects.Exclude)
}

func (l *loader) tls(key string, t *TLS) {
	l.oneOf(key+".mode", t.Mode, "disabled", "preferred", "required", "verify-ca", "verify-identity")
	if (t.Mode == "verify-ca" || t.Mode == "verify-identity") && t.CAFile == "" {
		l.faultf(key+".ca_file", "mode %s needs the certificate authority's file", t.Mode)
	}
	if (t.CertFile == "") != (t.KeyFile == "") {
		l.faultf(key, "cert_file and key_file go together")
	}
	l.readable(key, map[string]string{"ca_file": t.CAFile, "cert_file": t.CertFile, "key_file": t.KeyFile})
}

// publicKey is of use without TLS only: over TLS the server wants the password itself.
func (l *loader) publicKey(key string, s *Source) {
	if s.PublicKeyFile == "" {
		return
	}
	if s.TLS.Mode != "disabled" {
		l.faultf(key+".server_public_key_file", "is for tls.mode disabled; with TLS, verify-ca and verify-identity tell who the server is")
	}
	l.readable(key, map[string]string{"server_public_key_file": s.PublicKeyFile})
}

// readable checks the files that keys below key name.
func (l *loader) readable(key string, files map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if files[name] == "" {
			continue
		}
		if _, err := os.Stat(files[name]); err != nil {
			l.faultf(key+"."+name, "cannot read the file: %v", unreadable(err))
		}
	}
}

// groups checks those of a task. Seen has the keys of all groups before, by ID.
func (l *loader) groups(taskKey string, gs []Group, seen map[string]string) {
	for i := range gs {
		g := &gs[i]
		key := fmt.Sprintf("%s.groups[%d]", taskKey, i)
		if err := l.rules.Group(g.ID); err != nil {
			l.faultf(key+".id", "%v", err)
		} else if other := seen[g.ID]; other != "" {
			l.faultf(key+".id", "is the group ID of %s already: a group belongs to one task and has one account", other)
		} else {
			seen[g.ID] = key
		}
		if err := l.rules.Account(g.Account); err != nil {
			l.faultf(key+".account", "%v", err)
		}
		if g.Password = l.secret(key, g.PasswordEnv, g.PasswordFile); g.Password == "" {
			continue // which is a fault already
		}
		if err := l.rules.Password(g.Password); err != nil {
			l.faultf(key+passwordKey(g), "%v", err)
		}
	}
}

// passwordKey is the key that the group's password was read by.
func passwordKey(g *Group) string {
	if g.PasswordEnv != "" {
		return ".password_env"
	}
	return ".password_file"
}

func (l *loader) oneOf(key, v string, allowed ...string) {
	if !slices.Contains(allowed, v) {
		l.faultf(key, "is not one of %s", strings.Join(allowed, ", "))
	}
}

func (l *loader) patterns(key string, ps []string) {
	for i, err := range l.rules.Patterns(ps) {
		if err != nil {
			l.faultf(fmt.Sprintf("%s[%d]", key, i), "%v", err)
		}
	}
}
