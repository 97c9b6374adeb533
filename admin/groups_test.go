package admin_test

import (
	"context"
	"errors"
	"math"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/admin"
	"daybook/auth"
	"daybook/group"
	"daybook/store"
	"daybook/store/storetest"
)

// create creates the group cache of the account app.
func (s *server) create(group string) admin.Group {
	s.t.Helper()
	g, err := s.CreateGroup(s.t.Context(), admin.CreateRequest{Group: group, Task: topic, Account: "app", Password: password})
	must(s.t, err)
	return g
}

// append appends n records of a time.
func (s *server) append(t time.Time, n int) {
	s.t.Helper()
	_, err := s.part.Append(storetest.Batch(t.UnixMilli(), make([]string, n)...), store.State{})
	must(s.t, err)
}

// login tries the password of a group's account.
func (s *server) login(group, password string) (*auth.Login, error) {
	_, who, err := s.accounts.Begin(auth.Plain, "192.0.2.1").Step(s.t.Context(), []byte("\x00app-"+group+"\x00"+password))
	return who, err
}

// join makes a member of a group that is alone in it.
func (s *server) join(groupID, clientID string) {
	s.t.Helper()
	client := group.Client{ID: clientID, Host: "/192.0.2.7", Address: "192.0.2.7:4711"}
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group, req.ProtocolType, req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = groupID, "consumer", 30000, 30000
	meta := kmsg.NewConsumerMemberMetadata()
	meta.Topics = []string{topic}
	req.Protocols = []kmsg.JoinGroupRequestProtocol{{Name: "range", Metadata: meta.AppendTo(nil)}}
	joined := s.groups.JoinGroup(s.t.Context(), client, req)
	sync := kmsg.NewPtrSyncGroupRequest()
	sync.Group, sync.Generation, sync.MemberID = groupID, joined.Generation, joined.MemberID
	assigned := kmsg.NewConsumerMemberAssignment()
	assigned.Topics = []kmsg.ConsumerMemberAssignmentTopic{{Topic: topic, Partitions: []int32{0}}}
	sync.GroupAssignment = []kmsg.SyncGroupRequestGroupAssignment{{MemberID: joined.MemberID, MemberAssignment: assigned.AppendTo(nil)}}
	if resp := s.groups.SyncGroup(s.t.Context(), sync); joined.ErrorCode != 0 || resp.ErrorCode != 0 {
		s.t.Fatalf("join: %d, sync: %d", joined.ErrorCode, resp.ErrorCode)
	}
}

func TestGroupLife(t *testing.T) {
	s := start(t)
	ctx := t.Context()
	made := s.create("cache")
	if time.Since(made.Created) > time.Minute || !made.PasswordChanged.Equal(made.Created) {
		t.Errorf("created %v, password of %v", made.Created, made.PasswordChanged)
	}
	want := admin.Group{
		Group: "cache", Task: topic, Account: "app", Username: "app-cache", Owner: "store",
		Created: made.Created, PasswordChanged: made.PasswordChanged, State: "Empty", Consumers: []admin.Consumer{},
	}
	if !reflect.DeepEqual(made, want) {
		t.Errorf("created %+v\nwant    %+v", made, want)
	}
	shown, err := s.Group(ctx, "cache")
	must(t, err)
	if !reflect.DeepEqual(shown, want) {
		t.Errorf("shown %+v\nwant  %+v", shown, want)
	}
	list, err := s.Groups(ctx)
	must(t, err)
	if len(list) != 2 || list[0].Group != "cache" || list[1].Group != "declared" || list[1].Owner != "file" {
		t.Errorf("list: %+v", list)
	}

	before, err := s.login("cache", password)
	must(t, err)
	must(t, s.SetPassword(ctx, "cache", admin.PasswordRequest{Password: "an0ther-word"}))
	if before.Revoked.Err() != nil {
		t.Error("the login of before has ended")
	}
	if _, err := s.login("cache", password); !errors.Is(err, auth.ErrDenied) {
		t.Errorf("the old password: %v", err)
	}
	again, err := s.login("cache", "an0ther-word")
	must(t, err)
	must(t, s.SetPassword(ctx, "cache", admin.PasswordRequest{Password: "a-third-word", EndConnections: true}))
	if again.Revoked.Err() == nil {
		t.Error("the login of before goes on")
	}
	if shown, err = s.Group(ctx, "cache"); err != nil || !shown.PasswordChanged.After(made.Created) {
		t.Errorf("password of %v, %v", shown.PasswordChanged, err)
	}

	must(t, s.DeleteGroup(ctx, "cache", false))
	_, err = s.Group(ctx, "cache")
	wantError(t, err, http.StatusNotFound, admin.CodeUnknownGroup, `no group "cache"`)
	if _, err := s.login("cache", "a-third-word"); !errors.Is(err, auth.ErrDenied) {
		t.Errorf("login after the deletion: %v", err)
	}
	if logs := s.logs.String(); strings.Contains(logs, "-word") {
		t.Errorf("the log holds a password:\n%s", logs)
	}
}

