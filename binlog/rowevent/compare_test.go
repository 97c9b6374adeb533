//go:build servers

package rowevent_test

import "daybook/change"

func compareRow(s *server, ddl string, columns []change.Column, got []change.Value, want []string) {
	s.Helper()
	if len(got) != len(want) {
		s.Fatalf("%d values, want %d", len(got), len(want))
	}
	for i := range columns {
		c, g, w := &columns[i], render(&columns[i], &got[i]), want[i]
		if g == w {
			continue
		}
		same := 0
		for same < min(len(g), len(w)) && g[same] == w[same] {
			same++
		}
		same = max(0, same-20)
		s.Errorf("%s %s(%d,%d) %s from byte %d: got %.100s, want %.100s\n(%.60s)", c.Name, c.Type, c.Length, c.Scale, c.Charset, same, g[same:], w[same:], ddl)
	}
}
