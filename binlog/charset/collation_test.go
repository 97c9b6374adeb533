package charset_test

import (
	"testing"

	"daybook/binlog/charset"
)

func TestOfID(t *testing.T) {
	for id, want := range map[int]string{0: "", 8: "latin1", 28: "gbk", 33: "utf8mb3", 45: "utf8mb4", 63: "binary", 255: "utf8mb4",
		1069: "utf8mb4", 2048: "utf8mb3", 2304: "utf8mb4", 65535: ""} {
		if got := charset.OfID(id); got != want {
			t.Errorf("OfID(%d) = %q, want %q", id, got, want)
		}
	}
}
