package binlog

import (
	"fmt"
	"slices"
	"strings"

	"daybook/binlog/dump"
	"daybook/objects"
)

// LeftOut tells of databases that a source leaves out of its binlog (binlog_do_db, binlog_ignore_db).
type LeftOut struct {
	// Filtered: there are such settings. Selected: they leave out databases that are selected by name.
	Filtered, Selected bool
	Found              string // what is so, for people
	Fix                string // what to do about it
}

const (
	leftOutFix  = "take binlog_do_db and binlog_ignore_db out of the server's configuration and restart it, or select only databases that they let through; what was changed in the others meanwhile is in no binlog"
	noneLeftOut = "no database is left out"
)

// FindLeftOut tells what of the selected databases is left out, by patterns as in Options. databases are those that
// the source has.
func FindLeftOut(include, exclude []string, s *Status, filters dump.LogFilters, databases []string) (LeftOut, error) {
	selected, err := objects.New(include, exclude, s.LowerCaseTableNames != 0)
	if err != nil {
		return LeftOut{}, err
	}
	return leftOut(selected, s, filters, databases), nil
}

func leftOut(selected *objects.Selection, s *Status, filters dump.LogFilters, databases []string) LeftOut {
	if filters == (dump.LogFilters{}) {
		return LeftOut{Found: noneLeftOut}
	}
	exact := selected.Databases()
	l := logged{LogFilters: filters, fold: s.LowerCaseTableNames != 0 && s.Flavor == MySQL && s.Version >= 50600, known: slices.Concat(exact, databases)}
	var found leftOutNames
	for _, d := range exact {
		switch l.has(d) {
		case no:
			found.selected = append(found.selected, d)
		case unsure:
			found.doubted = append(found.doubted, d)
		}
	}
	if filters.Do == "" {
		databases = slices.Concat(databases, strings.Split(filters.Ignore, ",")) // they may be created yet
	}
	for _, d := range databases {
		if d = selected.Fold(d); slices.Contains(exact, d) || !selected.Database(d) {
			continue
		}
		switch l.has(d) {
		case no:
			found.covered = append(found.covered, d)
		case unsure:
			found.doubted = append(found.doubted, d)
		}
	}
	return LeftOut{Filtered: true, Selected: len(found.selected) > 0, Found: found.text(filters), Fix: leftOutFix}
}

// logged tells which databases a binlog has.
type logged struct {
	dump.LogFilters
	// fold: the names that are set are compared in lower case. MariaDB and MySQL before 5.6 compare them as they
	// are written, also with names that lower_case_table_names has made lower case.
	fold  bool
	known []string // databases that there are, or may be
}

// answer is yes, no, or that it cannot be told.
type answer int

const (
	no answer = iota
	yes
	unsure
)

func (l *logged) has(database string) answer {
	if l.Do != "" {
		return l.listed(l.Do, database)
	}
	return [...]answer{no: yes, yes: no, unsure: unsure}[l.listed(l.Ignore, database)]
}

// listed tells whether a database is one of those that are joined by commas. A name may have a comma, too.
func (l *logged) listed(list, database string) answer {
	if l.fold {
		list, database = strings.ToLower(list), strings.ToLower(database)
	}
	if !joined(list, database) {
		return no
	}
	if strings.Contains(database, ",") {
		return unsure // or those that it is joined of are meant
	}
	for _, other := range l.known {
		if l.fold {
			other = strings.ToLower(other)
		}
		if strings.Contains(other, ",") && joined(other, database) && joined(list, other) {
			return unsure
		}
	}
	return yes
}

// joined tells whether a name may be one of a list that is joined by commas.
func joined(list, name string) bool { return strings.Contains(","+list+",", ","+name+",") }

// leftOutNames are databases that are left out: selected by name, covered by a wildcard or regular expression, or either
// without certainty.
type leftOutNames struct{ selected, covered, doubted []string }

func (n *leftOutNames) text(filters dump.LogFilters) string {
	var set, said []string
	if filters.Do != "" {
		set = append(set, "binlog_do_db is "+filters.Do)
	}
	if filters.Ignore != "" {
		set = append(set, "binlog_ignore_db is "+filters.Ignore)
	}
	const gone = "are not in the binlog, and so not in the log"
	if len(n.selected) > 0 {
		said = append(said, "changes of the selected databases "+firstOf(n.selected)+" "+gone)
	}
	if len(n.covered) > 0 {
		said = append(said, "changes of "+firstOf(n.covered)+", which a wildcard or regular expression covers, "+gone)
	}
	if len(n.doubted) > 0 {
		said = append(said, "whether changes of "+firstOf(n.doubted)+" are in the binlog cannot be told, as names have commas")
	}
	if strings.Contains(filters.Do, ",") {
		said = append(said, "if a single setting has several names with commas between them (binlog-do-db=a,b), it is the name of one database, and changes of none of these are in the binlog: each name needs a setting of its own")
	}
	said = append(said, "changes of other databases than it lets through, and statements such as DDL by sessions in one, "+gone)
	return strings.Join(set, " and ") + ": " + strings.Join(said, "; ")
}

// firstOf lists names, and how many more there are.
func firstOf(names []string) string {
	const most = 20
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
