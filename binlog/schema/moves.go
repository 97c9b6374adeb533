package schema

// Move is what a statement does to the rows of a table as a whole, whatever the
// catalog knows of it.
type Move struct {
	From TableName // without a Name: of all tables of the database
	To   TableName // zero: they are gone
	// Unclear: some may be gone, or be another table's, as partitions were
	// dropped, emptied or exchanged, or as the statement cannot be read.
	Unclear bool
}

// movesOf returns what a statement moves, one after the other.
func movesOf(statement any) (moves []Move) {
	switch s := statement.(type) {
	case *createTable:
		if s.orReplace && !s.temporary {
			moves = append(moves, Move{From: s.name})
		}
	case *alterTable:
		if s.partitionsLost {
			moves = append(moves, Move{From: s.name, Unclear: true})
		}
		for _, n := range []*TableName{s.partitionWith, s.partitionOf} {
			if n != nil {
				moves = append(moves, Move{From: *n, Unclear: true})
			}
		}
		if s.renameTo != nil {
			moves = append(moves, Move{From: s.name, To: *s.renameTo})
		}
	case *renameTable:
		for _, p := range s.pairs {
			moves = append(moves, Move{From: p[0], To: p[1]})
		}
	case *truncateTable:
		moves = append(moves, Move{From: s.name})
	case *dropTable:
		for _, n := range s.names {
			if !s.temporary {
				moves = append(moves, Move{From: n})
			}
		}
	case *dropDatabase:
		moves = append(moves, Move{From: TableName{Database: s.name}})
	case *createDatabase:
		if s.orReplace {
			moves = append(moves, Move{From: TableName{Database: s.name}})
		}
	}
	return moves
}
