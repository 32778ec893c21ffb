package cluster

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

type (
	name string
	code uint8
)

func (c code) String() string { return "code-" + string('0'+rune(c)) }

func TestPlace(t *testing.T) {
	for _, x := range []struct {
		key  any
		want string
	}{
		{"ann", "ann"}, {name("ann"), "ann"}, {42, "42"}, {int64(-7), "-7"}, {uint8(9), "9"}, {uint64(1<<64 - 1), "18446744073709551615"},
		{code(3), "code-3"}, {netip.MustParseAddr("::1"), "::1"}, {time.Second, "1s"}, {new(code), "code-0"},
		{"ann@example.com", "ann@example.com"}, {"a/b", "a/b"}, {"@owner", "@owner"}, {"../x", "../x"}, {"a b+c%41", "a b+c%41"},
		{"\x00\n\xff#?&=;", "\x00\n\xff#?&=;"}, {"ключ", "ключ"}, {strings.Repeat("@", maxKey), strings.Repeat("@", maxKey)},
	} {
		a := Place("user", x.key)
		path, node := split(a)
		kind, key, err := keyOf(path)
		if node != ownerNode || kind != "user" || key != x.want || err != nil {
			t.Errorf("%q became %s: kind %q, key %q, on %q: %v", x.key, a, kind, key, node, err)
		}
	}
}

func TestPlaceThatIsNone(t *testing.T) {
	for _, path := range []kernel.Address{
		Place("user", ""), Place("", 1), Place("a/b", 1), Place("a@b", 1), Place("user", strings.Repeat("x", maxKey+1)), Place(strings.Repeat("x", 65), 1),
		"user", "user/", "/x", "user/%4", "user/%41", "user/a%2fb", "user/a b", "user/a/b", "#7/x", "owner/x",
	} {
		path, _ := split(path)
		if _, _, err := keyOf(path); !errors.Is(err, kernel.ErrArgument) || len(err.Error()) > 300 {
			t.Errorf("%.40q: %v", path, err)
		}
	}
	for _, key := range []any{nil, 1.5, struct{}{}, &struct{}{}, []byte("x"), true} {
		func() {
			defer func() {
				if s, _ := recover().(string); !strings.Contains(s, "want a string, an integer") {
					t.Errorf("%T: panic %q", key, s)
				}
			}()
			Place("user", key)
		}()
	}
}

func FuzzKey(f *testing.F) {
	for _, s := range []string{"42", "a@b", "a/b", "%", "+", "\x00\xff", "@owner/7"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, key, raw string) {
		path, node := split(Place("user", key))
		kind, back, err := keyOf(path)
		switch ok := key != "" && len(key) <= maxKey; {
		case node != ownerNode:
			t.Fatalf("%q is on %q", key, node)
		case ok != (err == nil):
			t.Fatalf("%q: %v", key, err)
		case ok && (kind != "user" || back != key):
			t.Fatalf("%q came back as %q/%q", key, kind, back)
		}
		// What a peer sends is taken in one spelling only.
		if kind, key, err := keyOf(kernel.Address(raw)); err == nil {
			if again, _ := split(Place(kind, key)); string(again) != raw {
				t.Fatalf("%q is another spelling of %q", raw, again)
			}
		}
	})
}

func TestKindsThatCannotWork(t *testing.T) {
	good := func(Key) kernel.Receiver { return table{} }
	for _, kinds := range [][]Kind{
		{{}}, {{Name: "a/b", New: good}}, {{Name: "a"}}, {{Name: "a", New: good, Idle: -1}}, {{Name: "a", New: good}, {Name: "a", New: good}},
	} {
		_, err := Join(kernel.New(kernel.Config{}), Config{Name: "n", Kinds: kinds})
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "Config.Kinds[") {
			t.Errorf("%+v: %v", kinds, err)
		}
	}
}
