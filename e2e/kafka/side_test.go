//go:build servers

package kafka

import (
	"errors"
	"fmt"
	"net"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"daybook/e2e/harness"
)

// side is a connection to one of the two brokers, on which a script asks its
// requests. Every answer goes into the transcript, which the connections of a
// script share; then the transcripts of the two sides are compared.
type side struct {
	t          *testing.T
	broker     string // its name
	address    string
	user       string
	group      string // the only one that user may use
	topicID    [16]byte
	times      []int64 // of the records, by offset
	transcript *transcript
	conn       *Conn
}

// transcript holds the answers of one side to one script.
type transcript struct {
	mu      sync.Mutex
	answers []answer
	names   map[string]string // what stands for values that are one side's own
}

type answer struct {
	label string
	resp  kmsg.Response
	err   error
}

// login returns a side whose connection is authenticated.
func (s side) login(t *testing.T, user, group string) *side {
	t.Helper()
	s.t, s.user, s.group = t, user, group
	s.transcript = &transcript{names: map[string]string{}}
	s.name(string(s.topicID[:]), "shop's ID")
	return s.another()
}

// another returns the same side on a further connection.
func (s *side) another() *side {
	s.t.Helper()
	again := s.anonymous()
	if err := again.conn.Login(s.user, harness.Password); err != nil {
		s.t.Fatalf("%s: %v", s.broker, err)
	}
	return again
}

// anonymous returns the same side on a further connection that is not logged in.
func (s *side) anonymous() *side {
	s.t.Helper()
	conn, err := Dial(s.t, s.address)
	if err != nil {
		s.t.Fatalf("%s: %v", s.broker, err)
	}
	again := *s
	again.conn = conn
	return &again
}

// name has a value that only this side has shown as a word that both use.
func (s *side) name(value, as string) {
	s.transcript.mu.Lock()
	defer s.transcript.mu.Unlock()
	if value != "" {
		s.transcript.names[value] = as
	}
}

// ask sends a request in a version, records the answer under the label, and
// returns it; an empty one if the connection was closed instead.
func ask[R kmsg.Response](s *side, label string, version int16, req kmsg.Request) R {
	s.t.Helper()
	req.SetVersion(version)
	if len(label)%2 == 0 { // brokers step over tags that they do not know
		addTags(reflect.ValueOf(req).Elem())
	}
	resp, err := s.conn.Do(req)
	s.record(label, resp, err)
	if err != nil {
		return req.ResponseKind().(R)
	}
	return resp.(R)
}

// addTags sets an unknown tag in a struct and in all those inside, but for
// those that are themselves tags.
func addTags(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if tags, ok := v.Addr().Interface().(*kmsg.Tags); ok {
			tags.Set(4242, []byte("unknown"))
			return
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Name != "ReplicaState" {
				addTags(v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			addTags(v.Index(i))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			addTags(v.Elem())
		}
	}
}

// quietly sends a request whose answer is not compared.
func quietly[R kmsg.Response](s *side, version int16, req kmsg.Request) R {
	s.t.Helper()
	req.SetVersion(version)
	resp, err := s.conn.Do(req)
	if err != nil {
		s.t.Fatalf("%s: %s version %d: %v", s.broker, kmsg.NameForKey(req.Key()), version, err)
	}
	return resp.(R)
}

// record may be called by any goroutine.
func (s *side) record(label string, resp kmsg.Response, err error) {
	s.transcript.mu.Lock()
	defer s.transcript.mu.Unlock()
	s.transcript.answers = append(s.transcript.answers, answer{label, resp, err})
}

// fields returns the recorded answers by label, and the labels in order.
func (s *side) fields() (answers map[string]map[string]string, labels []string) {
	s.t.Helper()
	answers = map[string]map[string]string{}
	for _, a := range s.transcript.answers {
		fields := map[string]string{}
		switch {
		case errors.Is(a.err, ErrClosed):
			fields["connection"] = "closed"
		case a.err != nil:
			fields["error"] = a.err.Error()
		default:
			s.flatten(fields, "", reflect.ValueOf(a.resp).Elem())
		}
		if answers[a.label] != nil {
			s.t.Errorf("the script uses the label %q twice", a.label)
		}
		answers[a.label] = fields
		labels = append(labels, a.label)
	}
	return answers, labels
}

// flatten adds the fields of a response to a map from their paths, such as
// Topics[shop].Partitions[0].ErrorCode, to their values. An array that is
// null shows as null, and so does an empty one where null is not legal.
func (s *side) flatten(fields map[string]string, path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.Name == "Version" && path == "" || !f.IsExported() || f.Name == "UnknownTags" {
				continue
			}
			s.flatten(fields, strings.TrimPrefix(path+"."+f.Name, "."), v.Field(i))
		}
	case reflect.Pointer:
		if v.IsNil() {
			fields[path] = "null"
			return
		}
		s.flatten(fields, path, v.Elem())
	case reflect.Slice:
		s.flattenSlice(fields, path, v)
	case reflect.Array:
		fields[path] = s.show(string(v.Slice(0, v.Len()).Bytes()), fmt.Sprintf("%x", v))
	case reflect.String:
		fields[path] = s.show(v.String(), strconv.Quote(v.String()))
	default:
		fields[path] = s.showNumber(path, fmt.Sprint(v.Interface()))
	}
}

