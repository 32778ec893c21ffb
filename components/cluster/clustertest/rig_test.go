package clustertest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/components/cluster"
	"github.com/usher-go/usher/components/cluster/clustertest"
	"github.com/usher-go/usher/components/cluster/wire"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
)

const (
	ms  = time.Millisecond
	sec = time.Second
)

// toy is a Carrier that notes what it is told: numbered packets by their sender, and
// everything as lines with their times.
type toy struct {
	w     *clustertest.World
	m     *clustertest.Machine
	tr    cluster.Transport
	got   map[string][]uint64
	lines []string
	busy  bool // the transport must call nothing while it is
	hear  func(p *wire.Packet)
}

var _ cluster.Carrier = (*toy)(nil)

// join starts a toy on a machine.
func join(t testing.TB, w *clustertest.World, m *clustertest.Machine) *toy {
	t.Helper()
	c := &toy{w: w, m: m, tr: m.Transport(), got: make(map[string][]uint64), hear: func(*wire.Packet) {}}
	address, err := c.tr.Start(context.Background(), c)
	if err != nil || address != m.Address() {
		t.Fatalf("start at %q: %v, want %q", address, err, m.Address())
	}
	return c
}

func (c *toy) Receive(p *wire.Packet, from []string) {
	if !slices.Equal(from, []string{p.Node}) {
		c.note("%s says that it is %s", from, p.Node)
	}
	c.got[p.Node] = append(c.got[p.Node], p.First)
	c.note("%d from %s", p.First, p.Node)
	c.hear(p)
}

func (c *toy) Connected(address string)         { c.note("connected %s", address) }
func (c *toy) Broken(address string, err error) { c.note("broken %s", address); c.check(err) }
func (c *toy) Refused(peer string, err error)   { c.note("refused: %v", err) }

func (c *toy) check(err error) {
	if !errors.Is(err, clustertest.ErrLost) {
		c.note("with %v", err)
	}
}

func (c *toy) note(format string, args ...any) {
	if c.busy {
		c.lines = append(c.lines, "inside a handler:")
	}
	c.lines = append(c.lines, fmt.Sprintf("%v %s: ", c.w.Elapsed(), c.m.Name())+fmt.Sprintf(format, args...))
}

// told counts the lines that end so.
func (c *toy) told(what string) (n int) {
	for _, l := range c.lines {
		if strings.HasSuffix(l, what) {
			n++
		}
	}
	return n
}

// send sends a numbered packet.
func (c *toy) send(to *toy, n uint64) {
	c.tr.Send(to.m.Address(), &wire.Packet{Node: c.m.Name(), First: n})
}

// pair is two machines with toys.
func pair(t testing.TB, seed uint64, cfg ...clustertest.Config) (w *clustertest.World, a, b *toy) {
	w = clustertest.New(t, seed, cfg...)
	return w, join(t, w, w.Node("a")), join(t, w, w.Node("b"))
}

// seeds runs a test with a few.
func seeds(t *testing.T, f func(t *testing.T, seed uint64)) { kerneltest.Seeds(t, 8, f) }

func expect[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func wantList(t testing.TB, what string, got []uint64, want ...uint64) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// handlers is a session.
type handlers map[string]kernel.Handler

func (h handlers) Receive(c *kernel.Context) error {
	if f := h[c.Event()]; f != nil {
		return f(c)
	}
	if c.Event()[0] != '_' {
		c.Unhandled()
	}
	return nil
}

func spawn(t testing.TB, m *clustertest.Machine, h handlers, opts ...kernel.SpawnOption) {
	t.Helper()
	if _, err := m.Kernel().Spawn(h, opts...); err != nil {
		t.Fatal(err)
	}
}
