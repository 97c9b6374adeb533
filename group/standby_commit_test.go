package group_test

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"daybook/group"
)

// In a group without members, commits are taken from whoever does not stand by.
func TestCommitsInAssignMode(t *testing.T) {
	at := func(id, address string) group.Client {
		return group.Client{ID: id, Host: "/10.0.0.1", Address: address}
	}
	type step struct {
		from   group.Client
		offset int64
		want   *kerr.Error
	}
	refused := kerr.UnknownMemberID
	for name, tc := range map[string]struct {
		active, standby   string // client IDs
		activeAt, waitsAt int64
		steps             func(a, s *reader) []step
	}{
		"different names": {"a", "s", 100, 10, func(a, s *reader) []step {
			return []step{
				{a.client, 50, nil},
				{at("a", "10.0.0.1:9000"), 60, nil},
				{s.client, 70, refused},
				{at("s", "10.0.0.1:9001"), 70, refused},
				{at("tool", "10.0.0.1:9002"), 5, nil},
				{a.client, 20, nil}, // a client may go back
			}
		}},
		"the same name, on the connections that fetch": {"m", "m", 100, 10, func(a, s *reader) []step {
			return []step{{a.client, 50, nil}, {s.client, 70, refused}, {a.client, 10, nil}}
		}},
		"the same name, on other connections": {"m", "m", 100, 10, func(a, s *reader) []step {
			return []step{
				{at("m", "10.0.0.1:9000"), 50, nil},
				{at("m", "10.0.0.1:9001"), 10, refused}, // a standby's position, and back
				{at("m", "10.0.0.1:9001"), 20, nil},     // back, but no standby's position
				{at("m", "10.0.0.1:9001"), 10, nil},     // now it is known whose connection this is
			}
		}},
		"the same name, and the standby is ahead": {"m", "m", 100, 500, func(a, s *reader) []step {
			return []step{
				{at("m", "10.0.0.1:9000"), 90, nil},
				{at("m", "10.0.0.1:9001"), 500, refused}, // the active one has not got there
				{at("m", "10.0.0.1:9000"), 500, nil},     // a seek
			}
		}},
		"the same name at other addresses": {"m", "m", 100, 10, func(a, s *reader) []step {
			return []step{{group.Client{ID: "m", Host: "/10.0.0.2", Address: "10.0.0.2:1"}, 10, nil}}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, r *rig) {
				a, s := r.reader(tc.active), r.reader(tc.standby)
				a.fetchFrom(tc.activeAt)
				s.fetchFrom(tc.waitsAt)
				checkpoint := int64(-1)
				for i, step := range tc.steps(a, s) {
					got := r.commitFrom(step.from, step.offset)
					wantCode(t, "commit", got, step.want)
					if got == 0 {
						checkpoint = step.offset
					}
					if r.fetch() != checkpoint {
						t.Fatalf("step %d: the checkpoint is %d, want %d", i, r.fetch(), checkpoint)
					}
				}
			})
		})
	}
}

// The commit of an active one that was frozen is refused when it comes back, by
// whatever connection it comes, also if its successor has the same name.
func TestCommitAfterLosingTheTurn(t *testing.T) {
	for name, next := range map[string]string{"another name": "next", "the same name": "m"} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(t *testing.T, r *rig) {
				a, b := r.reader("m"), r.reader(next)
				a.fetchFrom(0)
				a.fetchFrom(100)
				b.fetchFrom(0)
				side := group.Client{ID: "m", Host: "/10.0.0.1", Address: "10.0.0.1:9000"}
				wantCode(t, "commit", r.commitFrom(side, 40), nil)
				keep := func() {
					for range 3 {
						b.fetchFrom(80)
						time.Sleep(silence / 2)
					}
				}
				keep()
				b.want("a was silent", active)
				wantCode(t, "the next one's commit", r.commitFrom(b.client, 60), nil)
				wantCode(t, "woken, on the known connection", r.commitFrom(side, 90), kerr.UnknownMemberID)
				wantCode(t, "woken, on its own", r.commitFrom(a.client, 90), kerr.UnknownMemberID)
				side.Address = "10.0.0.1:9001"
				wantCode(t, "woken, on another, back", r.commitFrom(side, 50), kerr.UnknownMemberID)
				wantCode(t, "woken, on another, ahead", r.commitFrom(side, 95), kerr.UnknownMemberID)
				b.Close()
				wantCode(t, "not told yet", r.commitFrom(a.client, 90), kerr.UnknownMemberID)
				a.want("alone", active)
				wantCode(t, "active again", r.commitFrom(a.client, 90), nil)
			})
		})
	}
}
