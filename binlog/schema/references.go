package schema

import (
	"slices"
	"strings"
)

// reference is a table that a statement of several tables names.
type reference struct {
	TableName
	alias   string
	derived bool // a subquery, common table expression or table function: not a table whose rows could change
}

// maxReferences and maxTargets bound what one statement is taken apart into;
// servers join 61 tables of 4096 columns.
const maxReferences, maxTargets = 128, 1 << 18

// tableReferences reads table references up to the word behind them: SET or WHERE.
func (r *reader) tableReferences(ctes []string) []reference {
	var refs []reference
	open := 0 // parentheses
	for r.failed == nil {
		switch {
		case r.isOp(0, "(") && r.isWord(1, "SELECT", "WITH", "VALUES", "TABLE"):
			r.skipParens()
			refs = append(refs, reference{alias: r.alias(), derived: true})
		case r.acceptOp("("):
			open++
			continue
		case r.acceptOp("{"): // OJ … }
			r.take()
			open++
			continue
		case r.isWord(0, "LATERAL") && r.isOp(1, "("):
			r.take()
			continue
		default:
			refs = append(refs, r.tableReference(ctes))
		}
		if len(refs) > maxReferences {
			r.fail("more tables than any server joins")
		}
		if refs = r.betweenReferences(refs, &open); !r.acceptJoin() {
			return refs
		}
	}
	return refs
}

// tableReference reads [database.]table or function(…), with what may stand behind
// it up to its alias.
func (r *reader) tableReference(ctes []string) reference {
	qualified := r.isOp(1, ".") || r.isOp(0, ".")
	ref := reference{TableName: r.relationName()}
	ref.derived = !qualified && slices.ContainsFunc(ctes, func(c string) bool { return strings.EqualFold(c, ref.Name) })
	if r.skipParens() {
		ref.derived = true
	}
	if r.acceptAny("PARTITION") {
		r.skipParens()
	}
	if r.accept("FOR", "PORTION", "OF") { // period FROM a TO b
		for !r.atElementEnd() && !r.isWord(0, "SET", "WHERE") {
			r.take()
		}
	}
	ref.alias = r.alias()
	for r.isWord(0, "USE", "FORCE", "IGNORE") && r.isWord(1, "INDEX", "KEY") {
		r.take()
		r.take()
		if r.acceptAny("FOR") {
			_ = r.acceptAny("JOIN") || r.accept("ORDER", "BY") || r.accept("GROUP", "BY")
		}
		r.skipParens()
	}
	return ref
}

// betweenReferences steps over what stands behind a table before the next one:
// closing parentheses and the conditions of joins.
func (r *reader) betweenReferences(refs []reference, open *int) []reference {
	for {
		switch {
		case *open > 0 && (r.acceptOp(")") || r.acceptOp("}")):
			*open--
			if alias := r.alias(); alias != "" { // of a union of subqueries
				refs = append(refs, reference{alias: alias, derived: true})
			}
		case r.acceptAny("ON"):
			r.skipCondition()
		case r.acceptAny("USING"):
			r.skipParens()
		default:
			return refs
		}
	}
}

// joinWords are the words between the tables of a join. All are reserved.
var joinWords = []string{"JOIN", "INNER", "CROSS", "LEFT", "RIGHT", "NATURAL", "OUTER", "STRAIGHT_JOIN"}

func (r *reader) atJoin() bool {
	return r.isWord(0, joinWords...) && !r.isOp(1, "(") || // LEFT( and RIGHT( are functions
		r.isWord(0, "JOIN", "STRAIGHT_JOIN") || r.isWord(0, "FULL") && r.isWord(1, "JOIN", "OUTER")
}

// acceptJoin takes a comma or the words that join the next table.
func (r *reader) acceptJoin() bool {
	if r.acceptOp(",") {
		return true
	}
	if r.acceptAny("UNION", "EXCEPT", "INTERSECT") {
		r.acceptAny("ALL", "DISTINCT")
		return true
	}
	joined := false
	for r.atJoin() {
		r.take()
		joined = true
	}
	return joined
}

// skipCondition steps over the expression behind ON.
func (r *reader) skipCondition() {
	for !r.atElementEnd() && !r.isOp(0, "}") && !r.atJoin() && !r.isWord(0, "ON", "USING", "SET", "WHERE", "ORDER", "LIMIT", "UNION") {
		if !r.skipParens() {
			if r.take().text == "." {
				r.take()
			}
		}
	}
}

// notAlias are the words that may stand where a table's alias may, and are
// none. All but a few are reserved.
var notAlias = append([]string{"SET", "WHERE", "ORDER", "LIMIT", "ON", "USING", "PARTITION", "USE", "FORCE", "IGNORE", "FOR",
	"UNION", "EXCEPT", "INTERSECT", "RETURNING", "FROM", "SELECT", "VALUES", "GROUP", "HAVING"}, joinWords...)

// alias takes [AS] alias and the names of its columns; "" if there is none.
func (r *reader) alias() string {
	var name string
	switch {
	case r.acceptAny("AS"):
		name = r.name()
	case r.isName(0) && !r.isWord(0, notAlias...) && !(r.isWord(0, "FULL") && r.isWord(1, "JOIN", "OUTER")):
		name = r.name()
	default:
		return ""
	}
	r.skipParens()
	return name
}
