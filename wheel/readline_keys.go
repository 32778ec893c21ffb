package wheel

import (
	"unicode"
	"unicode/utf8"
)

const (
	keyEnd       = "\x05" // ^E
	keyEnter     = "\r"
	keyInterrupt = "\x03" // ^C
	keyCancel    = "\x07" // ^G
	keySuspend   = "\x1a" // ^Z
	keyEscape    = 0x1b
	keyDelete    = 0x7f // what Backspace sends
)

// maxSequence bounds an escape sequence; no key that is known sends more than 6.
const maxSequence = 16

// sequences are the escape sequences of keys (xterm's, the Linux console's and
// rxvt's), and what golang.org/x/term knows the key by.
var sequences = map[string]string{
	"\x1b[A": "\x1b[A", "\x1bOA": "\x1b[A", // up
	"\x1b[B": "\x1b[B", "\x1bOB": "\x1b[B", // down
	"\x1b[C": "\x1b[C", "\x1bOC": "\x1b[C", // right
	"\x1b[D": "\x1b[D", "\x1bOD": "\x1b[D", // left
	"\x1b[H": "\x1b[H", "\x1bOH": "\x1b[H", "\x1b[1~": "\x1b[H", "\x1b[7~": "\x1b[H",
	"\x1b[F": "\x1b[F", "\x1bOF": "\x1b[F", "\x1b[4~": "\x1b[F", "\x1b[8~": "\x1b[F",
	"\x1b[3~":   "\x1b[3~",                                                   // delete
	"\x1b[1;3C": "\x1b[1;3C", "\x1b[1;5C": "\x1b[1;3C", "\x1bf": "\x1b[1;3C", // a word on
	"\x1b[1;3D": "\x1b[1;3D", "\x1b[1;5D": "\x1b[1;3D", "\x1bb": "\x1b[1;3D", // a word back
	"\x1b\x7f": "\x17", "\x1b\b": "\x17", // delete the word before
}

// keyParser makes keys of bytes. x/term would keep what it cannot parse, up to
// reading no more (an unfinished sequence) or to showing it (C1 controls); here only
// whole keys that it knows come out, and everything else is dropped.
type keyParser struct {
	begun   []byte // of an escape sequence or a character
	afterCR bool
}

// add returns the key that b completes, "" if none.
func (k *keyParser) add(b byte) string {
	mate := k.afterCR && b == '\n' // of CRLF, which is one key
	k.afterCR = b == '\r'
	switch {
	case mate:
		return ""
	case b == keyEscape:
		k.begun = append(k.begun[:0], b)
		return ""
	case len(k.begun) > 0 && k.begun[0] == keyEscape && (b >= ' ' || len(k.begun) == 1 && b == '\b'):
		return k.escape(b)
	case b < ' ', b == keyDelete:
		k.begun = k.begun[:0]
		return string(rune(b))
	}
	return k.char(b)
}

// escape follows ECMA-48, 5.4: parameters and intermediates, then a final byte.
func (k *keyParser) escape(b byte) string {
	n := len(k.begun)
	if n < maxSequence {
		k.begun = append(k.begun, b)
	}
	switch {
	case n == 1 && (b == '[' || b == 'O'):
		return ""
	case n == 2 && k.begun[1] == '[' && b == '[': // a function key of the Linux console
		return ""
	case n > 1 && k.begun[1] == '[' && b >= ' ' && b < '@':
		return ""
	}
	key := sequences[string(k.begun)]
	k.begun = k.begun[:0]
	return key
}

// char follows UTF-8.
func (k *keyParser) char(b byte) string {
	k.begun = append(k.begun, b)
	if !utf8.FullRune(k.begun) {
		return ""
	}
	r, size := utf8.DecodeRune(k.begun)
	first := len(k.begun) == 1
	k.begun = k.begun[:0]
	switch {
	case r != utf8.RuneError && !unicode.IsControl(r):
		return string(r)
	case size == 1 && !first: // b does not belong to what was begun
		return k.add(b)
	}
	return ""
}
