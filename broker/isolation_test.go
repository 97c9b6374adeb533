package broker_test

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/auth"
	"daybook/broker"
	"daybook/recordbatch"
	"daybook/store"
)

// names are what a request can name.
type names struct {
	group, topic, member, instance, user, transaction string
	topicID                                           [16]byte
}

// foreign is in all names of the treasury, whose things others must not see;
// nobody is in those of a stranger who does not exist. They are of one length,
// and sort alike.
const foreign, nobody = "treasur", "trespas"

// treasury fills a server with everything that one group can have, and returns
// its names and a connection of its own.
func treasury(t *testing.T, c *cluster, accounts *auth.Registry) (names, *client) {
	t.Helper()
	n := names{group: "treasury-group", topic: "treasury-topic", instance: "treasury-instance", user: "treasurer-treasury-group", transaction: "treasury-transaction"}
	_, err := accounts.Create(auth.Account{Account: "treasurer", Group: n.group, Topic: n.topic, Password: password})
	must(t, err)
	p, err := c.store.EnsurePartition(n.topic)
	must(t, err)
	n.topicID = p.TopicID()
	var b recordbatch.Builder
	b.Reset()
	for range 100 {
		b.Append(timeOf(0), []byte("treasury-key"), []byte("treasury-record"))
	}
	_, err = p.Append(b.Finish(), store.State{})
	must(t, err)

	cl := c.dialFrom(treasuryHost)
	if code := cl.authenticate(n.user, password); code != 0 {
		t.Fatalf("error %d", code)
	}
	join := joinRequest(5, n.group)
	join.InstanceID, join.SessionTimeoutMillis = &n.instance, 600_000
	join.Protocols[0].Metadata = []byte("treasury-subscription")
	joined := ask[*kmsg.JoinGroupResponse](cl, join)
	n.member = joined.MemberID
	sync := kmsg.NewPtrSyncGroupRequest()
	sync.Version, sync.Group, sync.Generation, sync.MemberID, sync.InstanceID = 3, n.group, joined.Generation, n.member, &n.instance
	sync.GroupAssignment = []kmsg.SyncGroupRequestGroupAssignment{{MemberID: n.member, MemberAssignment: []byte("treasury-assignment")}}
	if resp := ask[*kmsg.SyncGroupResponse](cl, sync); resp.ErrorCode != 0 {
		t.Fatalf("sync: error %d", resp.ErrorCode)
	}
	commit := commitRequest(9, commitTopic(n.topic, noID, 0, 42))
	commit.Group, commit.MemberID, commit.InstanceID, commit.Generation = n.group, n.member, &n.instance, joined.Generation
	commit.Topics[0].Partitions[0].Metadata = kmsg.StringPtr("treasury-metadata")
	if resp := ask[*kmsg.OffsetCommitResponse](cl, commit); resp.Topics[0].Partitions[0].ErrorCode != 0 {
		t.Fatalf("commit: %+v", resp)
	}
	return n, cl
}

const treasuryHost = "127.0.0.77"

// stranger has the same names but for who it is.
func (n names) stranger() names {
	for _, s := range []*string{&n.group, &n.topic, &n.member, &n.instance, &n.user, &n.transaction} {
		*s = strings.ReplaceAll(*s, foreign, nobody)
	}
	copy(n.topicID[:], "sixteen of no id")
	return n
}

const everything = "everything"

// crossings are the ways to name what is foreign beside what is one's own.
var crossings = map[string]func(own, other names) names{
	"group": func(own, other names) names {
		own.group, own.user, own.transaction = other.group, other.user, other.transaction
		return own
	},
	"topic by name": func(own, other names) names { own.topic, own.topicID = other.topic, noID; return own },
	"topic by ID":   func(own, other names) names { own.topic, own.topicID = "", other.topicID; return own },
	"member":        func(own, other names) names { own.member, own.instance = other.member, other.instance; return own },
	everything:      func(_, other names) names { return other },
}