func TestGroupRules(t *testing.T) {
	s := start(t)
	ctx := t.Context()
	s.create("cache")
	for _, test := range []struct {
		name    string
		req     admin.CreateRequest
		status  int
		code    admin.Code
		message string
	}{
		{"no task", admin.CreateRequest{Group: "g", Account: "app", Password: password}, 404, admin.CodeUnknownTask, `no task ""`},
		{"other task", admin.CreateRequest{Group: "g", Task: "bank", Account: "app", Password: password}, 404, admin.CodeUnknownTask, `no task "bank"`},
		{"exists", admin.CreateRequest{Group: "cache", Task: topic, Account: "other", Password: password}, 409, admin.CodeExists, `"cache"`},
		{"declared", admin.CreateRequest{Group: "declared", Task: topic, Account: "app", Password: password}, 409, admin.CodeExists, `"declared"`},
		{"account", admin.CreateRequest{Group: "g", Task: topic, Account: "a-b", Password: password}, 422, admin.CodeInvalid, `body.account: must be an account: 1–16`},
		{"group", admin.CreateRequest{Group: "a/b", Task: topic, Account: "app", Password: password}, 422, admin.CodeInvalid, `body.group: must be a group ID: 1–128`},
		{"password", admin.CreateRequest{Group: "g", Task: topic, Account: "app", Password: "short"}, 422, admin.CodeInvalid, "body.password: must have 8 characters or more"},
		{"dots", admin.CreateRequest{Group: "..", Task: topic, Account: "app", Password: password}, 422, admin.CodeInvalid, "neither"},
		{"weak password", admin.CreateRequest{Group: "g", Task: topic, Account: "app", Password: "aaaaaaaa"}, 422, admin.CodeInvalid, "characters of one kind only"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := s.CreateGroup(ctx, test.req)
			wantError(t, err, test.status, test.code, test.message)
		})
	}
	s.create("three")
	s.create("four")
	_, err := s.CreateGroup(ctx, admin.CreateRequest{Group: "five", Task: topic, Account: "app", Password: password})
	wantError(t, err, 422, admin.CodeTooMany, "task shop has 4")

	const file = `group "declared" is declared in the configuration file /etc/daybook.yaml`
	wantError(t, s.SetPassword(ctx, "declared", admin.PasswordRequest{Password: password}), 409, admin.CodeOwnedByFile, file)
	wantError(t, s.DeleteGroup(ctx, "declared", true), 409, admin.CodeOwnedByFile, file)
	wantError(t, s.SetPassword(ctx, "cache", admin.PasswordRequest{Password: "short"}), 422, admin.CodeInvalid, "8 characters or more")
	wantError(t, s.SetPassword(ctx, "none", admin.PasswordRequest{Password: password}), 404, admin.CodeUnknownGroup, "none")
	wantError(t, s.DeleteGroup(ctx, "none", false), 404, admin.CodeUnknownGroup, "none")
	for _, odd := range []string{"a/b", "..", "a?b", "%2F", " "} {
		_, err := s.Group(ctx, odd)
		if err == nil {
			t.Errorf("there is a group %q", odd)
		}
	}
}

