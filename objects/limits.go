package objects

import (
	"errors"
	"fmt"
)

// What the patterns of one list may cost. The size of regular expressions counts in steps
// of their programs, about one a character.
const (
	maxPatterns    = 10_000
	maxBytes       = 1 << 20 // of all patterns
	maxLength      = 4096    // bytes of one; two names have 770 at most, in backquotes
	maxExpression  = 5_000   // steps of one
	maxExpressions = 20_000  // steps of all
)

var (
	tooLong  = fmt.Sprintf("it is longer than %d bytes; use several patterns", maxLength)
	tooLarge = fmt.Sprintf("the regular expression is too large: with its repetitions it has more than %d steps, about one a character; use several patterns", maxExpression)
	tooMany  = fmt.Sprintf("the list ends before it: it may have %d patterns and %d bytes; use wildcards or regular expressions", maxPatterns, maxBytes)
	tooMuch  = fmt.Sprintf("the regular expressions of this list up to here have more than %d steps together, about one a character; use names and wildcards", maxExpressions)
)

// Check reads the patterns of a list, and returns what is wrong with each: nil, or an error
// that holds nothing of the pattern, as a secret may stand in its place.
func Check(patterns []string) []error {
	faults := make([]error, len(patterns))
	parseList(patterns, func(i int, err *Error) { faults[i] = errors.New(err.Reason) })
	return faults
}

// readLimited reads a list; the error is that of the first pattern that has a fault.
func readLimited(list []string) ([]Pattern, error) {
	var first error
	patterns := parseList(list, func(_ int, err *Error) {
		if first == nil {
			first = err
		}
	})
	return patterns, first
}

// parseList reads a list, and tells the faults in it.
func parseList(list []string, fault func(i int, err *Error)) (patterns []Pattern) {
	length, size := 0, 0
	for i, text := range list {
		if length += len(text); i == maxPatterns || length > maxBytes {
			fault(i, &Error{Pattern: text, Reason: tooMany})
			return nil
		}
		p, err := parse(text)
		if err != nil {
			err.Pattern = text
			fault(i, err)
			continue
		}
		before := size
		if size += p.steps(); before <= maxExpressions && size > maxExpressions {
			fault(i, &Error{Pattern: text, Reason: tooMuch})
		}
		patterns = append(patterns, p)
	}
	return patterns
}

// steps is the size of its regular expressions.
func (p *Pattern) steps() (size int) {
	for _, part := range []part{{expression, p.both}, p.database, p.table} {
		if part.kind == expression && part.text != "" {
			n, _ := sizeOf(part.text) // which was read before
			size += n
		}
	}
	return size
}
