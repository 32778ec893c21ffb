package kernel

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// Mode is how a kernel runs its sessions. The same handlers run in all.
type Mode int

const (
	// Parallel uses all cores: handlers of different sessions overlap.
	Parallel Mode = iota
	// Serial is POE's own way: one event at a time, first in first out.
	Serial
	// Simulated is Serial with a seeded order and a clock that jumps to the next
	// timer when nothing else can happen.
	Simulated
)

func (m Mode) String() string {
	switch m {
	case Parallel:
		return "parallel"
	case Serial:
		return "serial"
	case Simulated:
		return "simulated"
	}
	return fmt.Sprintf("Mode(%d)", int(m))
}

// Config says how a kernel works. The zero value does.
type Config struct {
	Mode        Mode               // Parallel
	Workers     int                // Parallel: goroutines that run handlers; 0 means GOMAXPROCS
	Seed        uint64             // Simulated: chooses the order
	Observer    *Observer          // nil: warnings through slog
	Network     Network            // nil: the system's
	CallTimeout time.Duration      // how long a Call waits for a busy session; 0: for ever
	StopTimeout time.Duration      // how long Run waits for the next session's end once a stop is decided; 0: 10 s
	System      *actor.ActorSystem // nil: one shared by the process, silent

	// Debug has misuse panic, and what sessions hold remember where it was made:
	// see "Debug kernels" in the package's documentation. The default is false;
	// the build tag usherdebug sets it for all kernels, kerneltest for its own.
	Debug bool
}

// Receiver is what a session does with its events. session.New makes one from a
// table of handlers.
type Receiver interface {
	Receive(*Context) error
}

// Handler handles one event.
type Handler func(*Context) error

// WheelID names a wheel; IDs start at 1 and are unique in a process (W3).
type WheelID uint64

// Kernel delivers events to sessions. Make one with New.
type Kernel struct {
	cfg    Config
	system *actor.ActorSystem
	clock  clock
	start  time.Time
	root   *session
	par    *parallel // either par …
	loop   *loop     // … or loop is set

	dir     directory
	tree    tree
	timers  timers
	signals signals
	calls   calls
	leases  leases
	procs   processes
	idle    idle
	obs     observe
	debug   *debugging // nil without Config.Debug

	nextID     atomic.Uint64
	live       atomic.Int64 // sessions, until Proto.Actor let them go
	kept       atomic.Int64 // Hold
	held       heldOpen
	active     atomic.Int64 // leases, watches, processes, Hold: what IDLE waits for
	idleChains sync.Pool

	runMu     sync.Mutex
	running   atomic.Bool
	runs      atomic.Uint64 // how often Run was called
	cancelled atomic.Uint64 // the last of them whose context has ended
	fresh     []*session    // spawned before Run, held until then
	stopMu    sync.Mutex
	stopping  chan struct{} // closed when the stop of the whole kernel is decided

	errMu sync.Mutex
	err   error

	remote atomic.Pointer[Remote]

	describeMu sync.Mutex
	describes  map[string]func() any
}

// CallTimeout is what Config.CallTimeout says, for a Remote.
func (k *Kernel) CallTimeout() time.Duration { return k.cfg.CallTimeout }

// New makes a kernel. It panics on a Config that can only be a mistake.
func New(cfg Config) *Kernel {
	switch {
	case cfg.Mode < Parallel || cfg.Mode > Simulated:
		panic(fmt.Sprintf("kernel: Config.Mode is %d; want Parallel, Serial or Simulated", int(cfg.Mode)))
	case cfg.Workers < 0:
		panic(fmt.Sprintf("kernel: Config.Workers is %d; want 0 for GOMAXPROCS (%d), or more", cfg.Workers, runtime.GOMAXPROCS(0)))
	case cfg.CallTimeout < 0:
		panic(fmt.Sprintf("kernel: Config.CallTimeout is %v; want 0 for none, or more", cfg.CallTimeout))
	case cfg.StopTimeout < 0:
		panic(fmt.Sprintf("kernel: Config.StopTimeout is %v; want 0 for 10s, or more", cfg.StopTimeout))
	}
	if cfg.StopTimeout == 0 {
		cfg.StopTimeout = 10 * time.Second
	}
	if cfg.Network == nil {
		cfg.Network = systemNetwork{}
	}
	k := &Kernel{cfg: cfg, system: cfg.System, start: time.Now()}
	if k.system == nil {
		k.system = sharedSystem()
	}
	if cfg.Debug || alwaysDebug {
		k.debug = newDebug()
	}
	k.calls.k, k.timers.k = k, k
	k.timers.next.Store(never)
	k.obs.set(k, cfg.Observer)
	k.clock = realClock{k.start}
	if cfg.Mode == Simulated {
		k.start = epoch
		k.clock = &virtualClock{start: epoch}
	}
	k.stopping = make(chan struct{})
	k.root = &session{k: k, recv: ignore{}, debug: k.debug.session(k)}
	k.root.holds.Store(1)
	switch cfg.Mode {
	case Parallel:
		k.par = newParallel(k)
		k.timers.wake = make(chan struct{}, 1)
	case Serial:
		k.loop = newLoop(k)
	case Simulated:
		k.loop = newLoop(k)
		k.loop.order.seeded = newSeeded(cfg.Seed)
	}
	if n, ok := cfg.Network.(ClockedNetwork); ok {
		n.Attach(k)
	}
	return k
}

