package broker

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// fill sets every exported field of a request to something random, except
// versions, tags and what is only sent as a tag.
func fill(r *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			switch v.Type().Field(i).Name {
			case "Version", "UnknownTags", "ReplicaState":
			default:
				fill(r, v.Field(i))
			}
		}
	case reflect.Pointer:
		if r.IntN(3) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem())
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), r.IntN(4), 4))
		for i := range v.Len() {
			fill(r, v.Index(i))
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i))
		}
	case reflect.String:
		v.SetString(strings.Repeat("n", r.IntN(200)))
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Uint8:
		v.SetUint(r.Uint64N(256))
	default:
		v.SetInt(r.Int64N(128))
	}
}

func random(r *rand.Rand, a api, version int16) kmsg.Request {
	req := a.new()
	req.(interface{ Default() }).Default()
	fill(r, reflect.ValueOf(req).Elem())
	req.SetVersion(version)
	return req
}

// TestLayouts compares every layout with what kmsg writes, in every version.
func TestLayouts(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, a := range register() {
		for version := a.min; version <= a.max; version++ {
			for range 20 {
				req := random(r, a, version)
				body := req.AppendTo(nil)
				rest, err := a.layout.check(body, version, req.IsFlexible())
				if err != nil || len(rest) != 0 {
					t.Fatalf("%s version %d: %v, %d bytes left of %x", kmsg.NameForKey(a.key), version, err, len(rest), body)
				}
				if len(body) == 0 { // ApiVersions before version 3
					continue
				}
				n := r.IntN(len(body))
				if _, err := a.layout.check(body[:n], version, req.IsFlexible()); err == nil {
					t.Fatalf("%s version %d: the first %d bytes of %x pass", kmsg.NameForKey(a.key), version, n, body)
				}
			}
		}
	}
}

// FuzzDecode: whatever the bytes, decoding ends soon, does not panic, and
// allocates in proportion to them.
func FuzzDecode(f *testing.F) {
	apis := register()
	r := rand.New(rand.NewPCG(3, 4))
	for _, a := range apis {
		for _, version := range []int16{a.min, a.max} {
			req := random(r, a, version)
			body := req.AppendTo(nil)
			if req.IsFlexible() {
				body = append([]byte{0}, body...) // the header's tags
			}
			f.Add(a.key, version, body)
		}
	}
	f.Add(int16(kmsg.Heartbeat), int16(4), []byte("\x00\x01\x00\x00\x00\x00\x01\x00\xff\xff\xff\xff\x0f"))
	f.Add(int16(kmsg.Metadata), int16(0), []byte("\x7f\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, key, version int16, body []byte) {
		a, ok := apis[key]
		if !ok || version < a.min || version > a.max {
			return
		}
		var err error
		// An element of a struct array of a few bytes becomes a struct of some
		// hundred; errors carry a text.
		Allocates(t, 200*len(body)+1<<16, func() {
			req := a.new()
			req.SetVersion(version)
			err = a.decode(req, body)
		})
		if err != nil && strings.Contains(err.Error(), "panic") {
			t.Error(err)
		}
	})
}
