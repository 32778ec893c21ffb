package storable_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/usher-go/usher/wheel/filter/storable"
)

func unmarshal[T any](t *testing.T, c storable.Config, frozen string) T {
	t.Helper()
	v, err := c.Unmarshal(unhex(t, frozen))
	if err != nil {
		t.Fatal(err)
	}
	return v.(T)
}

// rewritten checks that v is written as it was frozen.
func rewritten(t *testing.T, v any, frozen string) {
	t.Helper()
	got, err := storable.Marshal(v)
	if err != nil || string(got) != string(unhex(t, frozen)) {
		t.Errorf("Marshal = %x, %v; want %s", got, err, frozen)
	}
}

func TestSharedReferencesStayShared(t *testing.T) {
	const lists = "050b02000000020402000000010881040000000002" // my $r = [1]; [$r, $r]
	v := unmarshal[[]any](t, storable.Config{}, lists)
	v[0].([]any)[0] = "changed"
	if got := v[1].([]any)[0]; got != "changed" {
		t.Errorf("the second list has %v; want the one changed in the first", got)
	}
	rewritten(t, unmarshal[[]any](t, storable.Config{}, lists), lists)

	const scalars = "050b0200000002040885040000000002" // my $x = 5; [\$x, \$x]
	v = unmarshal[[]any](t, storable.Config{}, scalars)
	if v[0].(*any) != v[1].(*any) || *v[0].(*any) != int64(5) {
		t.Errorf("%v and %v; want one pointer to 5", v[0], v[1])
	}
	rewritten(t, v, scalars)
}

func TestReferenceToAnElement(t *testing.T) {
	v := unmarshal[[]any](t, storable.Config{}, "050b02000000020885040000000001") // my @a = (5); $a[1] = \$a[0]
	v[0] = "changed"
	if got := *v[1].(*any); got != "changed" {
		t.Errorf("the pointer leads to %v; want the element", got)
	}
	h := unmarshal[map[string]any](t, storable.Config{}, "050b0300000002088500000001610400000000010000000162") // $h{b} = \$h{a}
	if got := *h["b"].(*any); h["a"] != int64(5) || got != int64(5) {
		t.Errorf("%v; want 5 and a pointer to 5", h)
	}
}

func TestCyclesAreRefusedUnlessAllowed(t *testing.T) {
	for perl, frozen := range map[string]string{
		`my $a = []; push @$a, $a`:          "050b0200000001040000000000",
		`my $x; $x = \$x`:                   "050b040000000000",
		`$h->{p} = $h; weaken $h->{p}`:      "050b03000000011b00000000000000000170",
		`bless [..., itself], "Foo"`:        "050b1103466f6f0200000001040000000000",
		`my $a = [1, {up => $a}, $a->[1]]`:  "050b02000000030881040300000001040000000000000000027570040000000003",
		`bless \my $x, "Foo"; $x = \$x, []`: "050b1103466f6f040000000000",
		`[\my $x], $x = [\$x]`:              "050b020000000104040200000001040000000002",
	} {
		if v, err := storable.Unmarshal(unhex(t, frozen)); !errors.Is(err, storable.ErrCycle) {
			t.Errorf("%s: Unmarshal = %T, %v; want ErrCycle", perl, v, err)
		}
		v, err := storable.Config{Cycles: true}.Unmarshal(unhex(t, frozen))
		if err != nil {
			t.Errorf("%s: with Cycles: %v", perl, err)
			continue
		}
		got, err := storable.Marshal(v)
		want := unhex(t, frozen)
		if frozen[14:16] == "1b" {
			want[7] = 4 // the weak reference is a usual one
		}
		if err != nil || string(got) != string(want) {
			t.Errorf("%s: written again it is %x, %v; want %x", perl, got, err, want)
		}
	}
	v := unmarshal[[]any](t, storable.Config{Cycles: true}, "050b0200000001040000000000")
	if inner := v[0].([]any); &inner[0] != &v[0] {
		t.Error("the list does not contain itself")
	}
}

func TestOneMapInTwoClassesIsTwoObjects(t *testing.T) {
	m := map[string]any{}
	frozen, err := storable.Marshal([]any{m, storable.Blessed{Class: "A", Value: m}, storable.Blessed{Class: "A", Value: m}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := storable.Unmarshal(frozen)
	if err != nil || canonOf(got) != "[{},A={},A={}]" {
		t.Errorf("read back %#v, %v", got, err)
	}
}

func TestManyClasses(t *testing.T) {
	objects := manyClasses(300)
	frozen, err := storable.Marshal(objects)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := storable.Unmarshal(frozen); err != nil || !reflect.DeepEqual(got, any(objects)) {
		t.Errorf("read back %v, %v", got, err)
	}
}
