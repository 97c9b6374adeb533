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
		{"character_set_results", "latin1"}, {"sql_select_limit", "100"}, {"time_zone", "SYSTEM"}, {"autocommit", "OFF"}, {"max_sort_length", "4"},
	} {
		f := (&fake{session: map[string]string{tt.variable: tt.value}}).serve(t)
		_, err := dump.Dial(t.Context(), dump.Source{Address: f.address, User: "u", Password: "p"})
		if err == nil || !strings.Contains(err.Error(), tt.variable) || !strings.Contains(err.Error(), "proxy") {
			t.Errorf("%s is %s: %v", tt.variable, tt.value, err)
		}
	}
}

// TestSettingsThatAreNotShown logs in to a server that shows fewer variables, as MySQL
// 5.1 does, and to something that shows none.
func TestSettingsThatAreNotShown(t *testing.T) {
	dial := func(hidden ...string) error {
		f := &fake{session: map[string]string{}}
		for _, name := range hidden {
			f.session[name] = "hidden"
		}
		c, err := dump.Dial(t.Context(), dump.Source{Address: f.serve(t).address, User: "u", Password: "p"})
		if err == nil {
			_ = c.Close()
		}
		return err
	}
	if err := dial("autocommit", "sql_big_selects", "sql_quote_show_create", "sql_auto_is_null"); err != nil {
		t.Error(err)
	}
	if err := dial("version"); err == nil {
		t.Error("a source that does not show its variables is believed")
	}
}