func (s *side) flattenSlice(fields map[string]string, path string, v reflect.Value) {
	switch v.Type().Elem().Kind() {
	case reflect.Uint8:
		if strings.HasSuffix(path, ".RecordBatches") {
			describeRecords(fields, path, v.Bytes())
			return
		}
		fields[path] = fmt.Sprintf("%x", v.Bytes())
	case reflect.Struct:
		fields["len("+path+")"] = strconv.Itoa(v.Len())
		if v.IsNil() {
			fields["len("+path+")"] = "null"
		}
		seen := map[string]bool{}
		for i := range v.Len() {
			at := path + "[" + s.identity(v.Index(i), i) + "]"
			for seen[at] {
				at += "'"
			}
			seen[at] = true
			s.flatten(fields, at, v.Index(i))
		}
	default:
		if v.IsNil() {
			fields[path] = "null"
			return
		}
		var values []string
		for i := range v.Len() {
			values = append(values, fmt.Sprint(v.Index(i).Interface()))
		}
		fields[path] = "[" + strings.Join(values, " ") + "]"
	}
}

// identity names an array's element, so that the order of the array does not
// matter where Kafka's is that of a hash map.
func (s *side) identity(e reflect.Value, index int) string {
	for _, name := range []string{"ApiKey", "Topic", "TopicID", "Partition", "Group", "MemberID", "NodeID", "Key", "ResourceName", "User", "Name"} {
		f := e.FieldByName(name)
		for f.IsValid() && f.Kind() == reflect.Pointer {
			f = f.Elem()
		}
		switch {
		case !f.IsValid() || name != "Partition" && name != "NodeID" && f.IsZero() && name != "ApiKey":
			continue
		case name == "ApiKey":
			return kmsg.NameForKey(int16(f.Int()))
		case f.Kind() == reflect.Array:
			return s.show(string(f.Slice(0, f.Len()).Bytes()), fmt.Sprintf("%x", f))
		case f.Kind() == reflect.String:
			return s.show(f.String(), f.String())
		}
		return fmt.Sprint(f.Interface())
	}
	return strconv.Itoa(index)
}

func (s *side) show(value, otherwise string) string {
	if as, ok := s.transcript.names[value]; ok {
		return "<" + as + ">"
	}
	return otherwise
}

func (s *side) showNumber(path, value string) string {
	_, port, _ := net.SplitHostPort(s.address)
	if strings.HasSuffix(path, "Port") && value == port {
		return "<its port>"
	}
	return value
}

// mismatch is one field that the sides answer differently.
type mismatch struct {
	label, path    string
	daybook, kafka string // "absent": it is not there
}

func (m mismatch) String() string {
	return fmt.Sprintf("%s: %s: Daybook %s, Kafka %s", m.label, m.path, m.daybook, m.kafka)
}

// compare returns what differs, in the order in which it was asked.
func compare(daybook, kafka *side) []mismatch {
	answers, labels := daybook.fields()
	others, otherLabels := kafka.fields()
	for _, label := range otherLabels {
		if !slices.Contains(labels, label) {
			labels = append(labels, label)
		}
	}
	var found []mismatch
	for _, label := range labels {
		a, b := answers[label], others[label]
		var paths []string
		for path := range a {
			paths = append(paths, path)
		}
		for path := range b {
			if _, ok := a[path]; !ok {
				paths = append(paths, path)
			}
		}
		slices.Sort(paths)
		for _, path := range paths {
			if m := (mismatch{label, path, valueOf(a, path), valueOf(b, path)}); m.daybook != m.kafka {
				found = append(found, m)
			}
		}
	}
	return found
}

func valueOf(fields map[string]string, path string) string {
	if v, ok := fields[path]; ok {
		return v
	}
	return "absent"
}
