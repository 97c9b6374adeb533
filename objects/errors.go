package objects

import "fmt"

// Error tells what is wrong with a pattern.
type Error struct {
	Pattern string
	Reason  string // what is wrong, without anything of the pattern
	Part    string // of the pattern; "": all of it
}

func (e *Error) Error() string {
	if e.Part == "" {
		return fmt.Sprintf("object pattern %q: %s", short(e.Pattern), e.Reason)
	}
	return fmt.Sprintf("object pattern %q: %s: %q", short(e.Pattern), e.Reason, short(e.Part))
}

// short is what is shown of a text.
func short(text string) string {
	const most = 300
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}
