package webhook

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// verb is what a command does.
type verb string

const (
	verbTake    verb = "take"
	verbList    verb = "list"
	verbPlan    verb = "plan"
	verbStatus  verb = "status"
	verbKeep    verb = "keep"
	verbHelp    verb = "help"
	verbTooLong verb = "" // more text than is read
)

// verbs is every word that begins a command. Any other first word is the name of a target to take a snapshot of.
var verbs = map[string]verb{
	"take": verbTake, "快照": verbTake,
	"list": verbList, "ls": verbList, "列表": verbList,
	"plan": verbPlan, "计划": verbPlan,
	"status": verbStatus, "状态": verbStatus,
	"keep": verbKeep, "保留": verbKeep,
	"help": verbHelp, "帮助": verbHelp, "?": verbHelp, "？": verbHelp,
}

// chatCommand is what a user wrote: a verb, its object (a target or a snapshot ID) and the rest.
type chatCommand struct {
	verb   verb
	object string
	rest   string
}

// untils is the words that users may write before the day of keep.
var untils = []string{"until", "till", "to", "到", "至", "直到"}

// wordsOf returns the words of a message, without the mentions before it, which chats leave in the text. A Chinese verb
// needs no blank behind it.
func wordsOf(text string) []string {
	words := strings.Fields(visible(text))
	for len(words) > 0 && (strings.HasPrefix(words[0], "@") || strings.HasPrefix(words[0], "<@")) {
		words = words[1:]
	}
	if len(words) == 0 {
		return nil
	}
	for word := range verbs {
		rest, found := strings.CutPrefix(words[0], word)
		if found && rest != "" && word[0] >= utf8.RuneSelf {
			return append([]string{word, rest}, words[1:]...)
		}
	}
	return words
}

// english reports whether a message without Chinese is English, not just the name of a target.
func english(text string) bool {
	words := wordsOf(text)
	return len(words) > 1 || len(words) == 1 && verbs[strings.ToLower(words[0])] != "" && words[0] != "?" &&
		words[0] != "？"
}

// textMax is how many characters of a message are read.
const textMax = 500

// parseCommand reads a command.
func parseCommand(text string) chatCommand {
	if utf8.RuneCountInString(text) > textMax {
		return chatCommand{verb: verbTooLong}
	}
	words := wordsOf(text)
	if len(words) == 0 {
		return chatCommand{verb: verbHelp}
	}
	verb, known := verbs[strings.ToLower(words[0])]
	if known {
		words = words[1:]
	} else {
		verb = verbTake
	}
	c := chatCommand{verb: verb}
	if len(words) > 0 {
		c.object, c.rest = words[0], strings.Join(words[1:], " ")
	}
	if verb == verbKeep { // keep s-1 until 2026-12-01
		first, day, more := strings.Cut(c.rest, " ")
		if more && slices.Contains(untils, strings.ToLower(first)) {
			c.rest = day
		}
	}
	if c.object == "" && verb != verbList {
		c.verb = verbHelp
	}
	return c
}
