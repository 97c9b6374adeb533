package schema

import (
	"slices"
	"strings"
	"unicode/utf8"

	"daybook/binlog/charset"
	"daybook/change"
)

// KeepLabels gives the table of that name, which was read from information_schema, the
// labels of ENUM and SET that are known of it where it may have them: servers show a
// question mark for each character that is outside the BMP, or that their table of a
// character set lacks. What shows another label stays as it is shown.
func (c *Catalog) KeepLabels(known *change.Table) {
	t := c.lookup(TableName{known.Database, known.Name})
	if t == nil || t.Unknown {
		return
	}
	def := *t.Def
	def.Columns = slices.Clone(def.Columns)
	kept := false
	for i := range def.Columns {
		column := &def.Columns[i]
		was := knownColumn(known, t.Def, i)
		if was == nil || len(column.Members) == 0 || column.Type != was.Type {
			continue
		}
		labels := keptLabels(was, column)
		kept = kept || !slices.Equal(labels, column.Members)
		column.Members = labels
	}
	if kept {
		with := *t
		with.Def = &def
		c.put(&with)
	}
}

// knownColumn returns what is known of a table's column i: the one of its name, or the
// one in its place if that has no name of the table's.
func knownColumn(known, now *change.Table, i int) *change.Column {
	named := func(t *change.Table, name string) int {
		return slices.IndexFunc(t.Columns, func(c change.Column) bool { return strings.EqualFold(c.Name, name) })
	}
	if at := named(known, now.Columns[i].Name); at >= 0 {
		return &known.Columns[at]
	}
	if i < len(known.Columns) && named(now, known.Columns[i].Name) < 0 {
		return &known.Columns[i]
	}
	return nil
}

// keptLabels returns the labels that a column is shown with, and those that are known in
// place of those that may be them.
func keptLabels(known, shown *change.Column) []string {
	if known.Charset != shown.Charset && !slices.Equal(known.Members, fitting(shown.Charset, known.Members)) {
		return shown.Members
	}
	if n := len(known.Members); n <= len(shown.Members) && slices.EqualFunc(known.Members, shown.Members[:n], func(label, shown string) bool {
		return strings.ContainsRune(label, utf8.RuneError) || mayShow(label, shown, known.Charset) // what its character set has not is not known either
	}) {
		return append(slices.Clone(known.Members), shown.Members[n:]...)
	}
	return keptInOrder(known, shown.Members)
}

// keptInOrder does so where labels were dropped, changed or put in another order: those
// stay that are shown alike as often as they are known, in their order.
func keptInOrder(known *change.Column, shown []string) []string {
	places := map[string][]int{}
	for i, s := range shown {
		places[s] = append(places[s], i)
	}
	labels := slices.Clone(shown)
	for s, at := range places {
		var could []string
		for _, l := range known.Members {
			if elsewhere := l != s && places[l] != nil; !elsewhere && mayShow(l, s, known.Charset) {
				could = append(could, l)
			}
		}
		if len(could) != len(at) {
			continue
		}
		for i, l := range could {
			labels[at[i]] = l
		}
	}
	return labels
}

// fitting returns labels as they are in another character set.
func fitting(name string, labels []string) []string {
	cs, ok := charset.ByName(name)
	if !ok {
		return nil
	}
	fit := make([]string, len(labels))
	for i, l := range labels {
		fit[i] = cs.Fit(l)
	}
	return fit
}

// lackingSets are the character sets whose tables in the servers lack characters that
// Daybook knows.
var lackingSets = []string{"big5", "gbk", "gb2312", "sjis", "ujis"}

// mayShow tells whether a server may show a label of a column in the character set so.
func mayShow(label, shown, set string) bool {
	lacking := slices.Contains(lackingSets, set)
	return slices.EqualFunc([]rune(label), []rune(shown), func(r, s rune) bool {
		return r == s || s == '?' && (r > 0xffff || lacking && r >= utf8.RuneSelf)
	})
}
