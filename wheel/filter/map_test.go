package filter_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/filter/filtertest"
)

// words maps lines to their words, and words to lines.
func words() *filter.MapFilter[string, string, string, string] {
	return filter.Map(filter.Line(),
		func(line string) ([]string, error) { return strings.Fields(line), nil },
		func(word string) ([]string, error) { return []string{word}, nil })
}

func TestF2_F5_F45_MapConformance(t *testing.T) {
	filtertest.Run(t, filtertest.Case[int, int]{
		New: func() filter.Filter[int, int] {
			return filter.Map(newLine(t, filter.LineConfig{InputLiteral: "\n"}),
				func(line string) ([]int, error) {
					n, err := strconv.Atoi(strings.TrimSpace(line))
					return []int{n}, err
				},
				filter.Each(strconv.Itoa))
		},
		Wire: []byte("1\n22\r\n-3\n"), Records: []int{1, 22, -3}, Tail: []byte("4"),
	})
}

func TestF2_F46_MapToSeveralConformance(t *testing.T) {
	filtertest.Run(t, filtertest.Case[string, string]{
		New:  func() filter.Filter[string, string] { return words() },
		Wire: []byte("one two\n\n\nthree\n  \nfour five six\n"), Records: []string{"one", "two", "three", "four", "five", "six"}, Tail: []byte("se"),
		NoHandover: true, // words still to come are not bytes any more
	})
}

// POE stalls behind a record that became none.
func TestF46_NoneSeveralAndNoStall(t *testing.T) {
	f := words()
	f.Feed([]byte("\n\none two\n\nthree\n"))
	if rec, ok, err := f.Next(); rec != "one" || !ok || err != nil {
		t.Fatalf("Next = %q, %v, %v; want one, not a stall", rec, ok, err)
	}
	if got := f.Collected(); !slices.Equal(got, []string{"two"}) || string(f.Pending()) != "\nthree\n" {
		t.Errorf("Collected = %q, Pending = %q", got, f.Pending())
	}
	wantOutcome(t, outcome(f, quoted), quoted("two"), quoted("three"))
	if got := f.Collected(); got != nil {
		t.Errorf("Collected = %q", got)
	}

	f.Put = func(s string) ([]string, error) { return strings.Split(s, ","), nil }
	if got := string(must(f.Append([]byte(">"), "a,b"))); got != ">a\r\nb\r\n" {
		t.Errorf("Append = %q", got)
	}
	f.Put = func(string) ([]string, error) { return nil, nil }
	if got := string(must(f.Append([]byte(">"), "a"))); got != ">" {
		t.Errorf("Append = %q; want nothing", got)
	}
}

func TestF46_ErrorsRefuseOneRecord(t *testing.T) {
	number := func(line string) ([]int, error) {
		n, err := strconv.Atoi(line)
		return []int{n, n}, err
	}
	f := filter.Map(newLine(t, filter.LineConfig{MaxLength: 4}), number, func(n int) ([]string, error) {
		if n < 0 {
			return []string{"lost"}, fmt.Errorf("want a number of 0 or more, not %d", n)
		}
		return []string{strconv.Itoa(n), strings.Repeat("x", n)}, nil
	})
	f.Feed([]byte("1\nx\n12345\n2\n"))
	wantOutcome(t, outcome(f, strconv.Itoa), "1", "1", `error: strconv.Atoi: parsing "x": invalid syntax`, refused, "2", "2")
	if got, err := f.Append([]byte(">"), -1); string(got) != ">" || err == nil || err.Error() != "want a number of 0 or more, not -1" {
		t.Errorf("Append = %q, %v", got, err)
	}
	// Refused by the inner filter behind the first of two: nothing is sent.
	inner := newBlock(t, filter.BlockConfig{MaxLength: 2})
	g := filter.Map(inner, filter.Each(quotedBytes), func(s string) ([][]byte, error) { return blocks("ok", s), nil })
	if got, err := g.Append([]byte(">"), "too long"); string(got) != ">" || !errors.Is(err, filter.ErrTooLong) {
		t.Errorf("Append = %q, %v", got, err)
	}
}

func TestF46_GetMayEndTheStream(t *testing.T) {
	f := filter.Map(filter.Line(), func(line string) ([]string, error) {
		if line == "end" {
			return nil, fmt.Errorf("no more: %w", filter.ErrUnusable)
		}
		return []string{line}, nil
	}, filter.Each(strings.TrimSpace))
	f.Feed([]byte("a\nend\nb\n"))
	wantOutcome(t, outcome(f, quoted), quoted("a"), "error: no more: "+filter.ErrUnusable.Error())
	wantOutcome(t, outcome(f, quoted), "error: no more: "+filter.ErrUnusable.Error())
}

func TestF45_FunctionsChangeLive(t *testing.T) {
	f := filter.Map(filter.Line(), filter.Each(strings.ToUpper), filter.Each(strings.ToUpper))
	f.Feed([]byte("a\nb\n"))
	if rec, _, _ := f.Next(); rec != "A" {
		t.Errorf("rec = %q", rec)
	}
	f.Get, f.Put = filter.Each(func(s string) string { return s + s }), filter.Each(strings.ToLower)
	wantOutcome(t, outcome(f, quoted), quoted("bb"))
	if got := string(must(f.Append(nil, "C"))); got != "c\r\n" {
		t.Errorf("Append = %q", got)
	}
}

func TestF45_MissingArgumentsPanic(t *testing.T) {
	same := filter.Each(strings.TrimSpace)
	var none func(string) ([]string, error)
	for want, call := range map[string]func(){
		"filter: Map: inner is nil; want a filter":  func() { filter.Map(nil, same, same) },
		"filter: Map: get or put is nil; want both": func() { filter.Map(filter.Line(), none, same) },
		"Map: get or put is nil":                    func() { filter.Map(filter.Line(), same, none) },
		"filter: Grep: inner is nil; want a filter": func() { filter.Grep[string, string](nil, nil, nil) },
	} {
		wantPanic(t, want, call)
	}
}

func wantPanic(t *testing.T, want string, call func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if got := fmt.Sprint(recover()); !strings.Contains(got, want) {
			t.Errorf("panic %q; want %q", got, want)
		}
	}()
	call()
}
