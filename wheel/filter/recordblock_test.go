package filter_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/filter/filtertest"
)

func lineBlocks(t testing.TB, c filter.RecordBlockConfig) *filter.RecordBlockFilter[string, string] {
	t.Helper()
	f, err := filter.NewRecordBlock(newLine(t, filter.LineConfig{InputLiteral: "\n", OutputLiteral: "\n", MaxLength: 4}), c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func list(recs []string) string { return strings.Join(recs, "+") }

func TestF2_F5_F26_RecordBlockConformance(t *testing.T) {
	for _, checkPut := range []bool{false, true} {
		t.Run(fmt.Sprint("CheckPut ", checkPut), func(t *testing.T) {
			filtertest.Run(t, filtertest.Case[[]string, []string]{
				New: func() filter.Filter[[]string, []string] {
					return lineBlocks(t, filter.RecordBlockConfig{BlockSize: 2, CheckPut: checkPut})
				},
				Wire:       []byte("a\nb\n\nd\ne\nf\n"),
				Records:    [][]string{{"a", "b"}, {"", "d"}, {"e", "f"}},
				Tail:       []byte("g"),
				NoHandover: true, // what was collected is not bytes any more
			})
		})
	}
}

func TestF26_BlocksOfNInAnyListOut(t *testing.T) {
	f := lineBlocks(t, filter.RecordBlockConfig{BlockSize: 3})
	f.Feed([]byte("1\n2\n3\n4\n5\n"))
	wantOutcome(t, outcome(f, list), "1+2+3")
	if got := f.Collected(); !slices.Equal(got, []string{"4", "5"}) || f.Pending() != nil {
		t.Errorf("Collected = %q, Pending = %q; want 4 and 5, and no bytes", got, f.Pending())
	}
	f.Feed([]byte("6\n"))
	wantOutcome(t, outcome(f, list), "4+5+6")
	if got := f.Collected(); got != nil {
		t.Errorf("Collected = %q", got)
	}
	for _, recs := range [][]string{{"a"}, {}, {"b", "c", "d", "e"}} {
		got, err := f.Append([]byte("> "), recs)
		if want := "> " + strings.Join(append(recs, ""), "\n"); string(got) != want || err != nil {
			t.Errorf("Append(%q) = %q, %v", recs, got, err)
		}
	}
}

func TestF26_RefusedRecordIsMissing(t *testing.T) {
	f := lineBlocks(t, filter.RecordBlockConfig{BlockSize: 2})
	f.Feed([]byte("1\ntoo long\n2\n3\n"))
	wantOutcome(t, outcome(f, list), refused, "1+2")
	if got := f.Collected(); !slices.Equal(got, []string{"3"}) {
		t.Errorf("Collected = %q", got)
	}
}

func TestF27_CheckPutSendsMultiples(t *testing.T) {
	f := lineBlocks(t, filter.RecordBlockConfig{BlockSize: 3, CheckPut: true})
	step := func(recs []string, sent string, held ...string) {
		t.Helper()
		got, err := f.Append([]byte(">"), recs)
		if err != nil || string(got) != ">"+sent {
			t.Errorf("Append(%q) = %q, %v; want %q", recs, got, err, ">"+sent)
		}
		if p := f.PutPending(); !slices.Equal(p, held) || len(p) == 0 && p != nil {
			t.Errorf("after Append(%q): PutPending = %q; want %q", recs, p, held)
		}
	}
	step([]string{"1", "2"}, "", "1", "2")
	step(nil, "", "1", "2")
	step([]string{"3", "4", "5", "6", "7"}, "1\n2\n3\n4\n5\n6\n", "7")

	// Live changes: fewer to wait for, then none.
	step([]string{"8"}, "", "7", "8")
	if err := f.SetBlockSize(2); err != nil {
		t.Fatal(err)
	}
	step(nil, "7\n8\n")
	step([]string{"9"}, "", "9")
	f.SetCheckPut(false)
	if p := f.PutPending(); !slices.Equal(p, []string{"9"}) {
		t.Errorf("PutPending = %q; want 9, which goes with the next put", p)
	}
	step([]string{"10"}, "9\n10\n")
	f.SetCheckPut(true)
	step([]string{"11"}, "", "11")
}

func TestF27_RefusedListLeavesWhatIsHeld(t *testing.T) {
	inner := filter.Map(filter.Line(), filter.Each(strings.TrimSpace), func(s string) ([]string, error) {
		if s == "bad" {
			return nil, errors.New("bad is refused")
		}
		return []string{s}, nil
	})
	for _, checkPut := range []bool{true, false} {
		f := must(filter.NewRecordBlock(inner, filter.RecordBlockConfig{BlockSize: 3, CheckPut: true}))
		must(f.Append(nil, []string{"1", "2"}))
		f.SetCheckPut(checkPut)
		got, err := f.Append([]byte(">"), []string{"3", "bad"})
		if string(got) != ">" || err == nil || err.Error() != "filter: record 2 of 2 refused, and none of them sent: bad is refused" {
			t.Errorf("Append = %q, %v", got, err)
		}
		if p := f.PutPending(); !slices.Equal(p, []string{"1", "2"}) {
			t.Errorf("PutPending = %q; want what was held before", p)
		}
		if got, err = f.Append(nil, []string{"3"}); string(got) != "1\r\n2\r\n3\r\n" || err != nil {
			t.Errorf("Append = %q, %v", got, err)
		}
	}
}

func TestF27_BlockSizeChangesForInputToo(t *testing.T) {
	f := lineBlocks(t, filter.RecordBlockConfig{BlockSize: 5})
	f.Feed([]byte("1\n2\n3\n4\n"))
	wantOutcome(t, outcome(f, list))
	if err := f.SetBlockSize(0); !errors.Is(err, filter.ErrConfig) || !strings.Contains(err.Error(), "RecordBlockConfig.BlockSize is 0; want 1 or more") {
		t.Errorf("SetBlockSize(0) = %v", err)
	}
	wantOutcome(t, outcome(f, list)) // it is still 5
	if err := f.SetBlockSize(1); err != nil {
		t.Fatal(err)
	}
	f.Feed([]byte("5\n"))
	wantOutcome(t, outcome(f, list), "1", "2", "3", "4", "5")
}

func TestF26_RecordBlockConfigurationIsChecked(t *testing.T) {
	_, err := filter.NewRecordBlock(filter.Line(), filter.RecordBlockConfig{})
	if !errors.Is(err, filter.ErrConfig) {
		t.Errorf("no BlockSize: %v", err)
	}
	_, err = filter.NewRecordBlock[string, string](nil, filter.RecordBlockConfig{BlockSize: 1})
	if !errors.Is(err, filter.ErrConfig) || !strings.Contains(err.Error(), "inner is nil") {
		t.Errorf("no inner filter: %v", err)
	}
}
