//go:build servers

package rowevent_test

import "daybook/change"

func compareRow(s *server, ddl string, columns []change.Column, got []change.Value, want []string) {
	s.Helper()
	if len(got) != len(want) {
		s.Fatalf("%d values, want %d", len(got), len(want))
	}
	for i := range columns {
		if g := render(&columns[i], &got[i]); g != want[i] {
			s.Errorf("%s %s(%d,%d) %s: got %.100s, want %.100s\n(%.60s)", columns[i].Name, columns[i].Type, columns[i].Length, columns[i].Scale, columns[i].Charset, g, want[i], ddl)
		}
	}
}
