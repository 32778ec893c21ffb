package filter

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"unicode/utf8"
)

// matcher finds what a regular expression matches in a stream. Package regexp
// cannot say whether bytes still to come would change a match, so its programs
// are run here, by the simulation that it uses itself (Pike's: all alternatives
// at once, one rune at a time), which stops where the input stops and goes on
// from there. Each byte is looked at once as long as no terminator is abandoned.
type matcher struct {
	prog  *syntax.Prog
	first [256]bool // bytes that a terminator may begin with

	now, next []thread // in order of preference; that is also by their beginning
	seen      []int    // by instruction, the step that added it last
	steps     int

	pos   int // bytes read
	told  int // what find returned last, if nothing was found
	at, n int // where the best match so far begins, and its length; or 0
}

// thread is one way in which a terminator may go on: what it has to match next,
// and where it began.
type thread struct {
	pc uint32
	at int
}

func newMatcher(re *regexp.Regexp) (*matcher, error) {
	refuse := func(why string) error {
		return fmt.Errorf("filter: %w: LineConfig.InputRegexp %.64q %s", ErrConfig, re, why)
	}
	parsed, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return nil, refuse("is not in Perl's syntax; make it with regexp.Compile")
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return nil, refuse("cannot be compiled; make it simpler")
	}
	for i := range prog.Inst {
		if prog.Inst[i].Op == syntax.InstEmptyWidth {
			return nil, refuse(`has one of ^ $ \A \z \b \B, which look at what may not have come yet; match the terminator only`)
		}
	}
	if re.MatchString("") {
		return nil, refuse("matches the empty string; have it match at least one character")
	}
	m := &matcher{prog: prog, seen: make([]int, len(prog.Inst)), steps: 1}
	m.prepare()
	return m, nil
}

// prepare notes which bytes can begin a terminator.
func (m *matcher) prepare() {
	m.begin()
	for _, t := range m.now {
		inst := &m.prog.Inst[t.pc]
		for c := range m.first {
			if c < utf8.RuneSelf {
				m.first[c] = m.first[c] || inst.MatchRune(rune(c))
			} else {
				m.first[c] = m.first[c] || beyondASCII(inst)
			}
		}
	}
	m.restart()
}

// restart forgets what was read.
func (m *matcher) restart() {
	m.now, m.pos, m.told, m.n = m.now[:0], 0, 0, 0
	m.steps++
}

// beyondASCII: K may stand for the Kelvin sign where case is ignored.
func beyondASCII(inst *syntax.Inst) bool {
	n := len(inst.Rune) // 0 for an empty class
	return n > 0 && (inst.Rune[n-1] >= utf8.RuneSelf || syntax.Flags(inst.Arg)&syntax.FoldCase != 0)
}

// find is a finder. A match counts when no thread is left that would be
// preferred to it.
func (m *matcher) find(p []byte, from int) (at, n int) {
	m.move(from - m.told)
	for m.n == 0 || len(m.now) > 0 {
		if len(m.now) == 0 {
			m.pos += m.idle(p[m.pos:])
		}
		if !utf8.FullRune(p[m.pos:]) {
			m.told = m.pos
			if len(m.now) > 0 {
				m.told = m.now[0].at
			}
			return m.told, 0
		}
		m.step(utf8.DecodeRune(p[m.pos:]))
	}
	at, n = m.at, m.n
	m.restart()
	return at, n
}

// idle returns how many bytes pass before one that can begin a terminator.
func (m *matcher) idle(p []byte) int {
	for i, c := range p {
		if m.first[c] {
			return i
		}
	}
	return len(p)
}

// move follows the unparsed input when that begins elsewhere.
func (m *matcher) move(by int) {
	if by == 0 {
		return
	}
	m.pos += by
	m.at += by
	for i := range m.now {
		m.now[i].at += by
	}
}

// step lets every thread read one rune. The first that is complete puts an end
// to those behind it, which regexp would not prefer.
func (m *matcher) step(r rune, size int) {
	if m.n == 0 {
		m.begin()
	}
	m.pos += size
	m.steps++
	m.next = m.next[:0]
	for _, t := range m.now {
		inst := &m.prog.Inst[t.pc]
		if inst.MatchRune(r) && m.add(inst.Out, t.at, &m.next) {
			break
		}
	}
	m.now, m.next = m.next, m.now
}

// begin adds a terminator that begins here, the least preferred of all.
func (m *matcher) begin() { m.add(uint32(m.prog.Start), m.pos, &m.now) }

// add follows the program from pc to what wants a rune, or to its end, which it
// reports.
func (m *matcher) add(pc uint32, at int, list *[]thread) (complete bool) {
	if m.seen[pc] == m.steps {
		return false
	}
	m.seen[pc] = m.steps
	switch inst := &m.prog.Inst[pc]; inst.Op {
	case syntax.InstMatch:
		m.at, m.n = at, m.pos-at
		return true
	case syntax.InstAlt, syntax.InstAltMatch:
		return m.add(inst.Out, at, list) || m.add(inst.Arg, at, list)
	case syntax.InstNop, syntax.InstCapture:
		return m.add(inst.Out, at, list)
	case syntax.InstFail:
		return false
	default: // those that read a rune
		*list = append(*list, thread{pc, at})
		return false
	}
}
