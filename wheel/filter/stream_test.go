package filter_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/filter/filtertest"
)

func TestF2_F3_F4_F5_StreamConformance(t *testing.T) {
	filtertest.Run(t, filtertest.Case[[]byte, []byte]{
		New:     filter.Stream,
		Wire:    []byte("bytes\x00\xff\r\nas they come"),
		Records: [][]byte{[]byte("bytes\x00\xff\r\nas they come")},
		Equal:   bytes.Equal,
		Join:    func(a, b []byte) []byte { return slices.Concat(a, b) },
	})
}

func TestF18_EverythingFedIsOneRecord(t *testing.T) {
	f := filter.Stream()
	f.Feed([]byte("one "))
	f.Feed([]byte("record"))
	first, ok, err := f.Next()
	if !ok || err != nil || string(first) != "one record" {
		t.Fatalf("Next = %q, %v, %v", first, ok, err)
	}
	f.Feed(nil)
	if rec, ok, err := f.Next(); ok || err != nil {
		t.Errorf("Next = %q, %v, %v; want none: nothing came", rec, ok, err)
	}
	// The receiver may keep a record and write into it.
	f.Feed([]byte("two"))
	_ = append(first, " and more"...)
	if rec, _, _ := f.Next(); string(rec) != "two" || string(first) != "one record" {
		t.Errorf("records share memory: %q, %q", rec, first)
	}
}

// With Reuse a record's storage serves the next one, and the rest holds.
func TestF18_StreamReuses(t *testing.T) {
	f := &filter.StreamFilter{Reuse: true}
	storage := func(s string) *byte {
		f.Feed([]byte(s))
		rec, ok, _ := f.Next()
		if !ok || string(rec) != s {
			t.Fatalf("Next = %q, %v, want %q", rec, ok, s)
		}
		if p := f.Pending(); p != nil {
			t.Errorf("Pending = %q with the record out", p)
		}
		if again, ok, _ := f.Next(); ok {
			t.Errorf("Next = %q again", again)
		}
		return &rec[0]
	}
	if storage("one") != storage("two") {
		t.Error("it does not reuse its storage")
	}
}
