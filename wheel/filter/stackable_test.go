package filter_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/filter/filtertest"
)

type layer = filter.Filter[[]byte, []byte]

// shifted is a layer that adds by to each byte sent, and takes it off what comes.
func shifted(by byte) layer {
	return filter.Map(filter.Stream(), filter.Each(adder(-by)), filter.Each(adder(by)))
}

func adder(by byte) func([]byte) []byte {
	return func(p []byte) []byte {
		p = slices.Clone(p)
		for i := range p {
			p[i] += by
		}
		return p
	}
}

// framed writes pieces as blocks of the default form.
func framed(pieces ...string) string {
	var wire []byte
	for _, p := range pieces {
		wire = must(filter.Block().Append(wire, []byte(p)))
	}
	return string(wire)
}

func up(s string) string { return string(adder(1)([]byte(s))) }

// The handover check finds what Pending does not show of any layer, at each byte.
func TestF2_F5_F48_F50_StackableConformance(t *testing.T) {
	pair := func() layer { return must(filter.NewBlock(filter.BlockConfig{BlockSize: 2})) }
	inner := framed("ab", "", "cde")
	for name, c := range map[string]struct {
		layers        func() []layer
		wire          string
		records       [][]byte
		tail          string
		anyBoundaries bool
	}{
		"one": {func() []layer { return []layer{filter.Block()} }, inner, blocks("ab", "", "cde"), "3\x00", false},
		"two": {func() []layer { return []layer{filter.Block(), filter.Block()} }, framed(inner[:1], inner[1:6], "", inner[6:]), blocks("ab", "", "cde"), framed("3\x00x"), false},
		"many": {func() []layer {
			return []layer{shifted(1), filter.Block(), filter.Stream(), shifted(1), filter.Block()}
		}, up(framed(up(inner[:5]), up(inner[5:]))), blocks("ab", "", "cde"), up(framed(up("3"))), false},
		"pieces": {func() []layer { return []layer{shifted(1), pair(), shifted(1)} }, "cdefgh", blocks("abcdef"), "k", true},
		"none":   {func() []layer { return nil }, "as they come", blocks("as they come"), "", true},
	} {
		t.Run(name, func(t *testing.T) {
			fc := filtertest.Case[[]byte, []byte]{
				New:  func() layer { return filter.NewStackable(c.layers()...) },
				Wire: []byte(c.wire), Records: c.records, Tail: []byte(c.tail),
			}
			if c.anyBoundaries {
				fc.Join = func(a, b []byte) []byte { return slices.Concat(a, b) }
			}
			filtertest.Run(t, fc)
		})
	}
}

func TestF48_InputFirstToLastOutputLastToFirst(t *testing.T) {
	s := filter.NewStackable(filter.Block(), shifted(1))
	if got := string(must(s.Append([]byte(">"), []byte("abc")))); got != ">3\x00bcd" {
		t.Errorf("Append = %q; want the shift first, then the block", got)
	}
	s.Feed([]byte("3\x00bcd"))
	wantOutcome(t, outcome(s, quotedBytes), quoted("abc"))
}

// One record of a lower layer holds several of an upper one, and the other way
// round; none has to wait for another Feed.
func TestF48_PullsForAsLongAsAnythingMoves(t *testing.T) {
	s := filter.NewStackable(filter.Block(), filter.Block())
	s.Feed([]byte("6\x001\x00a1\x00b1\x001" + "1\x00\x00" + "0\x00" + "4\x00c1\x00d"))
	wantOutcome(t, outcome(s, quotedBytes), quoted("a"), quoted("b"), quoted("c"), quoted("d"))
	s = filter.NewStackable(filter.Grep(filter.Block(), func(p []byte) bool { return len(p) > 1 }, nil), filter.Stream())
	s.Feed([]byte("1\x00-1\x00-2\x00ok1\x00-"))
	wantOutcome(t, outcome(s, quotedBytes), quoted("ok"))
}

