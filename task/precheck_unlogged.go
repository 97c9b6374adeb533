package task

import (
	"context"
	"fmt"
	"strings"
	"time"

	"daybook/binlog"
)

// unloggedLimit bounds the time for the two checks of unlogged: servers before
// MySQL 8 open each table for them.
const unloggedLimit = 30 * time.Second

// maxNamed bounds the tables that a check names.
const maxNamed = 20

// unlogged looks for selected tables of which the binlog does not have all
// changes: children of foreign keys with actions, and tables of certain engines.
// It asks database by database, on a connection of its own, which the time limit
// may end.
func (p *prechecker) unlogged(ctx context.Context) error {
	selected, err := p.selection()
	if err != nil {
		return nil // the reader tells
	}
	there, err := databases(ctx, p.conn)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, unloggedLimit)
	defer cancel()
	u := &unlogged{logsActions: p.logsActions(), selected: selected.Table}
	if u.conn, err = binlog.Dial(ctx, p.opts.Source); err == nil {
		defer u.conn.Close()
	}
	for _, database := range there {
		if err == nil && selected.Database(database) {
			if err = u.read(ctx, database); err != nil {
				err = fmt.Errorf("database %s and those behind it were not looked at: %w", database, err)
			}
		}
	}
	p.tellActions(u, err)
	p.tellEngines(u, err)
	return nil
}

// logsActions tells whether rows that foreign keys' actions change are in the
// binlog: from MySQL 9.6 on, unless InnoDB does it.
func (p *prechecker) logsActions() bool {
	var major, minor int
	_, err := fmt.Sscanf(p.vars["version"], "%d.%d", &major, &minor)
	return err == nil && !p.mariaDB() && (major > 9 || major == 9 && minor >= 6) && p.vars["innodb_native_foreign_keys"] != "ON"
}

func (p *prechecker) tellActions(u *unlogged, err error) {
	const name = "foreign key actions"
	switch {
	case u.logsActions:
		p.pass(name, "rows that they change are in the binlog of this server")
	case len(u.children) > 0:
		p.add(name, Warn, "rows that these actions change are not in the binlog, so not in the log: "+named(u.children)+incomplete(err),
			"have consumers do the same actions, or applications change the children themselves and the keys be RESTRICT; see docs/operations.md")
	case err != nil:
		p.add(name, Warn, "none found"+incomplete(err), "look for ON DELETE and ON UPDATE with CASCADE or SET NULL in the selected tables yourself")
	default:
		p.pass(name, "no selected table has a foreign key with CASCADE or SET NULL")
	}
}

func (p *prechecker) tellEngines(u *unlogged, err error) {
	const name = "engines"
	switch {
	case len(u.engines) > 0:
		p.add(name, Warn, "not all changes of these tables are in the binlog as rows: "+named(u.engines)+incomplete(err),
			"exclude them from the task; of a MERGE table, see that programs write to the tables below it; see docs/operations.md")
	case err != nil:
		p.add(name, Warn, "none found"+incomplete(err), "look for tables with the engines MERGE and BLACKHOLE yourself")
	default:
		p.pass(name, "no selected table is MERGE or BLACKHOLE, or versioned by transaction ID")
	}
}

func incomplete(err error) string {
	if err == nil {
		return ""
	}
	return fmt.Sprintf(" (%v)", err)
}

// named lists tables, and how many more there are.
func named(all []string) string {
	if len(all) <= maxNamed {
		return strings.Join(all, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(all[:maxNamed], ", "), len(all)-maxNamed)
}

// unlogged is what is found of tables whose changes are not all in the binlog.
type unlogged struct {
	conn        *binlog.Conn
	logsActions bool
	selected    func(database, table string) bool

	children, engines []string
}

func (u *unlogged) read(ctx context.Context, database string) error {
	where := " = " + quoted(database)
	if !u.logsActions {
		if err := u.readActions(ctx, database, where); err != nil {
			return err
		}
	}
	return u.readEngines(ctx, database, where)
}

func (u *unlogged) readActions(ctx context.Context, database, where string) error {
	rows, err := u.conn.LongQuery(ctx, "SELECT TABLE_NAME, UNIQUE_CONSTRAINT_SCHEMA, REFERENCED_TABLE_NAME, DELETE_RULE, UPDATE_RULE"+
		" FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA"+where)
	if err != nil {
		return err
	}
	for _, r := range rows {
		var actions []string
		for i, when := range []string{"ON DELETE ", "ON UPDATE "} {
			if rule := r[3+i].String; rule == "CASCADE" || strings.HasPrefix(rule, "SET ") {
				actions = append(actions, when+rule)
			}
		}
		if len(actions) == 0 || !u.selected(database, r[0].String) {
			continue
		}
		parent := r[1].String + "." + r[2].String
		if !u.selected(r[1].String, r[2].String) {
			parent += ", which is not selected"
		}
		u.children = append(u.children, fmt.Sprintf("%s.%s (%s of %s)", database, r[0].String, strings.Join(actions, " "), parent))
	}
	return nil
}

func (u *unlogged) readEngines(ctx context.Context, database, where string) error {
	rows, err := u.conn.LongQuery(ctx, "SELECT TABLE_NAME, ENGINE, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA"+where+
		" AND (ENGINE IN ('MRG_MYISAM', 'BLACKHOLE') OR TABLE_TYPE = 'SYSTEM VERSIONED')")
	if err != nil {
		return err
	}
	for _, r := range rows {
		if !u.selected(database, r[0].String) {
			continue
		}
		what := r[1].String
		if r[2].String == "SYSTEM VERSIONED" {
			byID, err := u.conn.LongQuery(ctx, "SELECT 1 FROM information_schema.COLUMNS WHERE TABLE_SCHEMA"+where+" AND TABLE_NAME = "+quoted(r[0].String)+
				" AND GENERATION_EXPRESSION = 'ROW START' AND COLUMN_TYPE LIKE 'bigint%'")
			if err != nil {
				return err
			}
			if len(byID) == 0 {
				continue
			}
			what = "versioned by transaction ID, written as statements, which stop the task"
		}
		u.engines = append(u.engines, fmt.Sprintf("%s.%s (%s)", database, r[0].String, what))
	}
	return nil
}

func quoted(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", "''").Replace(s) + "'"
}
