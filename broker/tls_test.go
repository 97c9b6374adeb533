package broker_test

import (
	"crypto/tls"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"daybook/broker"
	"daybook/servertls"
	"daybook/servertls/certtest"
)

// tlsCluster is a cluster whose listener has a certificate of an authority.
type tlsCluster struct {
	*cluster
	ca    *certtest.CA
	files servertls.Files
	dir   string
}

func newTLSCluster(t *testing.T, change ...func(*broker.Options)) *tlsCluster {
	t.Helper()
	c := &tlsCluster{ca: certtest.NewCA(t, "test authority"), dir: t.TempDir()}
	c.files.CertFile, c.files.KeyFile = c.ca.Issue("first").Write(t, c.dir, "server")
	c.cluster = newCluster(t, append([]func(*broker.Options){func(o *broker.Options) {
		o.Listeners[0].TLS = &c.files
		o.ReloadInterval = 10 * time.Millisecond
	}}, change...)...)
	return c
}

// connect does a handshake, and waits for what the server makes of it: in TLS
// 1.3 the client is done before the server has seen its certificate.
func (c *tlsCluster) connect(config *tls.Config) (*client, error) {
	c.t.Helper()
	nc, err := net.Dial("tcp", c.addr())
	must(c.t, err)
	c.t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(20 * time.Second))
	tc := tls.Client(nc, config)
	if err := tc.HandshakeContext(c.t.(*testing.T).Context()); err != nil {
		return nil, err
	}
	cl := &client{Conn: tc, t: c.t}
	cl.send(kmsg.NewPtrApiVersionsRequest())
	_, err = cl.frame()
	return cl, err
}

func (c *tlsCluster) trusting() *tls.Config {
	return &tls.Config{RootCAs: c.ca.Pool(), ServerName: "localhost"}
}

func TestTLS(t *testing.T) {
	c := newTLSCluster(t)
	c.produce(100, 1000)
	for _, m := range []kgo.Opt{
		kgo.SASL(plain.Auth{User: user, Pass: password}.AsMechanism()),
		kgo.SASL(scram.Auth{User: user, Pass: password}.AsSha256Mechanism()),
		kgo.SASL(scram.Auth{User: user, Pass: password}.AsSha512Mechanism()),
	} {
		ctx, cl := c.consumer(m, kgo.DialTLSConfig(c.trusting()), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
		consume(t, ctx, cl, 0, 1100)
		cl.Close() // the next one's turn
	}
}

func TestTLSVersions(t *testing.T) {
	c := newTLSCluster(t)
	for version, ok := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		config := c.trusting()
		config.MinVersion, config.MaxVersion = version, version
		if _, err := c.connect(config); (err == nil) != ok {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
	}
}

func TestPlaintextOnATLSListener(t *testing.T) {
	c := newTLSCluster(t)
	cl := c.dial()
	cl.send(kmsg.NewPtrApiVersionsRequest())
	cl.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := cl.Read(make([]byte, 64)); err == nil {
		cl.Read(make([]byte, 64)) // after an alert comes the end
	}
	waitLog(t, c.cluster, "first record does not look like a TLS handshake")
}

func TestClientCertificates(t *testing.T) {
	clients, strangers := certtest.NewCA(t, "clients"), certtest.NewCA(t, "strangers")
	c := newTLSCluster(t, func(o *broker.Options) {
		o.Listeners[0].TLS.ClientCAFile = certtest.File(t, t.TempDir(), "clients.pem", clients.PEM())
	})
	for name, test := range map[string]struct {
		certificates []tls.Certificate
		ok           bool
	}{
		"none":         {nil, false},
		"a stranger's": {[]tls.Certificate{strangers.Issue("app").TLS(t)}, false},
		"the server's": {[]tls.Certificate{c.ca.Issue("app").TLS(t)}, false},
		"right":        {[]tls.Certificate{clients.Issue("app").TLS(t)}, true},
	} {
		for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
			config := c.trusting()
			config.MaxVersion = version
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				if test.certificates == nil {
					return &tls.Certificate{}, nil
				}
				return &test.certificates[0], nil // though the server names another authority
			}
			cl, err := c.connect(config)
			if (err == nil) != test.ok {
				t.Errorf("%s, %s: %v", name, tls.VersionName(version), err)
			}
			if err == nil {
				// A certificate is not a login.
				cl.send(kmsg.NewPtrMetadataRequest())
				cl.wantClosed()
			}
		}
	}
}

