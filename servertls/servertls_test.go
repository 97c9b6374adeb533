package servertls_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"daybook/servertls"
	"daybook/servertls/certtest"
)

const interval = 2 * time.Second

// TestWatch changes the files step by step. A change counts when the files have
// stayed as they are for one interval.
func TestWatch(t *testing.T) {
	ca, dir := certtest.NewCA(t, "authority"), t.TempDir()
	first, second := ca.Issue("first"), ca.Issue("second")
	files := servertls.Files{}
	files.CertFile, files.KeyFile = first.Write(t, dir, "server")
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		c, err := servertls.Load(files, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var watching sync.WaitGroup
		watching.Go(func() { c.Watch(ctx, interval) })
		defer watching.Wait()
		defer cancel()
		uses := func(step string, want tls.Certificate, after time.Duration) {
			t.Helper()
			time.Sleep(after)
			synctest.Wait()
			if got := c.Config().Certificates[0]; !bytes.Equal(got.Certificate[0], want.Certificate[0]) {
				t.Errorf("%s: %s is in use", step, got.Leaf.Subject)
			}
		}
		was, is := first.TLS(t), second.TLS(t)
		certtest.File(t, dir, "server.pem", second.Cert)
		uses("the key is missing yet", was, 10*interval)
		certtest.File(t, dir, "server.key", second.Key)
		uses("both are there, and may change yet", was, interval)
		uses("both have stayed", is, interval)
		if err := os.Remove(files.KeyFile); err != nil {
			t.Fatal(err)
		}
		uses("the key is gone", is, 10*interval)
		certtest.File(t, dir, "server.key", second.Key)
		uses("the key is back", is, 10*interval)
		if n := strings.Count(log.String(), "cannot use the changed certificate files"); n != 2 {
			t.Errorf("%d errors are told, want one for each time that the files were wrong:\n%s", n, &log)
		}
	})
}

func TestLoadRefuses(t *testing.T) {
	ca, dir := certtest.NewCA(t, "authority"), t.TempDir()
	cert, key := ca.Issue("one").Write(t, dir, "one")
	_, otherKey := ca.Issue("two").Write(t, dir, "two")
	log := slog.New(slog.DiscardHandler)
	if _, err := servertls.Load(servertls.Files{CertFile: cert, KeyFile: dir + "/none"}, log); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no key: %v", err)
	}
	for _, files := range []servertls.Files{
		{CertFile: cert, KeyFile: otherKey}, {CertFile: key, KeyFile: key}, {CertFile: cert, KeyFile: key, ClientCAFile: key},
	} {
		if _, err := servertls.Load(files, log); err == nil {
			t.Errorf("%+v was taken", files)
		}
	}
	c, err := servertls.Load(servertls.Files{CertFile: cert, KeyFile: key, ClientCAFile: cert}, log)
	if err != nil || c.Config().ClientAuth != tls.RequireAndVerifyClientCert || c.Config().MinVersion != tls.VersionTLS12 {
		t.Errorf("client certificates are not demanded: %v", err)
	}
}
