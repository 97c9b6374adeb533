package dump_test

import (
	"strings"
	"testing"

	"daybook/binlog/dump"
)

// TestSettingsThatAreNotKept logs in through something that answers for the server,
// and keeps its own value of one variable of the session.
func TestSettingsThatAreNotKept(t *testing.T) {
	for _, tt := range []struct{ variable, value string }{
		{"character_set_results", "latin1"}, {"sql_select_limit", "100"}, {"time_zone", "SYSTEM"}, {"max_execution_time", "1"}, {"autocommit", "OFF"}, {"sort_buffer_size", "1024"},
	} {
		f := (&fake{session: map[string]string{tt.variable: tt.value}}).serve(t)
		_, err := dump.Dial(t.Context(), dump.Source{Address: f.address, User: "u", Password: "p"})
		if err == nil || !strings.Contains(err.Error(), tt.variable) || !strings.Contains(err.Error(), "proxy") {
			t.Errorf("%s is %s: %v", tt.variable, tt.value, err)
		}
	}
}
