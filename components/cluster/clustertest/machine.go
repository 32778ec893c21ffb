package clustertest

import (
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/usher-go/usher/components/cluster"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
)

// Machine is a computer with one process on it: a kernel, and a Transport for the
// node that joins with that kernel. Its methods are for where nothing runs, and for
// functions given to At.
type Machine struct {
	w    *World
	name string
	opts []kerneltest.Option

	clock  clock
	paused bool
	boots  uint64
	lives  []*life // the last one may be running
}

// life is a machine from one start to its crash.
type life struct {
	m         *Machine
	kernel    *kernel.Kernel
	transport *transport
	waits     int // how many of its calls are on the stack: nothing of its kernel runs
	over      atomic.Bool
}

// Name is that given to World.Node.
func (m *Machine) Name() string { return m.name }

// Address is where the machine's Transport receives, known before it does.
func (m *Machine) Address() string { return m.name + ":7000" }

// Kernel is that of the machine's last start. It is driven by the world: tests spawn
// on it, post and call, and leave Run, Step, Advance and Skip alone.
func (m *Machine) Kernel() *kernel.Kernel { return m.last().kernel }

// Transport is a cluster.Driver for a node on this machine's kernel: always the same
// one until that is closed, or the machine is started again; then a new one.
func (m *Machine) Transport() cluster.Transport {
	l := m.last()
	if l.transport == nil || l.transport.closed && !l.over.Load() {
		l.transport = newTransport(l)
	}
	return l.transport
}

func (m *Machine) last() *life { return m.lives[len(m.lives)-1] }

// up reports whether the machine does anything.
func (m *Machine) up() bool { return !m.paused && !m.last().over.Load() }

func (m *Machine) boot() {
	m.boots++
	m.paused = false
	l := &life{m: m}
	cfg := kerneltest.Strict(named{m.w.t, m.name}, m.opts...)
	cfg.Mode, cfg.Seed, cfg.Network = kernel.Simulated, m.w.derive(m.name, m.boots), m.w.net.On(m.name)
	if report := cfg.Observer.Reported; report != nil {
		// The garbage collector finds what a crashed kernel has left, and that is no news.
		cfg.Observer.Reported = func(component, cause string, err error) {
			if !l.over.Load() {
				report(component, cause, err)
			}
		}
	}
	cfg.Observer = kernel.Observers(cfg.Observer, &kernel.Observer{
		Stopped: func(kernel.Address) { m.w.did++ }, // by a Step that may find no event
	})
	l.kernel = kernel.New(cfg)
	m.lives = append(m.lives, l)
	m.setClock()
}

func (m *Machine) setClock() {
	m.last().kernel.Skip(kerneltest.Epoch.Add(m.clock.read(m.w.now)))
}

// Crash ends the machine's process without a word, as kill -9 does: no handler runs
// any more, and peers find its connections reset, if the network lets them. A call
// that a handler of it waits in gets ErrCrashed; what that handler does then reaches
// nobody. Restart starts it again.
func (m *Machine) Crash() {
	l := m.last()
	if l.over.Swap(true) {
		return
	}
	if l.transport != nil {
		l.transport.vanish()
	}
	m.w.net.Crash(m.name)
}

// Restart is Crash, if need be, and a new process at once, with the same address: an
// empty kernel, for the test to spawn on and to join with. The machine's clock goes
// on; a pause is over.
func (m *Machine) Restart() {
	m.Crash()
	m.boot()
}

// Pause stops the machine's process, as SIGSTOP does: neither its kernel nor its
// Transport does anything. Its clock goes on, and so does its system: what arrives
// is taken until its buffers are full.
func (m *Machine) Pause() { m.paused = true }

// Resume ends Pause: all that has become due meanwhile comes at once, late.
func (m *Machine) Resume() { m.paused = false }

// Skew sets the machine's clock so much ahead of the world's, or behind. What becomes
// due by a step forward comes at once, late; a clock never goes back, and stands still
// instead until the time that it shows has come.
func (m *Machine) Skew(d time.Duration) {
	m.clock.from, m.clock.said = m.w.now, m.w.now+d
	m.setClock()
}

// Drift has the machine's clock run faster than the world's from now on, by so many
// millionths, or slower, if negative: 10_000 is one per cent. The most is half.
func (m *Machine) Drift(ppm int) {
	if ppm < -million/2 || ppm > million/2 {
		panic(fmt.Sprintf("clustertest: Drift(%d) of %s; want millionths, from -500_000 to 500_000", ppm, m.name))
	}
	m.clock = clock{from: m.w.now, said: m.clock.read(m.w.now), ppm: int64(ppm)}
}

// end looks for what is left when the test is over.
func (m *Machine) end() {
	m.w.t.Helper()
	if l := m.last(); !l.over.Load() {
		if l.transport != nil {
			_ = l.transport.Close()
		}
		if len(l.kernel.Sessions()) > 0 {
			m.w.net.Crash(m.name)
		}
	}
	if m.w.cfg.AllowGoroutines {
		return
	}
	for _, l := range m.lives {
		for _, g := range remaining(l.kernel) {
			m.w.t.Errorf("%s: still running at the end of the test: %s", m.name, g)
		}
	}
}

// remaining waits up to 2 s, of the system's time, for goroutines that are about to
// end, and returns the others.
func remaining(k *kernel.Kernel) []string {
	late := time.After(2 * time.Second)
	for pause := time.Millisecond; ; pause *= 2 {
		list := k.Goroutines()
		if len(list) == 0 {
			return nil
		}
		select {
		case <-late:
			return slices.Clip(list)
		case <-time.After(pause):
		}
	}
}

// named is a test for one machine: its errors say which.
type named struct {
	testing.TB
	machine string
}

func (n named) Error(args ...any) {
	n.Helper()
	n.TB.Error(append([]any{n.machine + ":"}, args...)...)
}