func TestReset(t *testing.T) {
	s := start(t)
	ctx := t.Context()
	noon := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	s.append(noon, 10)                     // 0 to 9
	s.append(noon.Add(time.Minute), 10)    // 10 to 19
	s.append(noon.Add(30*time.Minute), 10) // 20 to 29
	s.create("cache")
	_, err := s.ResetGroup(ctx, "cache", admin.ResetRequest{ShiftBy: new(int64)})
	wantError(t, err, 422, admin.CodeInvalid, "no checkpoint to shift")

	at := func(d time.Duration) *time.Time { t := noon.Add(d); return &t }
	n := func(n int64) *int64 { return &n }
	from := (*int64)(nil)
	for _, test := range []struct {
		name    string
		req     admin.ResetRequest
		to      int64
		clamped bool
	}{
		{"latest", admin.ResetRequest{ToLatest: true}, 30, false},
		{"earliest", admin.ResetRequest{ToEarliest: true}, 0, false},
		{"offset", admin.ResetRequest{ToOffset: n(17)}, 17, false},
		{"offset 0", admin.ResetRequest{ToOffset: n(0)}, 0, false},
		{"the end", admin.ResetRequest{ToOffset: n(30)}, 30, false},
		{"behind the end", admin.ResetRequest{ToOffset: n(31)}, 30, true},
		{"before the start", admin.ResetRequest{ToOffset: n(-1)}, 0, true},
		{"on", admin.ResetRequest{ShiftBy: n(12)}, 12, false},
		{"back", admin.ResetRequest{ShiftBy: n(-2)}, 10, false},
		{"on too far", admin.ResetRequest{ShiftBy: n(100)}, 30, true},
		{"back as far as can be", admin.ResetRequest{ShiftBy: n(math.MinInt64)}, 0, true},
		{"on as far as can be", admin.ResetRequest{ShiftBy: n(math.MaxInt64)}, 30, true},
		{"nowhere", admin.ResetRequest{ShiftBy: n(0)}, 30, false},
		{"before all", admin.ResetRequest{ToTime: at(-time.Hour)}, 0, false},
		{"a record's time", admin.ResetRequest{ToTime: at(time.Minute)}, 10, false},
		{"a moment later", admin.ResetRequest{ToTime: at(time.Minute + time.Millisecond)}, 20, false},
		{"after all", admin.ResetRequest{ToTime: at(2 * time.Hour)}, 30, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			want := admin.ResetResult{Group: "cache", Task: topic, From: from, To: test.to, Clamped: test.clamped, HighWatermark: 30, DryRun: true}
			if from != nil {
				want.Records = n(test.to - *from)
			}
			for _, dry := range []bool{true, false} {
				test.req.DryRun, want.DryRun = dry, dry
				got, err := s.ResetGroup(ctx, "cache", test.req)
				must(t, err)
				if !reflect.DeepEqual(got, want) {
					t.Errorf("dry run %v: got  %+v\nwant %+v", dry, got, want)
				}
				g, err := s.Group(ctx, "cache")
				must(t, err)
				switch {
				case dry && !reflect.DeepEqual(checkpointed(g), from):
					t.Errorf("the dry run has moved the checkpoint to %+v", g.Checkpoint)
				case !dry && (g.Checkpoint == nil || g.Checkpoint.Offset != test.to || g.Checkpoint.LagRecords != 30-test.to):
					t.Errorf("the checkpoint is %+v", g.Checkpoint)
				}
			}
			from = &test.to
		})
	}
	for name, req := range map[string]admin.ResetRequest{
		"none": {}, "dry": {DryRun: true}, "two": {ToEarliest: true, ToLatest: true}, "offset and time": {ToOffset: n(1), ToTime: at(0)},
	} {
		_, err := s.ResetGroup(ctx, "cache", req)
		wantError(t, err, 400, admin.CodeBadRequest, "exactly one of")
		if t.Failed() {
			t.Fatal(name)
		}
	}
	_, err = s.ResetGroup(ctx, "none", admin.ResetRequest{ToEarliest: true})
	wantError(t, err, 404, admin.CodeUnknownGroup, "none")
	// The file owns the account, not the checkpoint.
	_, err = s.ResetGroup(ctx, "declared", admin.ResetRequest{ToEarliest: true})
	must(t, err)
}

