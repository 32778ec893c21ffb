package filter_test

import (
	"errors"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
)

func TestF3_RecordsAndNextMayBeMixed(t *testing.T) {
	f := filter.Line()
	f.Feed([]byte("1\n2\n3\n4\n"))
	first, _, _ := f.Next()
	var got []string
	for line, err := range filter.Records(f) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, line)
		if line == "2" {
			f.Feed([]byte("5\n")) // the loop may feed
		}
		if line == "3" {
			break // and stop early
		}
	}
	for line := range filter.Records(f) {
		got = append(got, line)
	}
	if first != "1" {
		t.Errorf("first = %q", first)
	}
	wantOutcome(t, got, "2", "3", "4", "5")
}

func TestF3_RecordsGoesOnBehindARefusedRecord(t *testing.T) {
	f := newLine(t, filter.LineConfig{MaxLength: 4, MaxBuffer: 20})
	f.Feed([]byte("one\ntoo long\ntwo\nand over the buffer\n"))
	var got []string
	var errs []error
	for line, err := range filter.Records(f) {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		got = append(got, line)
	}
	wantOutcome(t, got, "one", "two")
	if len(errs) != 2 || errors.Is(errs[0], filter.ErrUnusable) || !errors.Is(errs[1], filter.ErrUnusable) {
		t.Errorf("errors = %v; want one record refused, then the end", errs)
	}
}
