package filter

import "bytes"

// finder looks for the first terminator in p, knowing that none begins before
// from. It returns where the terminator begins and its length; or length 0 and
// the position before which none begins, whatever follows p. In that case the
// next call has the same bytes from that position on, wherever it is then, and
// names it as from.
type finder func(p []byte, from int) (at, n int)

// window bounds how far findNewline looks for one byte before it looks for the
// other. Without it, many lines that end in CR alone would each cost a search
// for LF through everything buffered.
const window = 1 << 10

// findNewline finds CR, LF, CRLF or LFCR (F10).
func findNewline(p []byte, from int) (at, n int) {
	for ; from < len(p); from += window {
		w := p[from:min(from+window, len(p))]
		at := bytes.IndexByte(w, '\n')
		if at >= 0 {
			w = w[:at]
		}
		if cr := bytes.IndexByte(w, '\r'); cr >= 0 {
			at = cr
		}
		if at < 0 {
			continue
		}
		at += from
		if at+1 < len(p) && p[at+1] == mateOf(p[at]) {
			return at, 2
		}
		return at, 1
	}
	return len(p), 0
}

// mateOf returns the byte that forms a pair with a CR or LF.
func mateOf(c byte) byte { return '\r' ^ '\n' ^ c }

// findLiteral finds one fixed string (F14).
func findLiteral(literal string) finder {
	l := []byte(literal)
	return func(p []byte, from int) (at, n int) {
		if i := bytes.Index(p[from:], l); i >= 0 {
			return from + i, len(l)
		}
		// The last bytes may be the beginning of a terminator.
		return max(from, len(p)-len(l)+1), 0
	}
}