func checkpointed(g admin.Group) *int64 {
	if g.Checkpoint == nil {
		return nil
	}
	return &g.Checkpoint.Offset
}

func TestLag(t *testing.T) {
	s := start(t)
	s.create("cache")
	s.append(time.Now().Add(-time.Hour), 1)
	s.append(time.Now().Add(-time.Minute), 1)
	s.append(time.Now().Add(time.Hour), 1) // of a source whose clock is ahead
	for offset, want := range []float64{3600, 60, 0, 0} {
		to := int64(offset)
		_, err := s.ResetGroup(t.Context(), "cache", admin.ResetRequest{ToOffset: &to})
		must(t, err)
		g, err := s.Group(t.Context(), "cache")
		must(t, err)
		if g.Checkpoint.LagSeconds == nil || math.Abs(*g.Checkpoint.LagSeconds-want) > 5 || g.Checkpoint.LagRecords != 3-to {
			t.Errorf("at %d the lag is %d records, %v seconds; want %d, %v", offset, g.Checkpoint.LagRecords, g.Checkpoint.LagSeconds, 3-to, want)
		}
	}
}

func TestCheckpointBelowZeroIsNone(t *testing.T) {
	s := start(t)
	s.create("cache")
	for _, offset := range []int64{-1, math.MinInt64} {
		req := kmsg.NewPtrOffsetCommitRequest()
		req.Group, req.Generation = "cache", -1
		req.Topics = []kmsg.OffsetCommitRequestTopic{{Topic: topic, Partitions: []kmsg.OffsetCommitRequestTopicPartition{{Offset: offset}}}}
		if resp := s.groups.OffsetCommit(t.Context(), group.Client{}, req); resp.Topics[0].Partitions[0].ErrorCode != 0 {
			t.Fatalf("commit %d: %+v", offset, resp)
		}
		if g, err := s.Group(t.Context(), "cache"); err != nil || g.Checkpoint != nil {
			t.Errorf("after a commit of %d, shown is %+v, %v", offset, g.Checkpoint, err)
		}
		if result, err := s.ResetGroup(t.Context(), "cache", admin.ResetRequest{ToLatest: true, DryRun: true}); err != nil || result.From != nil {
			t.Errorf("a reset after a commit of %d: %+v, %v", offset, result, err)
		}
	}
}

// A checkpoint that retention has overtaken is shown with what was lost.
func TestLostCheckpoint(t *testing.T) {
	s := startOn(t, storetest.OpenWith(t, store.Options{Dir: "data", FS: vfs.NewMem(), RetentionAge: 500 * time.Millisecond}))
	s.create("cache")
	s.append(time.Now(), 10)
	to := int64(4)
	_, err := s.ResetGroup(t.Context(), "cache", admin.ResetRequest{ToOffset: &to})
	must(t, err)
	must(t, waitFor(func() error {
		if s.part.LogStartOffset() != 10 {
			return errors.New("retention has not removed the records")
		}
		return nil
	}))
	s.append(time.Now(), 5)
	g, err := s.Group(t.Context(), "cache")
	must(t, err)
	if cp := g.Checkpoint; cp.Offset != 4 || cp.LostRecords != 6 || cp.LagRecords != 11 || *cp.LagSeconds > 5 || g.LogStartOffset != 10 {
		t.Errorf("%+v of %+v", cp, g)
	}
	to = 7
	dry, err := s.ResetGroup(t.Context(), "cache", admin.ResetRequest{ToOffset: &to, DryRun: true})
	must(t, err)
	if dry.To != 10 || !dry.Clamped || *dry.From != 4 || *dry.Records != 6 {
		t.Errorf("%+v", dry)
	}
}

