package wheel

import (
	"testing"
	"unicode"
	"unicode/utf8"
)

// Whatever bytes come, only whole keys go on: one control character, one printable
// character, or a sequence that x/term knows. Nothing grows, and Enter is never lost.
func FuzzReadLineKeys(f *testing.F) {
	for _, s := range []string{"abc\r\n", "ä\xff\xe4\xb8\xad", "\x1b[A\x1bOB\x1b[1;5C\x1b[", "\x1b[[A\x1b\x1b\x7f", "\u009b\ufffd\x1b[12345678901234567890~"} {
		f.Add([]byte(s))
	}
	known := make(map[string]bool)
	for _, key := range sequences {
		known[key] = true
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		var k keyParser
		for _, b := range p {
			key := k.add(b)
			if len(k.begun) > maxSequence || cap(k.begun) > 4*maxSequence {
				t.Fatalf("%d bytes are kept", len(k.begun))
			}
			r, size := utf8.DecodeRuneInString(key)
			switch {
			case key == "" || known[key]:
			case size != len(key) || r == utf8.RuneError || r >= 0x80 && unicode.IsControl(r) || r == keyEscape:
				t.Fatalf("%q of %q is no key", key, p)
			}
			if b == '\r' && key != keyEnter {
				t.Fatalf("Enter became %q after %q", key, p)
			}
		}
	})
}
