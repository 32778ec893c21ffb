package filter_test

import (
	"fmt"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
)

var job = map[string]any{"job": int64(7), "args": []any{"select", "from"}, "user": map[string]any{"name": "é", "id": int64(70000)}}

// eachReference runs b with each general serializer, compressed and not.
func eachReference(b *testing.B, run func(*testing.B, *filter.ReferenceFilter)) {
	for _, s := range []filter.Serializer{nil, filter.JSON()} {
		for _, compression := range []bool{false, true} {
			c := filter.ReferenceConfig{Serializer: s, Compression: compression}
			name := "storable"
			if s != nil {
				name = s.Name()
			}
			b.Run(fmt.Sprintf("%s/compression=%v", name, compression), func(b *testing.B) {
				b.ReportAllocs()
				run(b, newReference(b, c))
			})
		}
	}
}

func BenchmarkReferenceNext(b *testing.B) {
	eachReference(b, func(b *testing.B, f *filter.ReferenceFilter) {
		wire, err := f.Append(nil, job)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(wire)))
		for b.Loop() {
			f.Feed(wire)
			if _, ok, err := f.Next(); !ok {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkReferenceAppend(b *testing.B) {
	eachReference(b, func(b *testing.B, f *filter.ReferenceFilter) {
		buf := make([]byte, 0, 512)
		for b.Loop() {
			if _, err := f.Append(buf, job); err != nil {
				b.Fatal(err)
			}
		}
	})
}
