package schema

import (
	"slices"
	"strings"

	"daybook/change"
)

// ForeignKey is a foreign key whose action changes rows of its child.
type ForeignKey struct {
	Child, Parent TableName
	Actions       string // such as ON DELETE CASCADE ON UPDATE SET NULL
}

// LogsActions tells whether the binlog has the rows that foreign keys' actions
// change: from MySQL 9.6 on, unless innodb_native_foreign_keys is ON.
func (s Server) LogsActions() bool { return s.mysqlFrom(90600) && !s.NativeForeignKeys }

// obeysInlineReferences tells whether REFERENCES behind a column makes a foreign
// key; others read it and forget it.
func (s Server) obeysInlineReferences() bool { return s.mysqlFrom(90000) || s.mariaFrom(100500) }

// noteActing keeps of the foreign keys that a statement declares those of a table
// that it made or changed and that has them: InnoDB's.
func (u *run) noteActing(keys []ForeignKey) {
	if u.server.LogsActions() || u.err != nil {
		return
	}
	for _, k := range keys {
		engine := u.catalog.Engine(k.Child.Database, k.Child.Name)
		there := slices.ContainsFunc(u.result.Tables, func(t change.TableChange) bool { return t.Table != nil })
		if there && (engine == "" || strings.EqualFold(engine, "InnoDB")) {
			u.result.Acting = append(u.result.Acting, k)
		}
	}
}
