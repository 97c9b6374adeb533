package binlog

import (
	"strings"
	"testing"

	"daybook/binlog/dump"
	"daybook/objects"
)

func TestLeftOut(t *testing.T) {
	databases := []string{"mysql", "information_schema", "shop", "crm", "shop_old"}
	for _, tt := range []struct {
		include, exclude []string
		do, ignore       string
		flavor           Flavor
		fold             bool
		more             []string // databases
		selected         string   // that are left out
		says             string
		not              string
	}{
		{include: []string{"shop.*"}, says: "no database"},
		{include: []string{"shop.*"}, do: "shop", says: "binlog_do_db is shop", not: "commas"},
		{include: []string{"shop.*"}, do: "crm,shop", says: "each name needs a setting of its own", not: "selected"},
		{include: []string{"shop.*"}, do: "crm", selected: "shop"},
		{include: []string{"shop.orders", "crm.*", "shop.items"}, do: "x", selected: "crm, shop"},
		{include: []string{"new.*"}, do: "shop", selected: "new"},
		{include: []string{"shop.*"}, do: "shop_old", selected: "shop"},
		{include: []string{"shop.*"}, ignore: "crm", not: "selected"},
		{include: []string{"shop.*"}, ignore: "crm,shop", selected: "shop"},
		{include: []string{"shop.*"}, do: "shop", ignore: "shop", not: "selected"},
		{include: []string{"shop.*"}, do: "crm", ignore: "x", selected: "shop"},
		{include: []string{"*.*"}, do: "shop", says: "changes of crm, shop_old, which a wildcard or regular expression covers", not: "mysql"},
		{include: []string{"*.*"}, ignore: "crm", says: "changes of crm, which a wildcard or regular expression covers", not: "shop"},
		{include: []string{"*.*"}, ignore: "yet,mysql", says: "changes of yet, which a wildcard or regular expression covers", not: "mysql, "},
		{include: []string{"*.*"}, exclude: []string{"crm.*", "shop_*.*"}, do: "shop", not: "wildcard"},
		{include: []string{"shop*.*", "shop.*"}, do: "crm", selected: "shop", says: "changes of shop_old"},
		{include: []string{"*.orders"}, do: "crm", says: "changes of shop, shop_old"},
		// lower_case_table_names=0
		{include: []string{"shop.*"}, do: "Shop", selected: "shop"},
		{include: []string{"Shop.*"}, do: "Shop", not: "selected"},
		// and else
		{include: []string{"Shop.*"}, do: "SHOP", fold: true, not: "selected"},
		{include: []string{"Shop.*"}, ignore: "SHOP", fold: true, selected: "shop"},
		{include: []string{"Shop.*"}, do: "Shop", fold: true, flavor: MariaDB, selected: "shop"}, // which has it in lower case
		{include: []string{"Shop.*"}, do: "shop", fold: true, flavor: MariaDB, not: "selected"},
		{include: []string{"Shop.*"}, ignore: "Shop", fold: true, flavor: MariaDB, not: "selected"},
		// commas
		{include: []string{"a,b.*"}, do: "a,b", says: "whether changes of a,b are", not: "selected"},
		{include: []string{"a,b.*"}, do: "a,c", selected: "a,b"},
		{include: []string{"a.*"}, do: "a,b", not: "whether"},
		{include: []string{"a.*"}, do: "a,b", more: []string{"a,b"}, says: "whether changes of a are"},
		{include: []string{"a.*"}, ignore: "x,a,b", more: []string{"A,b"}, fold: true, says: "whether changes of a are"},
		{include: []string{"x.*"}, ignore: "x,a,b", more: []string{"a,b"}, selected: "x"},
	} {
		f, err := objects.New(tt.include, tt.exclude, tt.fold)
		if err != nil {
			t.Fatal(err)
		}
		if tt.flavor == "" {
			tt.flavor = MySQL
		}
		out := leftOut(f, &Status{Flavor: tt.flavor, Version: 80031, LowerCaseTableNames: map[bool]int{true: 1}[tt.fold]}, dump.LogFilters{Do: tt.do, Ignore: tt.ignore}, append(databases, tt.more...))
		if tt.selected != "" {
			tt.says = tt.says + "|changes of the selected databases " + tt.selected + " are"
		}
		if out.Selected != (tt.selected != "") || out.Filtered != (tt.do+tt.ignore != "") {
			t.Errorf("%+v: %+v", tt, out)
		}
		for part := range strings.SplitSeq(tt.says, "|") {
			if !strings.Contains(out.Found, part) {
				t.Errorf("%+v: %q does not say %q", tt, out.Found, part)
			}
		}
		if tt.not != "" && strings.Contains(out.Found, tt.not) {
			t.Errorf("%+v: %q says %q", tt, out.Found, tt.not)
		}
	}
}
