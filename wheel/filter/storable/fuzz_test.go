package storable_test

import (
	"bytes"
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/usher-go/usher/wheel/filter/storable"
)

// What reading may take: the package comment's factor, and something for the
// first element of each kind and for who else allocates in the test.
const (
	maxFactor = 100
	slack     = 64 << 10
)

// taken returns the bytes that f allocated.
func taken(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

func FuzzUnmarshal(f *testing.F) {
	for _, tt := range golden {
		f.Add(unhex(f, tt.hex))
	}
	for _, frozen := range []string{
		"050b02000000020402000000010881040000000002", "050b02000000020885040000000001", "050b0200000001040000000000",
		"050b020000000104130203484b320666726f7a656e", "050b02ffffffff0202ffffff",
	} {
		f.Add(unhex(f, frozen))
	}
	f.Fuzz(func(t *testing.T, frozen []byte) {
		for _, c := range []storable.Config{{MaxExpanded: len(frozen) + 4096}, {Cycles: true}} {
			var v any
			var err error
			if n := taken(func() { v, err = c.Unmarshal(frozen) }); n > maxFactor*len(frozen)+slack {
				t.Fatalf("%d bytes of input took %d", len(frozen), n)
			}
			if err != nil {
				if v != nil {
					t.Fatalf("%#v with error %v", v, err)
				}
				continue
			}
			// Deeper, because a pointer into a slice that contains it is unrolled once.
			deep := storable.Config{Cycles: c.Cycles, MaxDepth: 1000}
			first, err := deep.Append(nil, v)
			if err != nil {
				t.Fatalf("%x was read and cannot be written: %v", frozen, err)
			}
			again, err := deep.Unmarshal(first)
			if err != nil {
				t.Fatalf("%x was written and cannot be read: %v", first, err)
			}
			if !c.Cycles && canonOf(v) != canonOf(again) {
				t.Fatalf("%s became %s", canonOf(v), canonOf(again))
			}
			second, err := deep.Append(nil, again)
			if err != nil || !bytes.Equal(first, second) {
				t.Fatalf("%x became %x, %v", first, second, err)
			}
		}
	})
}

// The inputs that take most for their length.
func TestMemoryIsInProportionToTheInput(t *testing.T) {
	many := func(n int, element string) []byte {
		b, _ := storable.Marshal(make([]any, n))
		return append(b[:7], bytes.Repeat(unhex(t, element), n)...)
	}
	const n = 20000 // 0x4e20
	for name, frozen := range map[string][]byte{
		"undef":             many(n, "05"),
		"empty hash":        many(n, "040300000000"),
		"hash of one":       many(n, "0403000000010500000000"),
		"empty array":       many(n, "040200000000"),
		"reference":         many(n, "0405"),
		"object":            append(unhex(t, "050b0200004e21041101410200000000"), bytes.Repeat(unhex(t, "0412000200000000"), n)...),
		"integer":           many(n, "08ff"),
		"bytes":             many(n, "0a01ff"),
		"announced arrays":  append(unhex(t, "050b"), bytes.Repeat(unhex(t, "020000ffff04"), n)...),
		"announced hashes":  append(unhex(t, "050b"), bytes.Repeat(unhex(t, "0300003fff04"), n)...),
		"one string, often": append(unhex(t, "050b0200004e21040a0178"), bytes.Repeat(unhex(t, "0000000002"), n)...),
	} {
		var err error
		factor := taken(func() { _, err = storable.Unmarshal(frozen) }) / len(frozen)
		if factor > maxFactor {
			t.Errorf("%s: takes %d times the input", name, factor)
		}
		if (err == nil) == strings.HasPrefix(name, "announced") || err != nil && !errors.Is(err, storable.ErrMalformed) && !errors.Is(err, storable.ErrTooDeep) {
			t.Errorf("%s: error = %v", name, err)
		}
	}
}
