//go:build servers

package reset

import (
	"strconv"
	"testing"
)

func TestMovesSurviveKills(t *testing.T) {
	const group = "moved"
	f := fill(t, []string{group})
	for i := range int64(10) {
		to := (7*i + 3) % rows
		if out, errors, exit := f.Run("group", "reset", group, "--to-offset", strconv.FormatInt(to, 10)); exit != 0 {
			t.Fatalf("exit code %d\n%s%s", exit, out, errors)
		}
		f.Kill()
		f.Start()
		if got := f.checkpoint(t, group); got != to {
			t.Fatalf("after a kill the checkpoint is %d, want %d", got, to)
		}
	}
}
