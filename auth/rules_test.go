package auth_test

import (
	"strings"
	"testing"

	"daybook/auth"
)

func TestNames(t *testing.T) {
	for _, test := range []struct {
		name           string
		account, group bool
	}{
		{"a", true, true},
		{"_", true, true},
		{"App_01", true, true},
		{"a012345678901234", true, true},
		{"a0123456789012345", false, true},
		{strings.Repeat("g", 128), false, true},
		{strings.Repeat("g", 129), false, false},
		{"a-b", false, true},
		{"a.b", false, true},
		{".", false, false},
		{"..", false, false},
		{"...", false, true},
		{".a", false, true},
		{"-", false, true},
		{"", false, false},
		{" ", false, false},
		{"a b", false, false},
		{"a\n", false, false},
		{"a\x00", false, false},
		{"a/b", false, false},
		{"a:b", false, false},
		{"é", false, false},
		{"ａ", false, false}, // which some clients would make an ASCII a
		{"\xff", false, false},
	} {
		if err := auth.CheckAccount(test.name); (err == nil) != test.account {
			t.Errorf("account %q: %v", test.name, err)
		}
		if err := auth.CheckGroup(test.name); (err == nil) != test.group {
			t.Errorf("group %q: %v", test.name, err)
		}
	}
}

func TestPasswords(t *testing.T) {
	for _, test := range []struct {
		password string
		message  string // "": it is allowed
	}{
		{"abcdefgH", ""},
		{"abcdefg1", ""},
		{"abcdefg ", ""},
		{"ABCDEFG1", ""},
		{"1234567-", ""},
		{"ÄÖÜäöüßé", ""},
		{"пароль-1", ""},
		{"密碼密碼密碼密1", ""},
		{"\u05d0\u05d1\u05d2\u05d3\u05d4\u05d5\u05d61", ""},
		{"lock 🔒 1", ""},
		{`a,=="'\` + "`$", ""},
		{"Aa1-" + strings.Repeat("é", 124), ""},
		{"Aa1-" + strings.Repeat("é", 125), "129 characters: 8–128"},
		{"Aa1-567", "7 characters: 8–128"},
		{"ééééaa1", "7 characters"},
		{"", "0 characters"},
		{"abcdefgh", "one kind only"},
		{"ABCDEFGH", "one kind only"},
		{"12345678", "one kind only"},
		{"--------", "one kind only"},
		{"密碼密碼密碼密碼", "one kind only"},
		{"Abc\xff-12345", "not UTF-8"},
		{"Abc-1\x002345", "character 6 of the password is not a printable one"},
		{"Abc-1234\n", "character 9 "},
		{"Abc-1234\u00a0", "character 9 "},  // no-break space: SASLprep makes it a space
		{"Abc-\u00ad1234", "character 5 "},  // soft hyphen: SASLprep drops it
		{"Abc-12❤\ufe0f34", "character 8 "}, // variation selector: the same
		{"Abc-\u034f1234", "character 5 "},
		{"Abc-\u18061234", "character 5 "},
		{"Abc-\u200b1234", "character 5 "},
		{"\ufeffAbc-1234", "character 1 "},
		{"Abc-\ue0001234", "character 5 "},       // private use: SASLprep forbids it
		{"Abc-1234e\u0301", "form NFKC"},         // decomposed é
		{"Abc-1234\ufb01", "form NFKC"},          // ligature fi
		{"Abc-1234\uff11", "form NFKC"},          // full-width 1
		{"Abc-1234\u00aa\u2168", "form NFKC"},    // RFC 4013's own examples
		{"Abc-1234\u0344", "form NFKC"},          // combining
		{strings.Repeat("a1", 5000), "10000 ch"}, // whatever its length
	} {
		err := auth.CheckPassword(test.password)
		if (err == nil) != (test.message == "") || err != nil && !strings.Contains(err.Error(), test.message) {
			t.Errorf("%q: %v, want %q", test.password, err, test.message)
		}
		if err != nil && test.password != "" && strings.Contains(err.Error(), test.password) {
			t.Errorf("the message holds the password: %v", err)
		}
	}
}
