package main

import (
	"errors"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
)

// The rows would be worth nothing if a filter saw other records than are meant.
func TestEachFiltersRecordsAreTheSame(t *testing.T) {
	var seen []string
	watch := func() filter.Filter[string, string] {
		return filter.Map(filter.Line(), func(s string) ([]string, error) {
			seen = append(seen, s)
			return []string{s}, nil
		}, filter.Each(same))
	}
	const n = wireSize/64 + 100 // once round and some more
	if s, err := reading(watch, repeated(echoLine))(n); err != nil || s.Ops != n || len(seen) != n {
		t.Fatalf("%+v, %v, %d records; want %d", s, err, len(seen), n)
	}
	for i, line := range seen {
		if line+"\n" != string(echoLine) {
			t.Fatalf("record %d is %q", i, line)
		}
	}
}

func TestFiltersErrorsEndTheRow(t *testing.T) {
	refused := errors.New("refused")
	left := 3
	picky := func() filter.Filter[string, string] {
		return filter.Map(filter.Line(), func(s string) ([]string, error) {
			if left--; left == 0 {
				return nil, refused
			}
			return []string{s}, nil
		}, filter.Each(same))
	}
	if _, err := reading(picky, repeated(echoLine))(10); !errors.Is(err, refused) || left != 0 {
		t.Errorf("%v with %d left; want the filter's error at the third record", err, left)
	}
	if _, err := reading(filter.Reference, written(filter.Reference, any(func() {})))(1); err == nil {
		t.Error("a stream of a function was written")
	}
}