// fieldNames says of each text in a request which name it takes, by field or
// by struct and field; fieldTexts what it takes if it is none.
var (
	fieldNames = map[string]func(names) string{
		"Group": func(n names) string { return n.group }, "Groups": func(n names) string { return n.group },
		"CoordinatorKey": func(n names) string { return n.group }, "CoordinatorKeys": func(n names) string { return n.group },
		"Topic": func(n names) string { return n.topic }, "TopicNames": func(n names) string { return n.topic },
		"MemberID": func(n names) string { return n.member }, "InstanceID": func(n names) string { return n.instance },
		"TransactionID": func(n names) string { return n.transaction }, "TransactionalID": func(n names) string { return n.transaction },
		"Principal": func(n names) string { return n.user }, "Match": func(n names) string { return n.user },
		"DescribeUserSCRAMCredentialsRequestUser.Name": func(n names) string { return n.user },
		"ResourceName": func(n names) string { return n.topic }, // variants name others
	}
	fieldTexts = map[string]string{
		"ProtocolType": "consumer", "Protocol": "range", "JoinGroupRequestProtocol.Name": "range", "EntityType": "user",
		"AlterConfigsRequestResourceConfig.Name": "retention.ms", "IncrementalAlterConfigsRequestResourceConfig.Name": "retention.ms",
		"CreateTopicsRequestTopicConfig.Name": "retention.ms", "Value": "1", "ConfigNames": "retention.ms", "Mechanism": "PLAIN",
		"Metadata": "metadata", "Host": "*", "Rack": "", "Reason": "", "ClusterID": "", "ClientSoftwareName": "raw", "ClientSoftwareVersion": "1",
		"StatesFilter": "Stable", "TypesFilter": "classic",
	}
)

// fill sets every text, ID and array of a request.
func fill(t *testing.T, v reflect.Value, parent, field string, n names) {
	t.Helper()
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), parent, field, n)
		if v.Elem().Kind() == reflect.String && v.Elem().Len() == 0 {
			v.SetZero() // null rather than nothing
		}
	case reflect.Struct:
		if _, ok := v.Interface().(kmsg.Tags); ok {
			return
		}
		if d, ok := v.Addr().Interface().(interface{ Default() }); ok {
			d.Default()
		}
		for i := range v.NumField() {
			fill(t, v.Field(i), v.Type().Name(), v.Type().Field(i).Name, n)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(t, v.Index(0), parent, field, n)
	case reflect.Array:
		v.Set(reflect.ValueOf(n.topicID))
	case reflect.String:
		name, ok := fieldNames[parent+"."+field]
		if !ok {
			name, ok = fieldNames[field]
		}
		if ok {
			v.SetString(name(n))
			return
		}
		text, ok := fieldTexts[parent+"."+field]
		if !ok {
			text, ok = fieldTexts[field]
		}
		if !ok {
			t.Fatalf("does %s.%s name a group, a topic or the like? Tell in fieldNames or fieldTexts", parent, field)
		}
		v.SetString(text)
	}
}

// TestIsolation asks for what belongs to the treasury in every request that is
// served, in every version, and wants the very answer that somebody gets who
// asks for what does not exist; wants no name of the treasury in it that was
// not in the request; and wants the treasury unchanged.
func TestIsolation(t *testing.T) {
	var accounts *auth.Registry
	c := newCluster(t, func(o *broker.Options) { accounts = o.Accounts })
	c.produce(10)
	other, treasurer := treasury(t, c, accounts)
	own := names{group: groupID, topic: topic, topicID: c.part.TopicID(), user: user, transaction: "own"}
	own.member = c.login(user).join(5, groupID).id
	before := c.snapshot(treasurer, other)

	for principal, own := range map[string]names{
		user:          own,
		"app-waiting": {group: "waiting", topic: "not-yet", user: "app-waiting", member: "no member", transaction: "own"}, // whose task has not begun
	} {
		for _, k := range ask[*kmsg.ApiVersionsResponse](c.login(user), kmsg.NewPtrApiVersionsRequest()).ApiKeys {
			t.Run(principal+"/"+kmsg.NameForKey(k.ApiKey), func(t *testing.T) {
				w := &walker{*c, principal, own, other}
				w.t = t
				variants, ok := walked[kmsg.Key(k.ApiKey)]
				if !ok {
					t.Fatal("it is served, and nobody has thought of what it could tell of others: add it to walked")
				}
				for v := k.MinVersion; v <= k.MaxVersion; v++ {
					for _, change := range variants {
						w.walk(t, k.ApiKey, v, change)
					}
				}
				if after := c.snapshot(treasurer, other); !bytes.Equal(before, after) {
					t.Errorf("the treasury was\n%q\nand is\n%q", before, after)
				}
			})
		}
	}
}

