package wheel

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Completion is what CompleteEvent carries.
type Completion struct {
	Line string // as it is
	Pos  int    // where the cursor is, in bytes
	Word string // what stands before it, since the last blank

	// Candidates is for the handler to set: what Word may become. One is put in
	// its place, with a blank; of several what they have in common, and if that is
	// no more than Word they are listed. None: the terminal beeps.
	Candidates []string
}

// A list is cut after maxListed candidates, a line after maxEdited characters, as
// x/term does it when one is typed.
const (
	maxListed = 100
	maxEdited = 4096
)

// complete is x/term's AutoCompleteCallback: asked at each key, it answers to Tab.
// It runs on the Get's goroutine, and the owner's handler in the owner's turn.
func (e *editor) complete(line string, pos int, key rune) (newLine string, newPos int, ok bool) {
	if key != '\t' {
		return "", 0, false
	}
	e.mu.Lock()
	g := e.reading
	e.mu.Unlock()
	q := &Completion{Line: line, Pos: pos, Word: lastWord(line[:pos])}
	if !g.ask(q, e.r.src.Wake) {
		return "", 0, false
	}
	insert, list := choose(q.Word, q.Candidates)
	before, after := line[:pos-len(q.Word)]+insert, line[pos:]
	switch {
	case list != "":
		_, _ = e.term.Write([]byte("\x1b[J" + list + "\n"))
	case insert == "" || utf8.RuneCountInString(before+after) > maxEdited:
		_, _ = e.Write([]byte("\a"))
	default:
		return before + after, len(before), true
	}
	return "", 0, false
}

func lastWord(s string) string {
	return s[strings.LastIndexByte(s, ' ')+1:]
}

// choose returns what takes the word's place, or else what is listed.
func choose(word string, candidates []string) (insert, list string) {
	clean := make([]string, len(candidates))
	for i, s := range candidates {
		clean[i] = strings.Map(printable, s)
	}
	switch len(clean) {
	case 0:
		return "", ""
	case 1:
		return clean[0] + " ", ""
	}
	if common := commonPrefix(clean); len(common) > len(word) {
		return common, ""
	}
	if len(clean) > maxListed {
		clean = append(clean[:maxListed], "…")
	}
	return "", strings.Join(clean, "  ")
}

func printable(r rune) rune {
	if unicode.IsControl(r) {
		return -1
	}
	return r
}

// commonPrefix is in whole characters.
func commonPrefix(list []string) string {
	common := list[0]
	for _, s := range list[1:] {
		n := 0
		for n < len(common) {
			r, size := utf8.DecodeRuneInString(common[n:])
			if other, _ := utf8.DecodeRuneInString(s[n:]); other != r || n == len(s) {
				break
			}
			n += size
		}
		common = common[:n]
	}
	return common
}