func TestActiveGroup(t *testing.T) {
	s := start(t)
	ctx := t.Context()
	s.create("cache")
	s.join("cache", "worker-1")
	g, err := s.Group(ctx, "cache")
	must(t, err)
	if len(g.Consumers) != 1 || g.State != "Stable" || g.Mode != "subscribe" || g.Generation != 1 {
		t.Fatalf("%+v", g)
	}
	c := g.Consumers[0]
	if c.Role != "active" || c.ClientID != "worker-1" || c.Address != "192.0.2.7:4711" || c.MemberID == "" || time.Since(c.Since) > time.Minute {
		t.Errorf("%+v", c)
	}
	for _, dry := range []bool{true, false} {
		_, err = s.ResetGroup(ctx, "cache", admin.ResetRequest{ToEarliest: true, DryRun: dry})
		wantError(t, err, 409, admin.CodeActive, "worker-1 at 192.0.2.7:4711 (active)")
	}
	wantError(t, s.DeleteGroup(ctx, "cache", false), 409, admin.CodeActive, "worker-1 at 192.0.2.7:4711 (active)")
	who, err := s.login("cache", password)
	must(t, err)
	must(t, s.DeleteGroup(ctx, "cache", true))
	if who.Revoked.Err() == nil {
		t.Error("the login goes on")
	}
	if _, ok := s.groups.View("cache"); ok {
		t.Error("the coordinator still has the group")
	}
}

// A consumer commits while its group is being deleted: nothing of that stays.
func TestDeleteTakesLateCommits(t *testing.T) {
	var s *server
	commit := func() {
		req := kmsg.NewPtrOffsetCommitRequest()
		req.Group, req.Generation = "cache", -1
		req.Topics = []kmsg.OffsetCommitRequestTopic{{Topic: topic, Partitions: []kmsg.OffsetCommitRequestTopicPartition{{Offset: 1, LeaderEpoch: -1}}}}
		if resp := s.groups.OffsetCommit(s.t.Context(), group.Client{}, req); resp.Topics[0].Partitions[0].ErrorCode != 0 {
			s.t.Errorf("commit: %d", resp.Topics[0].Partitions[0].ErrorCode)
		}
	}
	waited := false
	s = start(t, func(o *admin.Options) {
		o.AwaitEnd = func(_ context.Context, group string) error {
			if _, ok := o.Accounts.Info(group); ok {
				t.Error("the account is still there")
			}
			commit()
			waited = true
			return nil
		}
	})
	s.create("cache")
	commit()
	must(t, s.DeleteGroup(t.Context(), "cache", false))
	if _, ok := s.groups.View("cache"); ok || !waited {
		t.Errorf("a commit has outlived the group; waited: %v", waited)
	}
}

// What a crash in the middle of a deletion may leave is shown, and can be deleted.
func TestGroupWithoutAccount(t *testing.T) {
	s := start(t)
	must(t, s.groups.Reset("gone", topic, 0))
	g, err := s.Group(t.Context(), "gone")
	must(t, err)
	if g.Owner != "none" || g.Task != topic || g.Account != "" || g.Username != "" || g.Checkpoint == nil {
		t.Errorf("%+v", g)
	}
	list, err := s.Groups(t.Context())
	must(t, err)
	if len(list) != 2 || list[1].Group != "gone" {
		t.Errorf("%+v", list)
	}
	wantError(t, s.SetPassword(t.Context(), "gone", admin.PasswordRequest{Password: password}), 404, admin.CodeUnknownGroup, "gone")
	must(t, s.DeleteGroup(t.Context(), "gone", false))
	_, err = s.Group(t.Context(), "gone")
	wantError(t, err, 404, admin.CodeUnknownGroup, "gone")
}
