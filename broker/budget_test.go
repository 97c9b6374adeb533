package broker

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"daybook/auth"
)

// Random claims and releases: no byte is lost or given twice, a principal
// without memory never waits, nobody is given more than is left then, and
// whoever waits has its turn when its principal's other responses are sent.
func TestBudget(t *testing.T) {
	const total, most = 1000, 300
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 0))
		b := newBudget(total)
		claims := make(map[auth.Principal][]*claim)
		for step := range 300 {
			p := auth.Principal{Group: fmt.Sprint(r.IntN(6))}
			if own := claims[p]; len(own) > 0 && r.IntN(2) == 0 {
				i := r.IntN(len(own))
				own[i].release()
				claims[p] = append(own[:i], own[i+1:]...)
			} else {
				c := b.claim(p, r.Int64N(most))
				if len(own) == 0 && !c.isReady() {
					t.Fatalf("seed %d, step %d: the first response of a principal waits", seed, step)
				}
				claims[p] = append(own, c)
			}
			held := int64(0)
			for p, own := range claims {
				waits := 0
				for _, c := range own {
					if c.isReady() {
						held += c.bytes
					} else {
						waits++
					}
				}
				if len(own) > 0 && waits == len(own) {
					t.Fatalf("seed %d, step %d: all responses of %v wait", seed, step, p)
				}
			}
			if b.free < 0 || held+b.free != total {
				t.Fatalf("seed %d, step %d: %d held, %d free", seed, step, held, b.free)
			}
		}
		for _, own := range claims {
			for _, c := range own {
				c.release()
			}
		}
		if b.free != total || b.waiting != 0 || len(b.shares) != 0 {
			t.Fatalf("seed %d: at the end %+v", seed, b)
		}
	}
}

// Whoever takes all it can get leaves as much as it holds.
func TestBudgetOfTheGreedy(t *testing.T) {
	b := newBudget(1000)
	for n := range 9 {
		p := auth.Principal{Group: fmt.Sprint(n)}
		held := int64(0)
		for {
			c := b.claim(p, 10)
			if !c.isReady() {
				break
			}
			held += c.bytes
		}
		if held == 0 || held > b.free || held+20 < b.free {
			t.Errorf("principal %d holds %d and leaves %d", n, held, b.free)
		}
	}
}

func (c *claim) isReady() bool {
	select {
	case <-c.ready:
		return true
	default:
		return false
	}
}
