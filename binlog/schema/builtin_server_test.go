//go:build servers

package schema

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"daybook/e2e/servers"
)

// TestBuiltInsTakePrecedence makes a stored function of each name that is taken
// for built in, and calls it without its database: it must not run, but for those that
// need to stand before their parenthesis and do not.
func TestBuiltInsTakePrecedence(t *testing.T) {
	servers.Each(t, func(t *testing.T, s *servers.Server) {
		src := openSource(t, s, fmt.Sprintf("schema_builtin_%08x", rand.Uint32()))
		names := slices.Collect(maps.Keys(builtIns))
		for _, n := range newerBuiltIns {
			names = slices.AppendSeq(names, maps.Keys(n.words))
		}
		called := 0
		for _, name := range names {
			src.must("CREATE FUNCTION `" + name + "`() RETURNS INT DETERMINISTIC RETURN 4711")
			for _, call := range []string{name + "()", name + " ()"} {
				rows, err := src.query(context.Background(), "SELECT "+call)
				if ran := err == nil && rows[0][0].String == "4711"; !ran {
					continue
				}
				called++
				m := mentions{server: src.server}
				l := lexer{src: call}
				for tok := l.next(); tok.kind != tokEnd; tok = l.next() {
					m.add(tok)
				}
				if !m.calls[TableName{Name: name}] {
					t.Errorf("%s calls the stored function, and is taken for built in", call)
				}
			}
		}
		if called < 30 {
			t.Errorf("%d calls of stored functions", called)
		}
	})
}
