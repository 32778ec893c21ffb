package filter_test

import (
	"testing"

	"github.com/usher-go/usher/wheel/filter"
)

func BenchmarkLineNext(b *testing.B) {
	chunk := []byte("GET /index.html HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\n\r\n")
	f := filter.Line()
	b.SetBytes(int64(len(chunk)))
	b.ReportAllocs()
	for b.Loop() {
		f.Feed(chunk)
		for {
			_, ok, err := f.Next()
			if err != nil {
				b.Fatal(err)
			}
			if !ok {
				break
			}
		}
	}
}

func BenchmarkLineAppend(b *testing.B) {
	f, buf := filter.Line(), make([]byte, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Append(buf, "Host: example.org"); err != nil {
			b.Fatal(err)
		}
	}
}

var request = filter.Frame{Name: "query", Args: []any{"select 1", 42}, ID: 7, To: "db"}

func BenchmarkEventNext(b *testing.B) {
	f := filter.Event()
	wire, err := f.Append(nil, request)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(wire)))
	b.ReportAllocs()
	for b.Loop() {
		f.Feed(wire)
		if _, ok, err := f.Next(); !ok {
			b.Fatal(err)
		}
	}
}

func BenchmarkEventAppend(b *testing.B) {
	f, buf := filter.Event(), make([]byte, 0, 128)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Append(buf, request); err != nil {
			b.Fatal(err)
		}
	}
}
