package cli

import (
	"fmt"
	"strings"
)

// size writes a number of bytes for people.
func size(bytes int64) string {
	const unit = 1024
	if bytes < unit {
		return fmt.Sprintf("%d B", bytes)
	}
	n, i := float64(bytes)/unit, 0
	for ; n >= unit && i < len("KMGTP")-1; i++ {
		n /= unit
	}
	return fmt.Sprintf("%.1f %ciB", n, "KMGTP"[i])
}

// counted writes how many there are of something.
func counted[N int | int64](n N, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, several)
}

// shortDuration leaves out of a duration in Go's notation what is 0 at its end.
func shortDuration(text string) string {
	if whole, ok := strings.CutSuffix(text, "m0s"); ok {
		text = whole + "m"
	}
	if whole, ok := strings.CutSuffix(text, "h0m"); ok {
		text = whole + "h"
	}
	return text
}
