package task

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"daybook/binlog"
)

// grants is what SHOW GRANTS told: privileges by `database.table` as granted, and, of MySQL with partial_revokes, those by
// database that a global one does not give.
type grants struct{ granted, revoked privileges }

type privileges map[string]map[string]bool

var grantLine = regexp.MustCompile(`(?i)^(GRANT|REVOKE) (.+) ON (?:TABLE )?(\S+) (?:TO|FROM) `)

func parseGrants(rows [][]binlog.Text) grants {
	g := grants{privileges{}, privileges{}}
	for _, r := range rows {
		m := grantLine.FindStringSubmatch(r[0].String)
		if m == nil {
			continue // a role, or PROXY
		}
		to := g.granted
		if strings.EqualFold(m[1], "REVOKE") {
			to = g.revoked
		}
		to.add(strings.ReplaceAll(m[3], "`", ""), m[2])
	}
	return g
}

func (p privileges) add(object, list string) {
	if p[object] == nil {
		p[object] = map[string]bool{}
	}
	for priv := range strings.SplitSeq(list, ",") {
		priv = strings.ToUpper(strings.TrimSpace(priv))
		if priv == "ALL" {
			priv = "ALL PRIVILEGES"
		}
		p[object][priv] = true
	}
}

// global tells whether a privilege is granted on *.*.
func (g grants) global(priv string) bool {
	return g.granted["*.*"][priv] || g.granted["*.*"]["ALL PRIVILEGES"]
}

// except returns the databases of which a global privilege is revoked.
func (g grants) except(priv string, wanted func(database string) bool) (databases []string) {
	for object, privs := range g.revoked {
		if database, _, _ := strings.Cut(object, "."); (privs[priv] || privs["ALL PRIVILEGES"]) && wanted(database) {
			databases = append(databases, database)
		}
	}
	slices.Sort(databases)
	return databases
}

// selectPrivilege wants every selected table to be visible. The server shows
// in information_schema only what the user may see, so a table that is hidden
// cannot be named; what can be told is an include pattern that nothing grants.
func (p *prechecker) selectPrivilege(ctx context.Context, g grants) error {
	const name = "privilege SELECT"
	table, selects, err := binlog.Selector(p.opts.Include, p.opts.Exclude, p.vars["lower_case_table_names"] != "0")
	if err != nil {
		return nil // the reader tells
	}
	fix := "GRANT SELECT ON *.* TO " + p.account + " (or on the selected databases)"
	if g.global("SELECT") {
		hidden := g.except("SELECT", func(database string) bool { return selects(database) && !p.coversAll(g, database) })
		if len(hidden) > 0 {
			p.fail(name, "granted on *.*, but revoked on "+strings.Join(hidden, ", "), fmt.Sprintf("GRANT SELECT ON %s.* TO %s, or exclude it from the task", backquoted(hidden[0]), p.account))
			return nil
		}
		p.pass(name, "granted on *.*")
		return nil
	}
	if some := g.byColumn(table); len(some) > 0 {
		p.fail(name, "granted on single columns only of "+strings.Join(some, ", ")+": the others are not shown, so its rows stop the task", fix)
		return nil
	}
	var partly []string
	for _, include := range p.opts.Include {
		db, table, _ := strings.Cut(include, ".")
		if g.covers(db, table) {
			continue
		}
		rows, err := p.conn.LongQuery(ctx, "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA LIKE '"+likePattern(db)+"' AND TABLE_NAME LIKE '"+likePattern(table)+"'")
		if err != nil {
			return err
		}
		if rows[0][0].String == "0" {
			p.fail(name, fmt.Sprintf("no table of %s is visible to %s", include, p.opts.Source.User), fix)
			return nil
		}
		if strings.ContainsAny(include, "*?") {
			partly = append(partly, include)
		}
	}
	if len(partly) > 0 {
		p.add(name, Warn, "not granted on all of "+strings.Join(partly, ", ")+": rows of a table that is selected and not visible to "+p.opts.Source.User+" stop the task", fix)
		return nil
	}
	p.pass(name, "granted on what is selected")
	return nil
}

// covers tells whether SELECT is granted on the database as a whole, or on the table.
func (g grants) covers(db, table string) bool {
	for object, privs := range g.granted {
		on, of, _ := strings.Cut(object, ".")
		if (of == "*" && strings.ReplaceAll(on, `\_`, "_") == db || on == db && of == table) && (privs["SELECT"] || privs["ALL PRIVILEGES"]) {
			return true
		}
	}
	return false
}

// coversAll tells whether SELECT is granted on all that is selected of a database, table by table.
func (p *prechecker) coversAll(g grants, database string) bool {
	for _, include := range p.opts.Include {
		db, table, _ := strings.Cut(include, ".")
		if strings.ContainsAny(db, "*?") || strings.EqualFold(db, database) && !g.covers(database, table) {
			return false
		}
	}
	return true
}

// byColumn returns the selected tables of which only columns are granted.
func (g grants) byColumn(selected func(database, table string) bool) (tables []string) {
	for object, privs := range g.granted {
		db, table, _ := strings.Cut(object, ".")
		if selected(db, table) && !g.covers(db, table) && slices.ContainsFunc(slices.Collect(maps.Keys(privs)), func(p string) bool { return strings.HasPrefix(p, "SELECT (") }) {
			tables = append(tables, object)
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

// likePattern turns a pattern with * and ? into one for LIKE, quoted for SQL.
func likePattern(p string) string {
	return strings.NewReplacer(`\`, `\\\\`, `'`, `''`, `%`, `\\%`, `_`, `\\_`, `*`, `%`, `?`, `_`).Replace(p)
}
