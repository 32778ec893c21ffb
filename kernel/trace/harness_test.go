package trace_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/trace"
)

var modes = []kernel.Mode{kernel.Parallel, kernel.Serial, kernel.Simulated}

var errBurnt = errors.New("burnt; cook less")

// table is the plainest receiver: an event's name to its handler.
type table map[string]kernel.Handler

func (t table) Receive(c *kernel.Context) error {
	if h := t[c.Event()]; h != nil {
		return h(c)
	}
	c.Unhandled()
	return nil
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// recorded makes a kernel with a recorder of n records.
func recorded(t testing.TB, m kernel.Mode, n int) (*kernel.Kernel, *trace.Recorder) {
	t.Helper()
	rec := trace.NewRecorder(n)
	return kernel.New(kernel.Config{Mode: m, Observer: rec.Observer()}), rec
}

func run(t testing.TB, k *kernel.Kernel) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := k.Run(ctx); err != nil {
		t.Errorf("Run: %v", err)
	}
}

// written is what one of a snapshot's writers wrote.
func written(t *testing.T, write func(*strings.Builder) error) string {
	t.Helper()
	var b strings.Builder
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// kitchen is a small program in virtual time with one of everything: a guest
// orders, is asked by call, waits, and goes; a cook burns the second dish.
func kitchen(k *kernel.Kernel) {
	_, err := k.Spawn(table{
		"_start": func(c *kernel.Context) error { c.Sig("DIE", "sorry"); return nil },
		"order": func(c *kernel.Context) error {
			_, err := c.Call(c.Sender(), "drinks?")
			c.DelayAdd("cooked", 20*time.Minute, c.Sender())
			return err
		},
		"cooked": func(c *kernel.Context) error {
			must(c.Post(c.Arg(0).(kernel.Address), "served"))
			return errBurnt
		},
		"sorry": func(c *kernel.Context) error { c.SigHandled(); return nil },
	}, kernel.Alias("kitchen"))
	must(err)
	_, err = k.Spawn(table{
		"_start": func(c *kernel.Context) error {
			c.Delay("too late", time.Hour)
			return c.Post("kitchen", "order")
		},
		"drinks?": func(c *kernel.Context) error { _ = c.Post("bar", "water"); c.Return("water"); return nil },
		"served": func(c *kernel.Context) error {
			c.AlarmClear("too late")
			c.Stop()
			return c.Yield("tip")
		},
	}, kernel.Alias("guest"), kernel.Alias("guest"))
	must(err)
}
