package kerneltest_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
)

var modes = []kernel.Mode{kernel.Parallel, kernel.Serial, kernel.Simulated}

// spawn is for sessions that are expected to start.
func spawn(t testing.TB, k *kernel.Kernel, r kernel.Receiver, opts ...kernel.SpawnOption) kernel.Address {
	t.Helper()
	a, err := k.Spawn(r, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A script answers calls and posts as its steps say, in every mode.
func TestScript_Plays(t *testing.T) {
	boom := errors.New("boom")
	for _, m := range modes {
		t.Run(m.String(), func(t *testing.T) {
			k := kerneltest.New(t, kerneltest.Mode(m))
			server := kerneltest.Script(t,
				kerneltest.Expect("line", "hello").Reply("line", "hello yourself", 1),
				kerneltest.Expect("size").Return(5),
				kerneltest.Expect("bad", kerneltest.Any).Fail(boom),
				kerneltest.Expect("more").Times(3).Post("client", "got").Then(func(c *kernel.Context) error {
					c.Return(c.Arg(0))
					return nil
				}),
				kerneltest.Expect("_stop"),
			)
			client := kerneltest.Script(t,
				kerneltest.Expect("_start").Post("server", "line", "hello"),
				kerneltest.Expect("line", "hello yourself", 1).Then(func(c *kernel.Context) error {
					if v, err := c.Call("server", "size"); v != 5 || err != nil {
						t.Errorf("size: %v %v", v, err)
					}
					if _, err := c.Call("server", "bad", 1); err != boom {
						t.Errorf("bad: %v", err)
					}
					for i := range 3 {
						if v, _ := c.Call("server", "more", i); v != i {
							t.Errorf("more: %v", v)
						}
					}
					return nil
				}),
				kerneltest.Expect("got").Times(3),
				kerneltest.Expect("_stop"),
			)
			spawn(t, k, server, kernel.Alias("server"))
			spawn(t, k, client, kernel.Alias("client"))
			kerneltest.Run(t, k)
		})
	}
}

// What matches an argument.
func TestExpect_Arguments(t *testing.T) {
	wrapped := fmt.Errorf("reading: %w", io.EOF)
	big := func(n int) bool { return n > 3 }
	isNil := func(err error) bool { return err == nil }
	for _, tc := range []struct {
		want, got []any
		ok        bool
	}{
		{nil, []any{1, 2}, true},
		{[]any{1, 2}, []any{1, 2}, true},
		{[]any{1}, []any{1, 2}, false},
		{[]any{1, 2}, []any{1}, false},
		{[]any{1}, nil, false},
		{[]any{1}, []any{int64(1)}, false},
		{[]any{[]string{"a"}}, []any{[]string{"a"}}, true},
		{[]any{[]string{"a"}}, []any{[]string{"b"}}, false},
		{[]any{nil}, []any{nil}, true},
		{[]any{nil}, []any{0}, false},
		{[]any{kerneltest.Any, 2}, []any{"x", 2}, true},
		{[]any{kerneltest.Any, 2}, []any{"x", 3}, false},
		{[]any{io.EOF}, []any{wrapped}, true},
		{[]any{wrapped}, []any{io.EOF}, false},
		{[]any{big}, []any{4}, true},
		{[]any{big}, []any{3}, false},
		{[]any{big}, []any{"4"}, false},
		{[]any{big}, []any{nil}, false},
		{[]any{isNil}, []any{nil}, true},
		{[]any{isNil}, []any{io.EOF}, false},
	} {
		r := &recorder{TB: t}
		k := kerneltest.New(t, kerneltest.AllowAlive())
		a := spawn(t, k, kerneltest.Script(r, kerneltest.Expect("x", tc.want...)))
		if _, err := k.Call(t.Context(), a, "x", tc.got...); err != nil {
			t.Fatal(err)
		}
		r.finish()
		if r.Failed() == tc.ok {
			t.Errorf("want %v, got %v: matches is %v; %v", tc.want, tc.got, !tc.ok, r.errors)
		}
	}
}

// A script that is not met fails the test once, and says what came, what did not
// fit, where that was expected, and what was left.
func TestScript_Fails(t *testing.T) {
	script := func(t testing.TB) kernel.Receiver {
		return kerneltest.Script(t,
			kerneltest.Expect("a"),
			kerneltest.Expect("b", 1, "x", kerneltest.Any, func(error) bool { return true }, int64(2)).Times(2),
			kerneltest.Expect("c"),
		)
	}
	left := `"b" 1 "x" any func(error) bool int64(2) 2 times (script_test.go:`
	for name, tc := range map[string]struct {
		posts []string
		want  []string
	}{
		"another event":  {[]string{"a", "c", "c", "c"}, []string{`script: session #1 got "c" from kernel, and step 2 of 3 is ` + left, "\n  came: \"a\"\n  left: \"b\"", `, "c" (script_test.go:`}},
		"from the start": {[]string{"c"}, []string{`got "c" from kernel, and step 1 of 3 is "a" (script_test.go:`, "\n  came: nothing\n  left: \"a\""}},
		"too short":      {[]string{"a"}, []string{`script: the test ended before step 2 of 3, ` + left, "\n  came: \"a\"\n  left: \"b\""}},
		"nothing at all": {nil, []string{"the test ended before step 1 of 3, \"a\" (script_test.go:", "came: nothing"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{TB: t}
			k := kerneltest.New(t)
			a := spawn(t, k, script(r))
			for _, event := range tc.posts {
				if err := k.Post(a, event); err != nil {
					t.Fatal(err)
				}
			}
			kerneltest.Run(t, k)
			r.finish()
			if len(r.errors) != 1 {
				t.Fatalf("errors: %q, want one", r.errors)
			}
			for _, want := range tc.want {
				if !strings.Contains(r.errors[0], want) {
					t.Errorf("%q is missing in:\n%s", want, r.errors[0])
				}
			}
		})
	}
}

// After its last step a script expects nothing more; a long story is shortened.
func TestScript_EndsWithItsLastStep(t *testing.T) {
	r := &recorder{TB: t}
	k := kerneltest.New(t)
	a := spawn(t, k, kerneltest.Script(r, kerneltest.Expect("x").Times(25)))
	for range 26 {
		if err := k.Post(a, "x"); err != nil {
			t.Fatal(err)
		}
	}
	kerneltest.Run(t, k)
	r.finish()
	if len(r.errors) != 1 || !strings.Contains(r.errors[0], "got \"x\" from kernel after the last step\n  came: 5 others, \"x\", ") || !strings.HasSuffix(r.errors[0], "left: nothing") {
		t.Errorf("errors: %q", r.errors)
	}
	defer func() {
		if s := fmt.Sprint(recover()); !strings.Contains(s, `kerneltest: "x" (script_test.go:`) || !strings.Contains(s, "has Times(0); want 1 or more") {
			t.Errorf("a step that never comes: %v", s)
		}
	}()
	kerneltest.Script(r, kerneltest.Expect("x").Times(0))
}

// One script for several sessions sees the order across them: here one that only
// some seeds have.
func TestScript_OfSeveralSessions(t *testing.T) {
	met := 0
	kerneltest.Seeds(t, 20, func(t *testing.T, seed uint64) {
		r := &recorder{TB: t}
		k := kerneltest.New(t, kerneltest.Seed(seed))
		both := kerneltest.Script(r, kerneltest.Expect("first"), kerneltest.Expect("second"))
		for i, event := range []string{"second", "first"} {
			a := spawn(t, k, both, kernel.Alias(fmt.Sprint(i)))
			spawn(t, k, handlers{"_start": func(c *kernel.Context) error { return c.Post(a, event) }})
		}
		kerneltest.Run(t, k)
		r.finish()
		if !r.Failed() {
			met++
		}
	})
	if met == 0 || met == 20 {
		t.Errorf("the order was met with %d of 20 seeds, want some", met)
	}
}
