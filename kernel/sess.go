package kernel

import (
	"sync"
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// session is the kernel's side of a session: one object that is the session,
// its Proto.Actor mailbox and its Proto.Actor actor.
//
// Fields are grouped by who may touch them: "token" means the holder of the
// session's run token; "tree", "timers" mean the kernel's lock of that name.
type session struct {
	// Read by everyone, written once or seldom.
	k       *Kernel
	recv    Receiver
	id      uint64
	addr    Address
	gen     atomic.Uint32  // moves when an address of the session stops naming it
	killed  atomic.Bool    // stopped by force: what it sent and is still queued is void (K34)
	strange *atomic.Uint64 // of a sender on another node, which has no life here: what was handled
	limit   int32          // QueueLimit, 0 for none
	queued  atomic.Int32   // events queued, counted only under a limit

	// Read with every post and every event, written only when something changes. A
	// line of the processor's cache apart from the inbox, whose lock moves between
	// the cores with every post: Proto.Actor's fields are here to fill it.
	state   atomic.Uint64 // see token.go
	acked   atomic.Uint64 // events this session sent that were handled or dropped
	holds   atomic.Int64  // timers, watches, leases, aliases, children, processes, its creator
	pid     *actor.PID
	invoker actor.MessageInvoker
	actx    actor.Context

	// Written by posters: a line of its own.
	mu    sync.Mutex // guards the next four
	in    queue[event]
	front []event // kernel jobs and system messages, ahead of events
	dead  bool    // takes nothing any more
	gone  bool    // Proto.Actor let it go, too

	// token
	out        queue[event]
	sent       uint64       // events this session sent to others
	supervised *supervision // nil: failures are DIE
	marked     bool         // serial: waits for the sweep
	stopping   bool         // _stop was decided: no event is dispatched any more
	inStop     bool         // _stop is running: what it posts is void (K32)
	ended      bool         // _stop is over: no other handler comes after it, but for calls (K30)
	ending     bool         // end has begun
	starting   bool         // _start is running
	watches    bool         // Sig was used
	wantStop   bool         // it ends when no handler of it is on the stack any more
	mute       bool         // serial: wantStop, or a verdict: no event is dispatched any more
	announced  bool         // the parent heard of its creation
	depth      int32        // handlers of this session on the stack
	routes     *routes
	pending    int                 // serial: events queued for it …
	inbox      atomic.Int32        // … and those in the loop's inbox, which anybody may add to
	asked      stop                // with wantStop: why
	last       uint64              // with an observer: the event it handled last
	watched    map[watchKey]*watch // SelectRead, SelectWrite
	sources    *Source             // wheels; others read the list under mu
	states     map[string]Handler
	onEnd      []func(*chain) // called when the session has ended

	children int32         // processes watched; guarded by processes.mu
	debug    *sessionDebug // nil without Config.Debug

	// tree
	mourned                  bool // its end is being told: it changes its parent no more
	unlinked                 bool // it ended; parent stays
	parent                   *session
	firstChild, lastChild    *session
	prevSibling, nextSibling *session

	timers  int32    // timers: head of its list, as index+1
	aliases []string // directory.aliasMu

	doomed   bool          // a stop is decided; guarded by mu
	done     chan struct{} // closed then; made on first use, guarded by mu
	monitors []monitor     // guarded by mu
}

func addr(s *session) Address {
	if s == nil {
		return ""
	}
	return s.addr
}

// hold keeps the session from being collected. What holds it is for observers.
func (s *session) hold(kind HoldKind, detail string) {
	s.holds.Add(1)
	s.k.obs.held(s, kind, detail, true)
}

// unhold drops a hold. It may be called from anywhere; the last one has the
// session looked at by whoever gets its token next. Observers hear of it before:
// right after, the session may be gone.
func (s *session) unhold(kind HoldKind, detail string) {
	s.k.obs.held(s, kind, detail, false)
	if s.holds.Add(-1) == 0 {
		s.k.nudge(s)
	}
}

// letGo is unhold in the session's own turn, which ends with a look.
func (s *session) letGo(kind HoldKind, detail string) {
	s.k.obs.held(s, kind, detail, false)
	s.holds.Add(-1)
}

// doneChan returns the channel that closes when a stop is decided.
func (s *session) doneChan() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.done == nil {
		s.done = make(chan struct{})
		if s.doomed {
			close(s.done)
		}
	}
	return s.done
}
