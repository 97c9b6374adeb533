package objects

import (
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// program is a regular expression for database.table, to be followed through the
// database and the dot alone, which package regexp does not do.
type program struct{ prog *syntax.Prog }

func newProgram(re string, fold bool) (*program, error) {
	parsed, err := syntax.Parse(anchored(re, fold), syntax.Perl)
	if err != nil {
		return nil, err
	}
	prog, err := syntax.Compile(parsed.Simplify())
	return &program{prog}, err
}

// mayHave tells whether it may match a table of the database.
func (p *program) mayHave(database string) bool {
	return p.leadsOn(p.behind(database+"."), atTable)
}

// behind returns the steps that may come next when text was matched and more follows.
func (p *program) behind(text string) []uint32 {
	s := &stepSet{prog: p.prog, seen: make([]bool, len(p.prog.Inst))}
	before := rune(-1)
	now := []uint32{uint32(p.prog.Start)}
	for {
		c, size := utf8.DecodeRuneInString(text)
		holds := syntax.EmptyOpContext(before, c)
		if size == 0 { // what follows is not known
			holds = syntax.EmptyEndLine | syntax.EmptyWordBoundary | syntax.EmptyNoWordBoundary
		}
		s.begin()
		for _, pc := range now {
			s.add(pc, holds)
		}
		if size == 0 {
			return s.steps
		}
		now = nil
		for _, pc := range s.steps {
			if i := &p.prog.Inst[pc]; i.MatchRune(c) {
				now = append(now, i.Out)
			}
		}
		before, text = c, text[size:]
	}
}

// stepSet is the steps that match a character, of all that are reached at one place.
type stepSet struct {
	prog  *syntax.Prog
	seen  []bool
	steps []uint32
}

func (s *stepSet) begin() {
	clear(s.seen)
	s.steps = nil
}

// add follows what matches no character; holds says which conditions are met.
func (s *stepSet) add(pc uint32, holds syntax.EmptyOp) {
	if s.seen[pc] {
		return
	}
	s.seen[pc] = true
	switch i := &s.prog.Inst[pc]; i.Op {
	case syntax.InstAlt, syntax.InstAltMatch:
		s.add(i.Out, holds)
		s.add(i.Arg, holds)
	case syntax.InstCapture, syntax.InstNop:
		s.add(i.Out, holds)
	case syntax.InstEmptyWidth:
		if syntax.EmptyOp(i.Arg)&^holds == 0 {
			s.add(i.Out, holds)
		}
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		s.steps = append(s.steps, pc)
	}
}

// reading is how far database.table has been read.
type reading uint8

const (
	atDatabase reading = iota // nothing was
	inDatabase
	atTable // the dot was
	inTable
	readings
)

// leadsOn tells whether there is a way from one of the steps to a match with a name on
// both sides of a dot. Conditions such as \b are taken to hold.
func (p *program) leadsOn(from []uint32, at reading) bool {
	type place struct {
		pc uint32
		at reading
	}
	seen := make([]bool, len(p.prog.Inst)*int(readings))
	var todo []place
	visit := func(pc uint32, at reading) {
		if n := int(pc)*int(readings) + int(at); !seen[n] {
			seen[n] = true
			todo = append(todo, place{pc, at})
		}
	}
	for _, pc := range from {
		visit(pc, at)
	}
	for len(todo) > 0 {
		here := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		switch i := &p.prog.Inst[here.pc]; i.Op {
		case syntax.InstMatch:
			if here.at == inTable {
				return true
			}
		case syntax.InstAlt, syntax.InstAltMatch:
			visit(i.Out, here.at)
			visit(i.Arg, here.at)
		case syntax.InstCapture, syntax.InstNop, syntax.InstEmptyWidth:
			visit(i.Out, here.at)
		case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
			visit(i.Out, [readings]reading{inDatabase, inDatabase, inTable, inTable}[here.at])
			if here.at == inDatabase && i.MatchRune('.') {
				visit(i.Out, atTable)
			}
		}
	}
	return false
}

// coversTables tells whether a part for tables matches every name, by its looks.
func coversTables(p part) bool {
	switch p.kind {
	case wildcards:
		return strings.Trim(p.text, "*") == ""
	case expression:
		return p.text == ".*" || p.text == ".+"
	}
	return false
}
