package filter_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
)

// next measures one chunk of input and all its records.
func next[In, Out any](b *testing.B, f filter.Filter[In, Out], chunk []byte) {
	b.Helper()
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

func write[In, Out any](b *testing.B, f filter.Filter[In, Out], rec Out) {
	b.Helper()
	buf := make([]byte, 0, 256)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Append(buf, rec); err != nil {
			b.Fatal(err)
		}
	}
}

// The same lines as those of BenchmarkLineNext.
var header = []byte("GET /index.html HTTP/1.1\r\nHost: example.org\r\nAccept: */*\r\n\r\n")

func BenchmarkLineRegexpNext(b *testing.B) {
	next(b, newLine(b, filter.LineConfig{InputRegexp: regexp.MustCompile(`\r?\n`)}), header)
}

func BenchmarkLineAutodetectNext(b *testing.B) {
	next(b, newLine(b, filter.LineConfig{Autodetect: true}), header)
}

var record = []byte("Host: example.org")

func BenchmarkBlockNext(b *testing.B) {
	next(b, filter.Block(), must(filter.Block().Append(nil, record)))
}

func BenchmarkBlockAppend(b *testing.B) { write(b, filter.Block(), record) }

func BenchmarkRecordBlockNext(b *testing.B) {
	next(b, must(filter.NewRecordBlock(filter.Line(), filter.RecordBlockConfig{BlockSize: 4})), header)
}

func BenchmarkRecordBlockAppend(b *testing.B) {
	f := must(filter.NewRecordBlock(filter.Line(), filter.RecordBlockConfig{BlockSize: 4}))
	write(b, f, []string{"GET / HTTP/1.1", "Host: example.org", "Accept: */*", ""})
}

func BenchmarkMapNext(b *testing.B) {
	next(b, filter.Map(filter.Line(), filter.Each(strings.TrimSpace), filter.Each(strings.TrimSpace)), header)
}

func BenchmarkMapAppend(b *testing.B) {
	write(b, filter.Map(filter.Line(), filter.Each(strings.TrimSpace), filter.Each(strings.TrimSpace)), "Host: example.org")
}

func BenchmarkGrepNext(b *testing.B) {
	next(b, filter.Grep(filter.Line(), notComment, notComment), header)
}

func BenchmarkGrepAppend(b *testing.B) {
	write(b, filter.Grep(filter.Line(), notComment, notComment), "Host: example.org")
}

func BenchmarkStackNext(b *testing.B) {
	next(b, filter.Stack(filter.Line(), filter.Block()), must(filter.Block().Append(nil, header)))
}

func BenchmarkStackAppend(b *testing.B) {
	write(b, filter.Stack(filter.Line(), filter.Block()), "Host: example.org")
}
