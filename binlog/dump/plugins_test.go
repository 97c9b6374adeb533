package dump

import (
	"errors"
	"strings"
	"testing"
)

// TestUnknownPlugin names plugins that a server of each kind has.
func TestUnknownPlugin(t *testing.T) {
	_, err := new(Conn).proof("parsec", nil)
	if !errors.Is(err, ErrAuth) || !strings.Contains(err.Error(), `"parsec"`) {
		t.Errorf("got %v", err)
	}
	for _, plugin := range []string{"ed25519 (MariaDB)", "caching_sha2_password (MySQL)", "mysql_native_password", "sha256_password"} {
		if !strings.Contains(err.Error(), plugin) {
			t.Errorf("%v: nothing of %s", err, plugin)
		}
	}
}