// A layer that skips a record on its way out sends nothing, not an empty record.
func TestF48_NothingIsNoEmptyRecord(t *testing.T) {
	s := filter.NewStackable(filter.Block(), filter.Grep(filter.Stream(), nil, func(p []byte) bool { return len(p) > 1 }))
	if got := string(must(s.Append([]byte(">"), []byte("-")))); got != ">" {
		t.Errorf("Append = %q; want nothing", got)
	}
	if got := string(must(filter.NewStackable(filter.Block()).Append(nil, nil))); got != "0\x00" {
		t.Errorf("Append of an empty block = %q", got)
	}
	small := newBlock(t, filter.BlockConfig{MaxLength: 2})
	for _, s := range []*filter.Stackable{filter.NewStackable(small, filter.Stream()), filter.NewStackable(filter.Stream(), small)} {
		if got, err := s.Append([]byte(">"), []byte("abc")); string(got) != ">" || !errors.Is(err, filter.ErrTooLong) {
			t.Errorf("Append = %q, %v", got, err)
		}
	}
}

func TestF49_ShiftLosesNothing(t *testing.T) {
	// Between two records of one Feed the outer framing ends.
	s := filter.NewStackable(filter.Block(), filter.Block())
	s.Feed([]byte("5\x001\x00a2\x002\x00bc1\x00d"))
	if rec, ok, err := s.Next(); string(rec) != "a" || !ok {
		t.Fatalf("Next = %q, %v, %v", rec, ok, err)
	}
	outer := s.Shift()
	// "2\x00" of the next inner block stands in the inner layer already; what
	// the outer one had not unwrapped follows as it is.
	wantOutcome(t, outcome(s, quotedBytes), quoted("2\x00"), "error: "+`filter: malformed length prefix "bc1\x00d": want decimal digits and a NUL: `+filter.ErrUnusable.Error())
	if _, ok := outer.(*filter.BlockFilter); !ok || len(s.Filters()) != 1 {
		t.Errorf("Shift returned a %T and left %d layers", outer, len(s.Filters()))
	}

	s = filter.NewStackable(filter.Block(), filter.Block())
	s.Feed([]byte("3\x001\x00a2\x00bc1\x00d"))
	if rec, _, _ := s.Next(); string(rec) != "a" {
		t.Fatalf("Next = %q", rec)
	}
	s.Shift()
	wantOutcome(t, outcome(s, quotedBytes), quoted("bc"), quoted("d"))
	s.Feed([]byte("1\x00e1\x00"))
	wantOutcome(t, outcome(s, quotedBytes), quoted("e"))
	s.Shift()
	s.Feed([]byte("f"))
	wantOutcome(t, outcome(s, quotedBytes), quoted("1\x00f"))
}

func TestF49_PopLosesNothing(t *testing.T) {
	s := filter.NewStackable(filter.Block(), filter.Block())
	s.Feed([]byte("6\x001\x00a3\x00b2\x00xx2\x00yy"))
	if rec, _, _ := s.Next(); string(rec) != "a" {
		t.Fatalf("Next = %q", rec)
	}
	s.Pop()
	if p := string(s.Pending()); p != "3\x003\x00b2\x00xx2\x00yy" {
		t.Errorf("Pending = %q", p)
	}
	wantOutcome(t, outcome(s, quotedBytes), quoted("3\x00b"), quoted("xx"), quoted("yy"))

	// Popped, and pushed again before anything is taken: as if nothing had been.
	s = filter.NewStackable(filter.Block(), filter.Block())
	s.Feed([]byte(framed("3\x00b")))
	wantOutcome(t, outcome(s, quotedBytes))
	s.Pop()
	s.Pop()
	s.Feed([]byte("cd"))
	s.Push(filter.Block())
	s.Feed([]byte(framed("e")))
	wantOutcome(t, outcome(s, quotedBytes), quoted("bcd"), quoted("e"))
}

func TestF49_PushAndUnshiftTakeEffectFromHereOn(t *testing.T) {
	s := filter.NewStackable()
	s.Feed([]byte(framed(up("ab"))))
	s.Unshift(filter.Block(), shifted(1)) // into an empty stack: what was fed goes through
	wantOutcome(t, outcome(s, quotedBytes), quoted("ab"))
	s.Feed([]byte("1"))
	s.Unshift(shifted(1))
	s.Feed([]byte(up("\x00" + up("c")))) // the "1" before is past the new layer
	wantOutcome(t, outcome(s, quotedBytes), quoted("c"))
	if got := string(must(s.Append(nil, []byte("d")))); got != up(framed(up("d"))) {
		t.Errorf("Append = %q", got)
	}
}

