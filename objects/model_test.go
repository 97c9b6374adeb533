package objects

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// modelPart is what a random pattern says of one name, with a matcher that is right by its looks.
type modelPart struct {
	text   string
	match  func(name string) bool
	marked bool // by what the name need not be exact
}

// slowWildcard matches as the words say: * any run of characters, ? one.
func slowWildcard(p, name []rune) bool {
	switch {
	case len(p) == 0:
		return len(name) == 0
	case p[0] == '*':
		for i := range len(name) + 1 {
			if slowWildcard(p[1:], name[i:]) {
				return true
			}
		}
		return false
	}
	return len(name) > 0 && (p[0] == '?' || p[0] == name[0]) && slowWildcard(p[1:], name[1:])
}

func letters(r *rand.Rand, alphabet string, least, most int) string {
	set := []rune(alphabet)
	var b strings.Builder
	for range least + r.IntN(most-least+1) {
		b.WriteRune(set[r.IntN(len(set))])
	}
	return b.String()
}

// names are of these characters; those of patterns have each meaning.
const nameLetters = "aAbÄä.`/*?"

func randomExpression(r *rand.Rand, depth int) string {
	if depth == 0 {
		return []string{"a", "A", "b", "ä", ".", `\.`, "/", "`", `\*`, `\?`, "[aä]", "[^b]", `\w`, "", "^", "$", `\b`}[r.IntN(17)]
	}
	x, y := randomExpression(r, depth-1), randomExpression(r, depth-1)
	return []string{x + y, x + y, x + "|" + y, "(?:" + x + ")*", "(" + x + ")?", "(?:" + x + "){1,2}" + y, "(?-i:" + x + ")" + y}[r.IntN(7)]
}

// model is a pattern and what it means by a slow, plain way.
type model struct {
	text  string
	match func(database, table string) bool
}

func randomModel(r *rand.Rand, fold bool) model {
	flags := "s"
	if fold {
		flags = "is"
	}
	whole := func(re string) *regexp.Regexp { return regexp.MustCompile("^(?" + flags + ":" + re + ")$") }
	slashes := func(re string) string { return "/" + strings.ReplaceAll(re, "/", `\/`) + "/" }
	if r.IntN(5) == 0 {
		re := randomExpression(r, 3)
		m := whole(re)
		return model{slashes(re), func(database, table string) bool {
			return !System(database) && m.MatchString(lower(database, fold)+"."+lower(table, fold))
		}}
	}
	part := func(database bool) modelPart {
		switch r.IntN(3) {
		case 0:
			name := letters(r, nameLetters, 1, 3)
			return modelPart{"`" + strings.ReplaceAll(name, "`", "``") + "`", func(n string) bool { return n == lower(name, fold) }, false}
		case 1:
			re := randomExpression(r, 2)
			m := whole(re)
			return modelPart{slashes(re), m.MatchString, true}
		}
		alphabet := "aAbä*?"
		if !database {
			alphabet += "."
		}
		text := letters(r, alphabet, 1, 1) + letters(r, alphabet+"`/", 0, 2)
		return modelPart{text, func(n string) bool { return slowWildcard([]rune(lower(text, fold)), []rune(n)) }, strings.ContainsAny(text, "*?")}
	}
	d, t := part(true), part(false)
	return model{d.text + "." + t.text, func(database, table string) bool {
		return d.match(lower(database, fold)) && t.match(lower(table, fold)) && !(d.marked && System(database))
	}}
}

func lower(name string, fold bool) string {
	if fold {
		return strings.ToLower(name)
	}
	return name
}

// TestModel compares selections by random patterns with what each pattern means by itself.
func TestModel(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	selected, shut := 0, 0
	for range 8000 {
		fold := r.IntN(2) == 0
		var lists [2][]model
		var texts [2][]string
		for i := range lists {
			for range r.IntN(4 - i) {
				m := randomModel(r, fold)
				if _, err := Parse(m.text); err != nil {
					if strings.Contains(err.Error(), "is missing") || strings.Contains(err.Error(), "no regular expression") {
						continue // it matches nothing
					}
					t.Fatal(err)
				}
				lists[i], texts[i] = append(lists[i], m), append(texts[i], m.text)
			}
		}
		s := selection(t, texts[0], texts[1], fold)
		any := func(list []model, database, table string) bool {
			for _, m := range list {
				if m.match(database, table) {
					return true
				}
			}
			return false
		}
		for range 30 {
			database, table := letters(r, nameLetters, 1, 3), letters(r, nameLetters, 1, 3)
			if r.IntN(20) == 0 {
				database = "sys"
			}
			want := any(lists[0], database, table) && !any(lists[1], database, table)
			if got := s.Table(database, table); got != want {
				t.Fatalf("%q without %q, fold %t: %q, %q: %t", texts[0], texts[1], fold, database, table, got)
			}
			if want {
				selected++
			}
			if !s.Database(database) {
				shut++
				if want {
					t.Fatalf("%q without %q, fold %t: %q has %q, and is told to have none", texts[0], texts[1], fold, database, table)
				}
			}
		}
	}
	if selected < 2000 || shut < 10000 {
		t.Errorf("only %d tables were selected, %d databases told to have none", selected, shut)
	}
}

// TestDatabasesOfExpressions looks for a table of each database that a regular expression
// for both is told to have tables of, and for any elsewhere.
func TestDatabasesOfExpressions(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	parts := []string{"a", "b", ".", `\.`, "[ab]", "[^a]", "", "$", `\b`, "^"}
	var random func(depth int) string
	random = func(depth int) string {
		if depth == 0 {
			return parts[r.IntN(len(parts))]
		}
		x, y := random(depth-1), random(depth-1)
		return []string{x + y, x + y, "(?:" + x + "|" + y + ")", "(?:" + x + ")*"}[r.IntN(4)]
	}
	var all []string // of up to four characters
	for from, n := 0, 0; n < 4; n++ {
		longer := []string{""}
		if n > 0 {
			longer = all[from:]
		}
		from = len(all)
		for _, s := range longer {
			for _, c := range []string{"a", "b", ".", "-"} {
				all = append(all, s+c)
			}
		}
	}
	surplus, right := 0, 0
	for range 1500 {
		text := "/" + random(3) + "/"
		s, err := New([]string{text}, nil, false)
		if err != nil {
			continue
		}
		for _, database := range []string{"a", "b", "ab", "ba", "a.b", ".", "-"} {
			there := false
			for _, table := range all {
				there = there || s.Table(database, table)
			}
			switch told := s.Database(database); {
			case there && !told:
				t.Fatalf("%s has tables of %s, and is told to have none", text, database)
			case told && !there:
				surplus++ // conditions are taken to hold, and tables may be longer
			default:
				right++
			}
		}
	}
	if surplus > right/10 {
		t.Errorf("%d databases are told to have tables and have none, %d are right", surplus, right)
	}
}
