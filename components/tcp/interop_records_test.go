package tcp_test

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/filter/storable"
)

// dialect is one of the filters of testdata/filter.pl, with random records and
// answers as they are there: an answer is how its sender saw the record, in ASCII,
// and the record itself.
type dialect[T any] struct {
	name     string
	filter   func() filter.Filter[T, T]
	some     func(*rand.Rand) T
	bye      T
	seen     func(T) string
	answer   func(seen string, record T) T
	answered func(answer T) (seen string, back T)
}

var lineDialect = dialect[string]{
	name:   "Line",
	filter: filter.Line,
	some: func(r *rand.Rand) string {
		return strings.Map(func(c rune) rune { return max(c, ' ') }, someText(r, 1<<12)) + someASCII(r, 8)
	},
	bye:      "bye",
	seen:     func(line string) string { return hex.EncodeToString([]byte(line)) },
	answer:   func(seen, line string) string { return seen + " " + line },
	answered: func(answer string) (seen, back string) { seen, back, _ = strings.Cut(answer, " "); return },
}

var blockDialect = dialect[[]byte]{
	name:   "Block",
	filter: filter.Block,
	some:   func(r *rand.Rand) []byte { return someBytes(r, 1<<13) },
	bye:    []byte("bye"),
	seen:   hex.EncodeToString,
	answer: func(seen string, block []byte) []byte { return slices.Concat([]byte(seen), []byte(" "), block) },
	answered: func(answer []byte) (string, []byte) {
		seen, back, _ := bytes.Cut(answer, []byte(" "))
		return string(seen), back
	},
}

var (
	referenceDialect  = ofReferences("Reference", filter.ReferenceConfig{})
	compressedDialect = ofReferences("Compressed", filter.ReferenceConfig{Compression: true})
)

func ofReferences(name string, cfg filter.ReferenceConfig) dialect[any] {
	return dialect[any]{
		name: name,
		filter: func() filter.Filter[any, any] {
			f, err := filter.NewReference(cfg)
			if err != nil {
				panic(err)
			}
			return f
		},
		some: func(r *rand.Rand) any { // Perl freezes references only
			if r.IntN(2) == 0 {
				return someList(r, 3)
			}
			return someHash(r, 3)
		},
		bye:    []any{"bye"},
		seen:   canon,
		answer: func(seen string, v any) any { return []any{seen, v} },
		answered: func(answer any) (seen string, back any) {
			if a, _ := answer.([]any); len(a) == 2 {
				seen, _ = a[0].(string)
				back = a[1]
			}
			return seen, back
		},
	}
}

// canon is what canon.pl of package storable makes of a value.
func canon(v any) string {
	switch v := v.(type) {
	case nil:
		return "u"
	case *any:
		return `\` + canon(*v)
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = canon(e)
		}
		return "[" + strings.Join(parts, ",") + "]"
	case map[string]any:
		var parts []string
		for k, e := range v {
			parts = append(parts, hex.EncodeToString([]byte(k))+":"+canon(e))
		}
		slices.Sort(parts)
		return "{" + strings.Join(parts, ",") + "}"
	}
	s, ok := storable.Text(v)
	if !ok {
		return fmt.Sprintf("?%T", v)
	}
	return "s" + hex.EncodeToString([]byte(s))
}

// some is how much there is of something: often little, sometimes nothing.
func some(r *rand.Rand, limit int) int { return r.IntN(r.IntN(limit) + 1) }

func someASCII(r *rand.Rand, limit int) string {
	p := make([]byte, some(r, limit))
	for i := range p {
		p[i] = byte(' ' + r.IntN(0x5f))
	}
	return string(p)
}

func someText(r *rand.Rand, limit int) string {
	p := make([]rune, some(r, limit))
	for i := range p {
		p[i] = rune(r.IntN(0x3000))
	}
	return string(p)
}

func someBytes(r *rand.Rand, limit int) []byte {
	p := make([]byte, some(r, limit))
	for i := range p {
		p[i] = byte(r.Uint32())
	}
	return p
}

func someValue(r *rand.Rand, depth int) any {
	kinds := 9
	if depth > 0 {
		kinds = 15
	}
	switch r.IntN(kinds) {
	case 0:
		return nil
	case 1:
		return int64(int32(r.Uint32()))
	case 2:
		return int64(r.Uint64())
	case 3:
		return float64(r.IntN(1000)) - 500.5
	case 4:
		return ""
	case 5:
		return someASCII(r, 1000)
	case 6:
		return someText(r, 1000)
	case 7:
		return someBytes(r, 1000)
	case 8:
		var referred any = "referred to"
		return &referred
	case 9, 10, 11:
		return someList(r, depth-1)
	}
	return someHash(r, depth-1)
}

func someList(r *rand.Rand, depth int) []any {
	list := make([]any, r.IntN(8))
	for i := range list {
		list[i] = someValue(r, depth)
	}
	return list
}

func someHash(r *rand.Rand, depth int) map[string]any {
	hash := map[string]any{}
	for range r.IntN(8) {
		hash[someText(r, 20)] = someValue(r, depth)
	}
	return hash
}