// walker asks as one principal for what is another's.
type walker struct {
	cluster
	user       string
	own, other names
}

// walk asks in one version for the treasury and for a stranger.
func (w *walker) walk(t *testing.T, key, version int16, change variant) {
	t.Helper()
	for what, cross := range crossings {
		request := func(n names) kmsg.Request {
			req := kmsg.RequestForKey(key)
			fill(t, reflect.ValueOf(req).Elem(), "", "", n)
			req.SetVersion(version)
			change(req, n)
			return req
		}
		req := request(cross(w.own, w.other))
		stranger := w.other.stranger()
		same := request(cross(w.own, stranger))
		if bytes.Equal(req.AppendTo(nil), same.AppendTo(nil)) && what != everything {
			continue // there is no name in it, or one's own
		}
		what := fmt.Sprintf("version %d, foreign %s", version, what)
		got, want := w.ask(t, what, req), w.ask(t, what, same)
		nameless := bytes.ReplaceAll(got, []byte(foreign), []byte(nobody))
		nameless = bytes.ReplaceAll(nameless, w.other.topicID[:], stranger.topicID[:])
		if !bytes.Equal(nameless, want) {
			t.Errorf("%s: the answer is\n%q\nfor what does not exist it is\n%q", what, got, want)
		}
		w.wantNoSecret(t, what, req.AppendTo(nil), got)
	}
}

// ask returns the bytes of an answer.
func (w *walker) ask(t *testing.T, what string, req kmsg.Request) []byte {
	t.Helper()
	cl := w.login(w.user)
	defer cl.Close()
	cl.correlation = 1000
	cl.send(req)
	got, err := cl.frame()
	if err != nil {
		t.Fatalf("%s: no answer: %v", what, err)
	}
	return got
}

// wantNoSecret looks for the treasury in an answer, in any place where the
// request does not have it.
func (w *walker) wantNoSecret(t *testing.T, what string, sent, got []byte) {
	t.Helper()
	o := w.other
	said := []string{o.group, o.topic, o.member, o.instance, o.user, o.transaction, string(o.topicID[:])}
	slices.SortFunc(said, func(a, b string) int { return len(b) - len(a) }) // the longest first: some hold others
	rest := string(got)
	for _, name := range said {
		if strings.Contains(string(sent), name) {
			rest = strings.ReplaceAll(rest, name, "")
		}
	}
	for _, secret := range append(said, foreign, treasuryHost) {
		if strings.Contains(rest, secret) {
			t.Errorf("%s: the answer holds %q: %q", what, secret, got)
		}
	}
}

// snapshot is what the treasury sees of itself.
func (c *cluster) snapshot(cl *client, n names) []byte {
	c.t.Helper()
	describe := kmsg.NewPtrDescribeGroupsRequest()
	describe.Version, describe.Groups = 6, []string{n.group}
	checkpoints := kmsg.NewPtrOffsetFetchRequest()
	checkpoints.Version, checkpoints.Group = 7, n.group
	dirs := kmsg.NewPtrDescribeLogDirsRequest()
	dirs.Version, dirs.Topics = 4, nil
	var all []byte
	for _, req := range []kmsg.Request{
		describe, checkpoints, dirs, kmsg.NewPtrListGroupsRequest(), kmsg.NewPtrMetadataRequest(),
		listRequest(4, n.topic, 0, -1), listRequest(4, n.topic, 0, -2),
	} {
		cl.correlation = 1
		cl.send(req)
		frame, err := cl.frame()
		must(c.t, err)
		all = append(all, frame...)
	}
	return all
}
