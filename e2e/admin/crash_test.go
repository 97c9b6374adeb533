//go:build servers

package admin

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"daybook/admin"
	"daybook/e2e/harness"
)

const kills = 12

// TestKilledWhileManaged kills Daybook at random moments of a random management
// of groups: what was acknowledged is so, and what was under way has happened,
// has not, or can be done again.
func TestKilledWhileManaged(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	d := start(t)
	groups := make(map[string]*managed)
	for i := range 6 {
		groups[fmt.Sprintf("g%d", i)] = &managed{}
	}
	acknowledged := 0
	for range kills {
		c := client(t, d)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for name, g := range groups {
			r := rand.New(rand.NewPCG(random.Uint64(), 1))
			wg.Go(func() {
				for g.manage(ctx, c, name, r) == nil {
					g.acknowledged++
				}
			})
		}
		time.Sleep(time.Duration(50+random.IntN(400)) * time.Millisecond)
		d.Kill()
		cancel()
		wg.Wait()
		c.Close()
		d.Start()
		for name, g := range groups {
			g.check(t, client(t, d), name)
		}
	}
	for _, g := range groups {
		acknowledged += g.acknowledged
	}
	t.Logf("%d kills, %d acknowledged changes", kills, acknowledged)
	if acknowledged < kills {
		t.Errorf("only %d changes were acknowledged", acknowledged)
	}
}

// managed is what is known of a group; each field may also have the value of
// the change that is under way.
type managed struct {
	exists, mayExist      bool
	checkpoint, mayBecome int64 // -1: none
	acknowledged          int
}

// manage makes one change, and returns why it was not acknowledged.
func (g *managed) manage(ctx context.Context, c *admin.Client, name string, r *rand.Rand) error {
	switch n := r.IntN(5); {
	case !g.exists:
		g.mayExist, g.checkpoint, g.mayBecome = true, -1, -1
		_, err := c.CreateGroup(ctx, admin.CreateRequest{Group: name, Task: harness.Topic, Account: harness.Account, Password: harness.Password})
		if err != nil {
			return err
		}
	case n == 0:
		g.mayExist, g.mayBecome = false, -1
		if err := c.DeleteGroup(ctx, name, false); err != nil {
			return err
		}
	default:
		g.mayBecome = int64(r.IntN(records + 1))
		if _, err := c.ResetGroup(ctx, name, admin.ResetRequest{ToOffset: &g.mayBecome}); err != nil {
			return err
		}
	}
	g.exists, g.checkpoint = g.mayExist, g.mayBecome
	return nil
}

// check compares with what is there after a restart, which is what is known from then on.
func (g *managed) check(t *testing.T, c *admin.Client, name string) {
	t.Helper()
	defer c.Close()
	list, err := c.Groups(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	exists, checkpoint := false, int64(-1)
	for _, found := range list {
		if found.Group != name {
			continue
		}
		exists = found.Owner == "store"
		if found.Checkpoint != nil {
			checkpoint = found.Checkpoint.Offset
		}
		if !exists {
			t.Errorf("%s has a checkpoint and no account: %+v", name, found)
		}
	}
	if exists != g.exists && exists != g.mayExist {
		t.Errorf("%s: exists: %v, want %v or %v", name, exists, g.exists, g.mayExist)
	}
	if checkpoint != g.checkpoint && checkpoint != g.mayBecome {
		t.Errorf("%s: checkpoint %d, want %d or %d", name, checkpoint, g.checkpoint, g.mayBecome)
	}
	g.exists, g.mayExist, g.checkpoint, g.mayBecome = exists, exists, checkpoint, checkpoint
}
