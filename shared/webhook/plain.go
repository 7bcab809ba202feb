package webhook

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// visible makes text from outside one line that shows what it holds: control, bidi, zero-width and other invisible
// characters go, blanks of any kind become one blank.
func visible(text string) string {
	var b strings.Builder
	blank := false
	for _, r := range text {
		switch {
		case unicode.IsSpace(r):
			blank = b.Len() > 0
			continue
		case r == utf8.RuneError, !unicode.IsPrint(r), unicode.In(r, invisible...):
			continue
		}
		if blank {
			b.WriteByte(' ')
			blank = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// invisible characters that count as printable: fillers, joiners and variation selectors.
var invisible = []*unicode.RangeTable{unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector}

// plainMax is how many characters of a text from outside are repeated.
const plainMax = 120

// plain makes text from outside fit to be repeated in any chat or log: what could be a mention, a link, an entity or
// markup anywhere becomes a middle dot. A list of what may pass is shorter than one of what each chat reads as markup.
func plain(text string) string {
	var before rune
	return clip(strings.Map(func(r rune) rune {
		switch {
		case r == ':' && !unicode.Is(unicode.Nd, before): // of an ID such as 29:1, but not of mailto:x or :smile:
			r = '·'
		case r == '/' && before == '/': // of //host
			r = '·'
		case !strings.ContainsRune(" -_/,:", r) && !unicode.In(r, unicode.L, unicode.Nd, unicode.Mn, unicode.Mc):
			r = '·'
		}
		before = r
		return r
	}, visible(text)), plainMax)
}

// markdownEscape shows a line as it is where Markdown would read it as markup, and where an @ would mention users.
func markdownEscape(line string) string {
	return markdownMarks.Replace(line)
}

var markdownMarks = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "#", `\#`, "<", `\<`, ">", `\>`,
	"|", `\|`, "~", `\~`, "!", `\!`, "@", "＠",
)

// clip cuts text to so many characters, the last of them an ellipsis if anything is cut.
func clip(text string, characters int) string {
	if utf8.RuneCountInString(text) <= characters {
		return text
	}
	return string([]rune(text)[:characters-1]) + "…"
}

// clipBytes cuts text to so many bytes, between characters.
func clipBytes(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit]
}
