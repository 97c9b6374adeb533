package objects

import (
	"errors"
	"regexp"
	"regexp/syntax"
)

// anchored is a regular expression as it is matched: against the whole name, in which .
// stands for any character; in any case if fold.
func anchored(re string, fold bool) string {
	if fold {
		return `\A(?is:` + re + `)\z`
	}
	return `\A(?s:` + re + `)\z`
}

// checkExpression looks whether a regular expression can be read, and is not too large.
func checkExpression(re string) *Error {
	if _, err := syntax.Parse(re, syntax.Perl); err != nil {
		return expressionError(err)
	}
	size, err := sizeOf(re)
	if err != nil {
		return expressionError(err)
	}
	if size > maxExpression {
		return &Error{Reason: tooLarge}
	}
	return nil
}

// expressionError tells in Go's own words why a regular expression cannot be read.
func expressionError(err error) *Error {
	const reason = "the regular expression cannot be read: "
	if s := (*syntax.Error)(nil); errors.As(err, &s) {
		return &Error{Reason: reason + s.Code.String(), Part: s.Expr}
	}
	return &Error{Reason: reason + "it is none"}
}

// sizeOf returns about how many steps the program of a regular expression has. It is known
// before the program is made, which repetitions may make a thousand times as large as the text.
func sizeOf(re string) (int, error) {
	parsed, err := syntax.Parse(anchored(re, true), syntax.Perl)
	if err != nil {
		return 0, err
	}
	return steps(parsed), nil
}

func steps(re *syntax.Regexp) int {
	const rangesPerStep = 8 // which are looked through by halves
	n := 0
	for _, sub := range re.Sub {
		n += steps(sub)
	}
	switch re.Op {
	case syntax.OpLiteral:
		n += len(re.Rune)
	case syntax.OpCharClass:
		n += 1 + len(re.Rune)/2/rangesPerStep
	case syntax.OpRepeat:
		n = 1 + n*max(re.Min, re.Max, 1)
	default:
		n++
	}
	return n
}

// checkBoth looks whether a regular expression may match any database.table.
func checkBoth(re string) *Error {
	p, err := newProgram(re, true)
	if err != nil {
		return expressionError(err)
	}
	if !p.leadsOn([]uint32{uint32(p.prog.Start)}, atDatabase) {
		return &Error{Reason: "the table is missing: a regular expression alone is matched against database.table, and this one matches nothing that has a dot between two names"}
	}
	return nil
}

// compile makes the matcher of a regular expression.
func compile(re string, fold bool) (*regexp.Regexp, error) { return regexp.Compile(anchored(re, fold)) }