// ignore is the kernel as a receiver: it minds nothing (K94).
type ignore struct{}

func (ignore) Receive(*Context) error { return nil }

// Resolve returns the ID behind an address, if it names a session.
func (k *Kernel) Resolve(a Address) (Address, bool) {
	s := k.dir.find(a)
	return addr(s), s != nil
}

// PID returns the Proto.Actor PID of a session. What a plain actor sends there
// arrives as the event _message, with the message and its sender's PID.
func (k *Kernel) PID(a Address) (*actor.PID, bool) {
	s := k.dir.find(a)
	if s == nil {
		return nil, false
	}
	return s.pid, true
}

// Mode is how the kernel runs its sessions.
func (k *Kernel) Mode() Mode { return k.cfg.Mode }

// Debug reports whether misuse panics and places are noted, see Config.Debug: for
// components that can note theirs.
func (k *Kernel) Debug() bool { return k.debug != nil }

// Now is the kernel's time: virtual in simulated mode.
func (k *Kernel) Now() time.Time { return k.clock.now() }

// recheck has the idle test made again, because what kept the kernel went.
func (k *Kernel) recheck() {
	if k.loop != nil {
		k.loop.wakeUp()
		return
	}
	k.par.recheck()
}

// Signal queues a signal to a session and its descendants, or, when to is empty,
// to everyone (K123, K124). Handlers get the signal's name, args, and what they
// gave to Sig. An unhandled terminal signal (HUP, INT, QUIT, TERM, KILL, IDLE,
// DIE) stops everyone it reached.
func (k *Kernel) Signal(to Address, name string, args ...any) error {
	return k.obs.refuse(nil, "Signal", k.send(nil, to, name, args, 0))
}

func (k *Kernel) send(from *session, to Address, name string, args []any, cause uint64) error {
	s := k.root
	if to != "" {
		if s = k.dir.find(to); s == nil {
			return postError(to, name, args, ErrNoSession)
		}
	}
	if err := checkSignal(name); err != nil {
		return err
	}
	k.walk(&walk{k: k, name: name, args: append([]any(nil), args...), global: s == k.root, target: s, from: from, sender: cause}, nil)
	return nil
}

// Stop ends every session, children before parents, each with its _stop; then
// Run returns (K15). It does not wait.
func (k *Kernel) Stop() { k.signal(k.root, sigStop, nil, 0) }

// stopDecided starts the clock of Config.StopTimeout, and voids every Hold (K132).
func (k *Kernel) stopDecided() {
	k.stopMu.Lock()
	defer k.stopMu.Unlock()
	if !isClosed(k.stopping) {
		close(k.stopping)
	}
}

// stopped reports whether the stop of the whole kernel is decided.
func (k *Kernel) stopped() bool {
	k.stopMu.Lock()
	defer k.stopMu.Unlock()
	return isClosed(k.stopping)
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// Step handles one due event or timer in a serial or simulated kernel, and
// reports false when none is due. It never waits, and moves no clock. In a handler
// it runs others nested (K14); a stop of the handler's own session comes when the
// handler has returned. It panics in parallel mode, where there is nothing to step.
func (k *Kernel) Step() bool {
	if k.loop == nil {
		panic("kernel: Step in parallel mode; use Serial or Simulated")
	}
	k.loop.token.lock()
	defer k.loop.token.unlock()
	defer k.loop.ch.rest()
	k.releaseFresh()
	return k.loop.burst(1) == 1
}

// Describe offers a part's state under a name to status pages and inspectors; f
// is called from any goroutine. A nil f takes the name back.
func (k *Kernel) Describe(name string, f func() any) {
	k.describeMu.Lock()
	defer k.describeMu.Unlock()
	if k.describes == nil {
		k.describes = make(map[string]func() any)
	}
	if f == nil {
		delete(k.describes, name)
		return
	}
	k.describes[name] = f
}

// Descriptions calls every function given to Describe.
func (k *Kernel) Descriptions() map[string]any {
	k.describeMu.Lock()
	fs := make(map[string]func() any, len(k.describes))
	for n, f := range k.describes {
		fs[n] = f
	}
	k.describeMu.Unlock()
	out := make(map[string]any, len(fs))
	for n, f := range fs {
		out[n] = f()
	}
	return out
}