// waitLog waits until the log holds the text.
func waitLog(t *testing.T, c *cluster, text string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(c.logs.String(), text); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the log has no %q:\n%s", text, c.logs)
		}
	}
}

// serving returns the name in the certificate that a new connection gets.
func (c *tlsCluster) serving() string {
	c.t.Helper()
	cl, err := c.connect(c.trusting())
	must(c.t, err)
	return cl.Conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Subject.CommonName
}

func TestCertificateReload(t *testing.T) {
	c := newTLSCluster(t)
	old, err := c.connect(c.trusting())
	must(t, err)
	if code := old.authenticate(user, password); code != 0 {
		t.Fatalf("error %d", code)
	}
	want := func(name string) {
		t.Helper()
		if got := c.serving(); got != name {
			t.Errorf("the certificate is %q, want %q", got, name)
		}
	}
	want("first")

	c.ca.Issue("second").Write(t, c.dir, "server")
	waitLog(t, c.cluster, "CN=second")
	want("second")

	third := c.ca.Issue("third")
	certtest.File(t, c.dir, "server.pem", third.Cert) // without its key
	waitLog(t, c.cluster, "private key does not match public key")
	want("second")
	certtest.File(t, c.dir, "server.pem", []byte("rubbish"))
	waitLog(t, c.cluster, "failed to find any PEM data")
	want("second")
	third.Write(t, c.dir, "server")
	waitLog(t, c.cluster, "CN=third")
	want("third")

	ask[*kmsg.MetadataResponse](old, kmsg.NewPtrMetadataRequest()) // it went on all the time
}

// The authority for clients is read again too, and no session that began under
// the one before is resumed.
func TestClientAuthorityReload(t *testing.T) {
	before, after := certtest.NewCA(t, "before"), certtest.NewCA(t, "after")
	dir := t.TempDir()
	c := newTLSCluster(t, func(o *broker.Options) {
		o.Listeners[0].TLS.ClientCAFile = certtest.File(t, dir, "clients.pem", before.PEM())
	})
	config := c.trusting()
	config.Certificates = []tls.Certificate{before.Issue("app").TLS(t)}
	config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	_, err := c.connect(config)
	must(t, err)
	certtest.File(t, dir, "clients.pem", after.PEM())
	for deadline := time.Now().Add(10 * time.Second); ; {
		if _, err := c.connect(config); err != nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a certificate of the authority before still opens the door")
		}
	}
	config.Certificates = []tls.Certificate{after.Issue("app").TLS(t)}
	_, err = c.connect(config)
	must(t, err)
}

// Clients that do not go on with the handshake hold up nobody, and are sent
// away; Close does not wait for them.
func TestSilenceInTheHandshake(t *testing.T) {
	c := newTLSCluster(t, func(o *broker.Options) { o.LoginTimeout = 300 * time.Millisecond })
	var silent []*client
	for range 20 {
		silent = append(silent, c.dial())
	}
	must(t, func() error { _, err := c.connect(c.trusting()); return err }())
	for _, cl := range silent {
		cl.wantClosed()
	}
	c = newTLSCluster(t)
	c.dial()
	if _, err := c.connect(c.trusting()); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	must(t, c.server.Close())
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("Close took %v", d)
	}
}

func TestOpenWithBadCertificates(t *testing.T) {
	dir := t.TempDir()
	ca := certtest.NewCA(t, "authority")
	cert, key := ca.Issue("a").Write(t, dir, "a")
	_, otherKey := ca.Issue("b").Write(t, dir, "b")
	rubbish := certtest.File(t, dir, "rubbish", []byte("rubbish"))
	for _, test := range []struct {
		files   servertls.Files
		message string
	}{
		{servertls.Files{CertFile: dir + "/none", KeyFile: key}, "no such file"},
		{servertls.Files{CertFile: cert, KeyFile: otherKey}, "private key does not match public key"},
		{servertls.Files{CertFile: rubbish, KeyFile: key}, "failed to find any PEM data"},
		{servertls.Files{CertFile: cert, KeyFile: key, ClientCAFile: rubbish}, "no PEM certificate"},
	} {
		s := broker.New(broker.Options{Listeners: []broker.Listener{{Name: "secure", Address: "127.0.0.1:0", TLS: &test.files}}})
		err := s.Open(t.Context())
		if err == nil || !strings.Contains(err.Error(), test.message) || !strings.Contains(err.Error(), `kafka listener "secure"`) {
			t.Errorf("%+v: %v, want %q", test.files, err, test.message)
		}
		must(t, s.Close())
	}
}
