package schema

// createProgram is CREATE TRIGGER, FUNCTION, PROCEDURE, PACKAGE BODY or VIEW.
type createProgram struct {
	program    program
	ifNotExist bool
	unread     bool // could not be read
}

type dropProgram struct {
	kind  programKind
	names []TableName
}

// createProgram reads what follows CREATE [OR REPLACE]; nil if it is none of
// the programs that the catalog follows.
func (r *reader) createProgram() any {
	r.programOptions()
	s := &createProgram{}
	switch {
	case r.acceptAny("TRIGGER"):
		s.ifNotExist = r.ifExists()
		r.trigger(&s.program)
	case r.acceptAny("FUNCTION"):
		s.ifNotExist = r.ifExists()
		r.programName(&s.program, aFunction)
		if r.isWord(0, "RETURNS") {
			return nil // of a shared library: it knows nothing of tables
		}
	case r.acceptAny("PROCEDURE"):
		s.ifNotExist = r.ifExists()
		r.programName(&s.program, aProcedure)
	case r.accept("PACKAGE", "BODY"):
		s.ifNotExist = r.ifExists()
		r.programName(&s.program, aPackage)
	case r.acceptAny("VIEW"):
		s.ifNotExist = r.ifExists()
		r.programName(&s.program, aView)
	default:
		return nil
	}
	r.body(&s.program)
	s.unread = r.failed != nil
	return s
}

// alterProgram reads what follows ALTER: the body of a view alone can be
// changed.
func (r *reader) alterProgram() any {
	r.programOptions()
	if r.isWord(0, "VIEW") {
		return r.createProgram()
	}
	return nil
}

// programOptions steps over what may stand between CREATE and the kind.
func (r *reader) programOptions() {
	for {
		switch {
		case r.acceptAny("AGGREGATE"), r.accept("SQL", "SECURITY") && r.take().kind != tokEnd:
		case r.acceptAny("ALGORITHM"):
			r.acceptOp("=")
			r.take()
		case r.acceptAny("DEFINER"):
			r.acceptOp("=")
			r.take() // a user, a role, or CURRENT_USER
			r.skipParens()
			if r.acceptOp("@") {
				r.take()
			}
		default:
			return
		}
	}
}

func (r *reader) programName(p *program, kind programKind) {
	n := r.relationName()
	p.Kind, p.Database, p.Name = kind, n.Database, n.Name
}

// trigger reads name BEFORE|AFTER event [OR event …] ON table.
func (r *reader) trigger(p *program) {
	r.programName(p, aTrigger)
	r.acceptAny("BEFORE", "AFTER")
	for !r.acceptAny("ON") {
		switch {
		case r.acceptAny("INSERT"):
			p.Events |= onInsert
		case r.acceptAny("UPDATE"):
			p.Events |= onUpdate
		case r.acceptAny("DELETE"):
			p.Events |= onDelete
		case r.take().kind == tokEnd:
			r.fail("expected ON")
			return
		}
	}
	n := r.relationName()
	p.Database, p.Table = n.Database, n.Name // its names are looked for there
}

// body notes what the rest of the statement names.
func (r *reader) body(p *program) {
	r.collect()
	r.skipRest()
	r.change.mentions.end()
	own := ""
	if p.Kind == aView {
		own = r.db // and not the database that the view is in
	}
	p.setBody(&r.change.mentions, own)
	r.change = nil
}

// dropProgram reads what follows DROP.
func (r *reader) dropProgram() any {
	s := &dropProgram{}
	switch {
	case r.acceptAny("TRIGGER"):
		s.kind = aTrigger
	case r.acceptAny("FUNCTION"):
		s.kind = aFunction
	case r.acceptAny("PROCEDURE"):
		s.kind = aProcedure
	case r.acceptAny("PACKAGE"):
		r.acceptAny("BODY") // or both
		s.kind = aPackage
	case r.acceptAny("VIEW"):
		s.kind = aView
	default:
		return nil
	}
	r.ifExists()
	for r.failed == nil {
		s.names = append(s.names, r.relationName())
		if !r.acceptOp(",") {
			break
		}
	}
	return s
}

// createProgram runs the creation of a program.
func (u *run) createProgram(s *createProgram) {
	p := &s.program
	if s.unread {
		u.catalog.unsee(p.Database, seesAll)
		return
	}
	if s.ifNotExist && u.catalog.findProgram(p.Kind, TableName{p.Database, p.Name}) != nil {
		return
	}
	u.catalog.putProgram(p)
}

func (u *run) dropProgram(s *dropProgram) {
	for _, n := range s.names {
		if p := u.catalog.findProgram(s.kind, n); p != nil {
			u.catalog.dropProgram(p)
		}
	}
}
