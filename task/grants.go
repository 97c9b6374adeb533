package task

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"daybook/binlog"
	"daybook/objects"
)

// grants is what SHOW GRANTS told: privileges as granted, and, of MySQL with partial_revokes, those by database that a
// global one does not give.
type grants struct{ granted, revoked privileges }

// privileges are by what they are granted on; a database alone has the table *, and everything the database * too.
type privileges map[granted]map[string]bool

type granted struct{ database, table string }

var grantLine = regexp.MustCompile("(?is)^(GRANT|REVOKE) (.+) ON (?:TABLE )?(`(?:[^`]|``)+`|[^`. ]+)[.](`(?:[^`]|``)+`|[^`. ]+) (?:TO|FROM) ")

func parseGrants(rows [][]binlog.Text) grants {
	g := grants{privileges{}, privileges{}}
	for _, r := range rows {
		m := grantLine.FindStringSubmatch(r[0].String)
		if m == nil {
			continue // a role, or PROXY
		}
		on := granted{grantedName(m[3]), grantedName(m[4])}
		if on.table == "*" { // the wildcards of a database's name have a backslash where they are characters
			on.database = strings.NewReplacer(`\_`, "_", `\%`, "%").Replace(on.database)
		}
		to := g.granted
		if strings.EqualFold(m[1], "REVOKE") {
			to = g.revoked
		}
		to.add(on, m[2])
	}
	return g
}

// grantedName takes the backquotes off a name of SHOW GRANTS.
func grantedName(name string) string {
	if inner, quoted := strings.CutPrefix(name, "`"); quoted {
		return strings.ReplaceAll(strings.TrimSuffix(inner, "`"), "``", "`")
	}
	return name
}

func (p privileges) add(on granted, list string) {
	if p[on] == nil {
		p[on] = map[string]bool{}
	}
	for priv := range strings.SplitSeq(list, ",") {
		priv = strings.ToUpper(strings.TrimSpace(priv))
		if priv == "ALL" {
			priv = "ALL PRIVILEGES"
		}
		p[on][priv] = true
	}
}

// global tells whether a privilege is granted on *.*.
func (g grants) global(priv string) bool {
	all := g.granted[granted{"*", "*"}]
	return all[priv] || all["ALL PRIVILEGES"]
}

// except returns the databases of which a global privilege is revoked.
func (g grants) except(priv string, wanted func(database string) bool) (databases []string) {
	for on, privs := range g.revoked {
		if (privs[priv] || privs["ALL PRIVILEGES"]) && wanted(on.database) {
			databases = append(databases, on.database)
		}
	}
	slices.Sort(databases)
	return databases
}

// selection reads the task's patterns, for names as the source compares them.
func (p *prechecker) selection() (*objects.Selection, error) {
	return objects.New(p.opts.Include, p.opts.Exclude, p.folds())
}

func (p *prechecker) folds() bool { return p.vars["lower_case_table_names"] != "0" }

// included is one pattern of include, and what it alone selects.
type included struct {
	text     string
	pattern  objects.Pattern
	selected *objects.Selection
}

func (p *prechecker) included() (all []included, err error) {
	for _, text := range p.opts.Include {
		i := included{text: text}
		if i.pattern, err = objects.Parse(text); err == nil {
			i.selected, err = objects.New([]string{text}, nil, p.folds())
		}
		if err != nil {
			return nil, err
		}
		all = append(all, i)
	}
	return all, nil
}

// selectPrivilege wants every selected table to be visible. The server shows
// in information_schema only what the user may see, so a table that is hidden
// cannot be named; what can be told is an include pattern that nothing grants.
func (p *prechecker) selectPrivilege(ctx context.Context, g grants) error {
	const name = "privilege SELECT"
	selected, err := p.selection()
	if err != nil {
		return nil // the reader tells
	}
	include, err := p.included()
	if err != nil {
		return err
	}
	fix := "GRANT SELECT ON *.* TO " + p.account + " (or on the selected databases)"
	if g.global("SELECT") {
		hidden := g.except("SELECT", func(database string) bool { return selected.Database(database) && !g.coverAll(include, database) })
		if len(hidden) > 0 {
			p.fail(name, "granted on *.*, but revoked on "+strings.Join(hidden, ", "), fmt.Sprintf("GRANT SELECT ON %s.* TO %s, or exclude it from the task", backquoted(hidden[0]), p.account))
			return nil
		}
		p.pass(name, "granted on *.*")
		return nil
	}
	if some := g.byColumn(selected); len(some) > 0 {
		p.fail(name, "granted on single columns only of "+strings.Join(some, ", ")+": the others are not shown, so its rows stop the task", fix)
		return nil
	}
	there, err := databases(ctx, p.conn)
	if err != nil {
		return err
	}
	seen := &listing{conn: p.conn}
	var partly []string
	for _, i := range include {
		database, table := i.pattern.Names()
		if g.cover(i.selected, database, table) {
			continue
		}
		visible, err := seen.has(ctx, i.selected, there)
		if err != nil {
			return err
		}
		if !visible {
			p.fail(name, fmt.Sprintf("no table of %s is visible to %s", i.text, p.opts.Source.User), fix)
			return nil
		}
		if database == "" || table == "" {
			partly = append(partly, i.text)
		}
	}
	if len(partly) > 0 {
		p.add(name, Warn, "not granted on all of "+strings.Join(partly, ", ")+": rows of a table that is selected and not visible to "+p.opts.Source.User+" stop the task", fix)
		return nil
	}
	p.pass(name, "granted on what is selected")
	return nil
}

// cover tells whether SELECT is granted on the database as a whole, or on the table, whose names are compared as those
// of the selection. A name that is "" is any.
func (g grants) cover(as *objects.Selection, database, table string) bool {
	if database == "" {
		return false
	}
	same := func(a, b string) bool { return as.Fold(a) == as.Fold(b) }
	for on, privs := range g.granted {
		if (privs["SELECT"] || privs["ALL PRIVILEGES"]) && same(on.database, database) && (on.table == "*" || table != "" && same(on.table, table)) {
			return true
		}
	}
	return false
}

// coverAll tells whether SELECT is granted on all that is selected of a database, as a whole or table by table.
func (g grants) coverAll(include []included, database string) bool {
	for _, i := range include {
		if _, table := i.pattern.Names(); i.selected.Database(database) && !g.cover(i.selected, database, table) {
			return false
		}
	}
	return true
}

// byColumn returns the selected tables of which only columns are granted.
func (g grants) byColumn(selected *objects.Selection) (tables []string) {
	for on, privs := range g.granted {
		if selected.Table(on.database, on.table) && !g.cover(selected, on.database, on.table) && slices.ContainsFunc(slices.Collect(maps.Keys(privs)), func(p string) bool { return strings.HasPrefix(p, "SELECT (") }) {
			tables = append(tables, objects.Exact(on.database, on.table).String())
		}
	}
	slices.Sort(tables)
	return tables
}

// accountOf quotes what CURRENT_USER() tells: the account by which the server knows the user, whose host need not be %.
func accountOf(current string) string {
	at := strings.LastIndexByte(current, '@')
	if at < 0 {
		return quoted(current)
	}
	return quoted(current[:at]) + "@" + quoted(current[at+1:])
}

func backquoted(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
