package task

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"daybook/binlog"
)

// grants is what SHOW GRANTS told: privileges by `database.table` as granted.
type grants map[string]map[string]bool

var grantLine = regexp.MustCompile(`(?i)^GRANT (.+) ON (?:TABLE )?(\S+) TO `)

func parseGrants(rows [][]binlog.Text) grants {
	g := grants{}
	for _, r := range rows {
		m := grantLine.FindStringSubmatch(r[0].String)
		if m == nil {
			continue // a role, or PROXY
		}
		object := strings.ReplaceAll(m[2], "`", "")
		if g[object] == nil {
			g[object] = map[string]bool{}
		}
		for priv := range strings.SplitSeq(m[1], ",") {
			priv = strings.ToUpper(strings.TrimSpace(priv))
			if priv == "ALL" {
				priv = "ALL PRIVILEGES"
			}
			g[object][priv] = true
		}
	}
	return g
}

func (g grants) global(priv string) bool { return g["*.*"][priv] }

// selectPrivilege wants every selected table to be visible. The server shows
// in information_schema only what the user may see, so a table that is hidden
// cannot be named; what can be told is an include pattern that nothing grants.
func (p *prechecker) selectPrivilege(ctx context.Context, g grants) error {
	const name = "privilege SELECT"
	if g.global("SELECT") || g.global("ALL PRIVILEGES") {
		p.pass(name, "granted on *.*")
		return nil
	}
	for _, include := range p.opts.Include {
		db, _, _ := strings.Cut(include, ".")
		rows, err := p.conn.LongQuery(ctx, "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA LIKE '"+likePattern(db)+"'")
		if err != nil {
			return err
		}
		if rows[0][0].String == "0" && !g.covers(db) {
			p.fail(name, fmt.Sprintf("no table of %s is visible to %s", include, p.opts.Source.User),
				fmt.Sprintf("GRANT SELECT ON *.* TO '%s'@'%%' (or on the selected databases)", p.opts.Source.User))
			return nil
		}
	}
	p.pass(name, "granted on the selected databases")
	return nil
}

// covers tells whether SELECT is granted on the database as a whole.
func (g grants) covers(db string) bool {
	for object, privs := range g {
		on, table, _ := strings.Cut(object, ".")
		if table == "*" && strings.ReplaceAll(on, `\_`, "_") == db && (privs["SELECT"] || privs["ALL PRIVILEGES"]) {
			return true
		}
	}
	return false
}

// likePattern turns a pattern with * and ? into one for LIKE, quoted for SQL.
func likePattern(p string) string {
	return strings.NewReplacer(`\`, `\\\\`, `'`, `''`, `%`, `\\%`, `_`, `\\_`, `*`, `%`, `?`, `_`).Replace(p)
}
