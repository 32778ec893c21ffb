package storable_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/usher-go/usher/wheel/filter/storable"
)

// canonOf is canon in testdata/canon.pl, for a Go value at the top.
func canonOf(v any) string {
	text := canon(v, nil)
	if strings.HasPrefix(text, "s") || text == "u" {
		return `\` + text // Perl freezes references only
	}
	return text
}

func canon(v any, above []any) string {
	switch v := v.(type) {
	case nil:
		return "u"
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = canon(e, nil)
		}
		return "[" + strings.Join(parts, ",") + "]"
	case map[string]any:
		var parts []string
		for k, e := range v {
			parts = append(parts, hex.EncodeToString([]byte(k))+":"+canon(e, nil))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ",") + "}"
	case *any:
		if slices.Contains(above, any(v)) {
			return "@"
		}
		return `\` + canon(*v, append(above, v))
	case storable.Blessed:
		return v.Class + "=" + canon(v.Value, above)
	}
	s, ok := storable.Text(v)
	if !ok {
		return fmt.Sprintf("?%T", v)
	}
	return "s" + hex.EncodeToString([]byte(s))
}

// perl runs testdata/storable.pl and returns the lines it prints.
func perl(t *testing.T, stdin []byte, args ...string) []string {
	t.Helper()
	path, err := exec.LookPath("perl")
	if err != nil {
		t.Skip("needs perl in the path, to compare with")
	}
	cmd := exec.CommandContext(t.Context(), path, append([]string{filepath.Join("testdata", "storable.pl")}, args...)...)
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(stdin), &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("perl: %v %s", err, &stderr)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

func TestPerlReadsWhatGoWrites(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var values []any
	var input []byte
	for i := range 400 {
		v := random(r, 4)
		if i == 0 {
			v = manyClasses(300)
		}
		frozen, err := storable.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, v)
		input = append(binary.BigEndian.AppendUint32(input, uint32(len(frozen))), frozen...)
	}
	lines := perl(t, input, "thaw")
	if len(lines) != len(values) {
		t.Fatalf("%d lines for %d values", len(lines), len(values))
	}
	for i, v := range values {
		if want := canonOf(v); lines[i] != want {
			t.Errorf("%#v\nin Perl %s\nwant    %s", v, lines[i], want)
		}
	}
}

func TestGoReadsWhatPerlWrites(t *testing.T) {
	for _, seed := range []string{"1", "2", "3"} {
		for _, line := range perl(t, nil, "freeze", seed) {
			fields := strings.Fields(line)
			for _, frozen := range fields[1:] { // in network order, in native order
				v, err := storable.Unmarshal(unhex(t, frozen))
				if err != nil {
					t.Errorf("%s of %s: %v", frozen, fields[0], err)
				} else if got := canonOf(v); got != fields[0] {
					t.Errorf("%s is\n%s\nwant\n%s", frozen, got, fields[0])
				}
			}
		}
	}
}

// manyClasses: from 128 on, the number of a class takes 4 bytes.
func manyClasses(n int) (objects []any) {
	for i := range 2 * n {
		objects = append(objects, storable.Blessed{Class: fmt.Sprint("C", i%n), Value: []any{}})
	}
	return objects
}

func random(r *rand.Rand, depth int) any {
	n := r.IntN(5)
	switch kind := r.IntN(16); {
	case depth == 0 || kind < 9:
		return randomScalar(r)
	case kind < 11:
		list := make([]any, n)
		for i := range list {
			list[i] = random(r, depth-1)
		}
		return list
	case kind < 13:
		hash := make(map[string]any, n)
		for range n {
			hash[randomText(r, []rune{0x7f, 0x100, 0x3000}[r.IntN(3)])] = random(r, depth-1)
		}
		return hash
	case kind == 13:
		v := random(r, depth-1)
		return []any{&v, &v}
	case kind == 14:
		return storable.Blessed{Class: "My::Class", Value: []any{random(r, depth-1)}}
	}
	v := random(r, depth-1)
	return storable.Blessed{Class: strings.Repeat("C", 1+r.IntN(200)), Value: &v}
}

func randomScalar(r *rand.Rand) any {
	switch r.IntN(9) {
	case 0:
		return nil
	case 1:
		return int64(int8(r.Uint64()))
	case 2:
		return int64(int32(r.Uint64()))
	case 3:
		return int64(r.Uint64())
	case 4:
		return r.NormFloat64() * 1e10
	case 5:
		return r.IntN(2) == 0
	case 6:
		b := make([]byte, r.IntN(300))
		for i := range b {
			b[i] = byte(r.Uint64())
		}
		return b
	case 7:
		return randomText(r, 0x7f)
	}
	return randomText(r, []rune{0x100, 0x800, 0xd800, 0x10ffff}[r.IntN(4)])
}

func randomText(r *rand.Rand, below rune) string {
	var s strings.Builder
	for range r.IntN(6) {
		s.WriteRune(r.Int32N(below))
	}
	return s.String()
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
