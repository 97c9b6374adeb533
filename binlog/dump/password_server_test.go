//go:build servers

package dump_test

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"daybook/binlog/dump"
	"daybook/e2e/servers"
	"daybook/servertls/certtest"
)

// TestKnownKey logs in without TLS to servers whose key is known, and with the key of another one, which gets nothing.
func TestKnownKey(t *testing.T) {
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, c := range []struct{ server, plugin, status string }{
		{"mysql-8.0", "sha256_password", "Rsa_public_key"},
		{"mysql-8.0", "caching_sha2_password", "Caching_sha2_password_rsa_public_key"},
		{"mysql-9", "caching_sha2_password", "Caching_sha2_password_rsa_public_key"},
	} {
		t.Run(c.server+" "+c.plugin, func(t *testing.T) {
			s := servers.Start(t, c.server)
			db := s.Connect(t, "")
			db.Exec("CREATE USER pinned IDENTIFIED WITH "+c.plugin+" BY '"+thePassword+"'", "GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO pinned")
			rows := db.Query("SHOW STATUS LIKE '" + c.status + "'")
			if len(rows) != 1 || !strings.Contains(rows[0][1], "PUBLIC KEY") {
				t.Fatalf("the server shows no key: %q", rows)
			}
			known, strange := certtest.File(t, dir, "known.pem", []byte(rows[0][1])), certtest.File(t, dir, "strange.pem", publicPEM(stranger))
			wrong := certtest.File(t, dir, "wrong.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("none")}))
			src := dump.Source{Address: s.Address, User: "pinned", Password: thePassword, TLS: dump.TLSOptions{Mode: dump.TLSDisabled}}
			for _, key := range []struct {
				file    string
				trusted bool
				want    error
			}{{wrong, false, dump.ErrSecret}, {strange, false, dump.ErrAuth}, {known, false, nil}, {"", c.plugin == "sha256_password", nil}} { // the last finds the other's in the cache
				src.PublicKeyFile = key.file
				conn, err := dump.Dial(t.Context(), src)
				if !errors.Is(err, key.want) {
					t.Fatalf("with %q: %v", key.file, err)
				}
				if key.file == wrong && !strings.Contains(err.Error(), "server_public_key_file") {
					t.Errorf("which file is wrong is not told: %v", err)
				}
				if err != nil {
					continue
				}
				if conn.Trusted() != key.trusted {
					t.Errorf("with %q: trusted %t", key.file, conn.Trusted())
				}
				_ = conn.Close()
			}
		})
	}
}
