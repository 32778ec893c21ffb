package wheeltest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/usher-go/usher/kernel"
)

// Config says how a Network behaves. The zero value is a network without faults
// that takes no time.
type Config struct {
	// Seed decides everything that is left to chance.
	Seed uint64

	// Link is what lies between two hosts, and between a host and itself,
	// unless Between says otherwise.
	Link

	// Buffer is how many bytes of one direction of a stream may be sent and not
	// yet read: then the writer waits. Also how many bytes of datagrams wait at
	// their receiver. Default 64 KiB.
	Buffer int

	// Segment is how many bytes of a stream travel, and arrive, together at
	// most. Default 1460, as with TCP on an Ethernet.
	Segment int

	// Backlog is how many connections wait at a listener to be accepted.
	// Default 128.
	Backlog int

	// LookupDelay is how long LookupAsync, and the lookup that is part of a
	// dial, takes. Default 0.
	LookupDelay time.Duration

	// Clock is a simulated kernel that keeps the network's time, for any number
	// of other simulated kernels: whoever makes them drives all of them, this one
	// among them, in step. Deadlines of connections are by this clock. Default
	// nil: the kernel that is made with the network keeps its time.
	Clock *kernel.Kernel

	// Trace is told what happens, one line each, in order; nil: nobody is. It
	// must call nothing of the network.
	Trace func(at time.Time, what string)
}

func (cfg *Config) fill() {
	for _, f := range []struct {
		name  string
		value *int
		deflt int
	}{{"Buffer", &cfg.Buffer, 64 << 10}, {"Segment", &cfg.Segment, 1460}, {"Backlog", &cfg.Backlog, 128}} {
		if *f.value < 0 {
			panic(fmt.Sprintf("wheeltest: Config.%s is %d; want 0 for %d, or more", f.name, *f.value, f.deflt))
		}
		if *f.value == 0 {
			*f.value = f.deflt
		}
	}
	if cfg.LookupDelay < 0 {
		panic(fmt.Sprintf("wheeltest: Config.LookupDelay is %v; want 0 or more", cfg.LookupDelay))
	}
	if k := cfg.Clock; k != nil && k.Mode() != kernel.Simulated {
		panic(fmt.Sprintf("wheeltest: Config.Clock is a kernel in %v mode; want a simulated one, or nil", k.Mode()))
	}
	cfg.Link.check("Config")
}

// Network is a network in memory. Its methods may be called from any goroutine,
// and take effect at once; what follows from them happens later, by the network's
// clock. With a simulated kernel they belong where that runs: in handlers, and
// where nothing runs.
//
// What is asked of the Network itself is asked from the host "localhost".
type Network struct {
	Host
	cfg Config

	mu      sync.Mutex
	calls   []func() // to be made when mu is free
	clock   clock
	kernel  *kernel.Kernel
	virtual bool
	agenda  agenda
	rand    *rand.Rand

	hosts   map[string]*host
	owners  map[ip]*host
	paths   map[route]*path
	ports   ports
	streams namespace[*Listener]
	packets namespace[*PacketConn]
	failing failures
	open    opened
	stats   Stats
}

var (
	_ kernel.AsyncNetwork   = (*Network)(nil)
	_ kernel.ClockedNetwork = (*Network)(nil)
)

// ErrWouldWait is matched by the error of a blocking call that would have to wait
// for a simulated network: only the goroutine that is asked to wait could move its
// time. Wheels use the methods that do not wait.
var ErrWouldWait = errors.New("would wait for virtual time; use the Try methods and Notify, or a kernel that is not simulated")

// New makes a network. It panics on a Config that can only be a mistake.
func New(cfg Config) *Network {
	cfg.fill()
	n := &Network{
		cfg:     cfg,
		clock:   systemClock{},
		rand:    rand.New(rand.NewPCG(cfg.Seed, 0)),
		hosts:   make(map[string]*host),
		owners:  make(map[ip]*host),
		paths:   make(map[route]*path),
		failing: newFailures(),
	}
	n.Host = Host{n, localhost}
	n.addLocalhost()
	n.ports.init()
	n.streams.init()
	n.packets.init()
	n.open.init(&n.mu)
	if cfg.Clock != nil {
		n.clock, n.virtual = cfg.Clock, true
	}
	return n
}

// Attach is called by kernel.New. From then on the network keeps the time of a
// simulated kernel, which has to be its only one, unless Config.Clock keeps it for
// several; others may share a network.
func (n *Network) Attach(k *kernel.Kernel) {
	virtual := k.Mode() == kernel.Simulated
	n.lock()
	defer n.unlock()
	switch {
	case n.cfg.Clock != nil && virtual:
	case n.cfg.Clock != nil:
		panic(fmt.Sprintf("wheeltest: a kernel in %v mode for a Network with a simulated Config.Clock; use Simulated, or a Network of its own", k.Mode()))
	case n.kernel != nil && (virtual || n.virtual):
		panic("wheeltest: a second kernel for a Network that keeps the time of a simulated one; give each simulated kernel a Network of its own, or the Network a Config.Clock")
	case virtual && len(n.agenda.events) > 0:
		panic("wheeltest: a Network that is in use gets a simulated kernel; make the kernel before the first connection")
	case virtual:
		n.clock, n.virtual = k, true
	}
	n.kernel = k
}

// After has f called after d, by the network's clock: for faults at a given time.
// f may use the network, and must not block.
func (n *Network) After(d time.Duration, f func()) {
	n.lock()
	defer n.unlock()
	n.after(d, func() { n.call(f) })
}

func (n *Network) lock() { n.mu.Lock() }

// unlock makes the calls that were gathered: nobody is called under the lock.
func (n *Network) unlock() {
	calls := n.calls
	n.calls = nil
	n.mu.Unlock()
	for _, f := range calls {
		f()
	}
}

func (n *Network) call(f func()) {
	if f != nil {
		n.calls = append(n.calls, f)
	}
}

// wait waits on a condition whose lock is the network's. Nobody waits with calls
// to make: what blocks makes none before.
func (n *Network) wait(c *sync.Cond) error {
	if n.virtual {
		return ErrWouldWait
	}
	c.Wait()
	return nil
}

// chance is true with probability p, and asks for no luck where there is no doubt.
func (n *Network) chance(p float64) bool { return p > 0 && n.rand.Float64() < p }

func (n *Network) trace(format string, args ...any) {
	if f := n.cfg.Trace; f != nil {
		at, what := n.clock.Now(), fmt.Sprintf(format, args...)
		n.call(func() { f(at, what) })
	}
}