func TestF49_ArgumentsAreChecked(t *testing.T) {
	s := filter.NewStackable()
	for want, call := range map[string]func(){
		"filter: Stackable.Push: layer 1 is nil; want a filter, such as filter.Block()": func() { s.Push(filter.Block(), nil) },
		"Unshift: layer 0 is nil":      func() { s.Unshift(nil) },
		"layer 0 is nil":               func() { filter.NewStackable(nil) },
		"filter: Stack: top is nil":    func() { filter.Stack[string, string](nil) },
		"Push: layer 1 is nil; want a": func() { filter.Stack(filter.Line(), filter.Block(), nil) },
	} {
		wantPanic(t, want, call)
	}
	if len(s.Filters()) != 0 || s.Pop() != nil || s.Shift() != nil {
		t.Error("a refused layer was added, or an empty stack gave one out")
	}
}

func TestF50_FiltersAndEmptyStack(t *testing.T) {
	a, b, c := filter.Block(), filter.Stream(), filter.Block()
	s := filter.NewStackable(b)
	s.Push(c)
	s.Unshift(a)
	if got := s.Filters(); !slices.Equal(got, []layer{a, b, c}) {
		t.Errorf("Filters = %v", got)
	}
	s.Filters()[0] = nil // a copy
	if s.Shift() != a || s.Pop() != c || s.Pop() != b {
		t.Error("the layers came out in another order")
	}
	var empty filter.Stackable
	empty.Feed([]byte("through"))
	wantOutcome(t, outcome(&empty, quotedBytes), quoted("through"))
	if got := string(must(empty.Append(nil, []byte("back")))); got != "back" {
		t.Errorf("Append = %q", got)
	}
}

func TestF50_PendingShowsEachLayer(t *testing.T) {
	s := filter.NewStackable(newBlock(t, filter.BlockConfig{MaxLength: 4}), filter.Stream(), filter.Block())
	s.Feed([]byte(framed("9\x00ab", "cd") + "4\x00e"))
	wantOutcome(t, outcome(s, quotedBytes))
	// The last layer has six bytes, more than the first accepts in one block.
	want := framed("9\x00a", "bcd") + "4\x00e"
	for range 2 {
		if got := string(s.Pending()); got != want {
			t.Errorf("Pending = %q; want %q", got, want)
		}
	}
	s.Feed([]byte("fgh" + framed("i")))
	wantOutcome(t, outcome(s, quotedBytes), quoted("abcdefghi"))
	if got := s.Pending(); got != nil {
		t.Errorf("Pending = %q", got)
	}
}

// What a layer below has refused is a gap: going on would take the middle of one
// record for the beginning of another.
func TestF48_GapsEndTheStream(t *testing.T) {
	picky := func() layer {
		return filter.Map(filter.Block(), func(p []byte) ([][]byte, error) {
			if string(p) == "bad" {
				return nil, errors.New("bad is refused")
			}
			return [][]byte{p}, nil
		}, filter.Each(func(p []byte) []byte { return p }))
	}
	want := fmt.Sprintf("error: bad is refused; the layers above miss its bytes: %v", filter.ErrUnusable)
	const wire = "4\x00a\nb\n3\x00bad3\x00cd\n"

	s := filter.NewStackable(picky(), filter.Stream())
	s.Feed([]byte(wire))
	wantOutcome(t, outcome(s, quotedBytes), quoted("a\nb\n"), want)
	s.Feed(bytes.Repeat([]byte("x"), 100))
	wantOutcome(t, outcome(s, quotedBytes), want)

	lines := filter.Stack(filter.Line(), picky())
	lines.Feed([]byte(wire))
	wantOutcome(t, outcome(lines, quoted), quoted("a"), quoted("b"), want)
	lines.Feed([]byte("2\x00e\n"))
	wantOutcome(t, outcome(lines, quoted), want)

	last := filter.NewStackable(filter.Stream(), picky()) // nobody above: it goes on
	last.Feed([]byte(wire))
	wantOutcome(t, outcome(last, quotedBytes), quoted("a\nb\n"), "error: bad is refused", quoted("cd\n"))
}
