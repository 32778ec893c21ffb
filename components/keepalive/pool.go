package keepalive

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// Pool lends connections to the sessions of one kernel. Its methods may be
// called from any goroutine, but for Allocate, which answers the session that
// calls it.
type Pool struct {
	k     *kernel.Kernel
	addr  kernel.Address
	alias string
	cfg   Config

	keeper *keeper // at the counter
}

// Request asks for one connection.
type Request struct {
	Scheme string // free-form; "https" asks for TLS
	Addr   string // host name, address literal or path, see Key
	Port   int

	// Event is posted to the requesting session, once, with the Response.
	Event kernel.Event[Response]

	Context any           // handed back as it is
	Timeout time.Duration // as Config.Timeout; 0 means the pool's

	ForScheme string // the final target behind a proxy, see Key
	ForAddr   string
	ForPort   int

	Use string // who else can use the connection afterwards, see Key

	// Fresh asks for a connection that nobody has used: for who repeats what was
	// lost on one that died when it was used again. Idle ones stay for others, or
	// make room for it.
	Fresh bool
}

func (r *Request) key() Key {
	return Key{r.Scheme, r.Addr, r.Port, r.ForScheme, r.ForAddr, r.ForPort, r.Use}
}

// Response answers a Request: with Conn, or with Err and the failing Function.
type Response struct {
	ID      RequestID
	Scheme  string
	Addr    string
	Port    int
	Context any

	ForScheme string
	ForAddr   string
	ForPort   int

	Conn      *Conn  // nil when the request failed
	FromCache string // "", "immediate" or "deferred" (A38)

	Function string // the step that failed, as in Error
	Err      error  // an *Error; see there for its cause, which may be a net.DNSError or a syscall.Errno
}

var (
	lastRequest atomic.Uint64 // IDs are unique in the process (A29)
	lastPool    atomic.Uint64
)

// New starts a pool: a session of its own, with an alias that keeps it until
// Shutdown or until nothing else in the kernel is active (A15, K44). A bad
// Config is an ErrArgument that names the field.
func New(k *kernel.Kernel, cfg Config) (*Pool, error) {
	if k == nil {
		return nil, fmt.Errorf("%w: New's first argument is nil; want a *kernel.Kernel", ErrArgument)
	}
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	p := &Pool{k: k, cfg: cfg, alias: fmt.Sprintf("keepalive-%d", lastPool.Add(1))}
	p.keeper = newKeeper(p)
	p.addr, err = k.Spawn(turns{session.New(p.keeper.states()...), p.keeper.counter}, kernel.Alias(p.alias))
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Allocate asks for a connection on behalf of the current session, which is
// kept until its answer is posted (A32). The answer is always an event, also
// when a connection is at hand (A27), and comes exactly once (A45). The ID is
// for Deallocate. Errors: ErrArgument names what is missing, ErrShutDown says
// that the pool has ended.
func (p *Pool) Allocate(c *kernel.Context, req Request) (RequestID, error) {
	o, err := p.order(&req)
	if err == nil && req.Event == "" {
		err = fmt.Errorf("%w: Request.Event is empty; want the event that is to bring the Response", ErrArgument)
	}
	if err != nil {
		return 0, err
	}
	if c.Kernel() != p.k {
		return 0, fmt.Errorf("%w: Allocate by a session of another kernel; make a pool for each", ErrArgument)
	}
	o.who, o.event, o.context = c.Self(), req.Event, req.Context
	_, err = evAllocate.Call(c, p.addr, o)
	if o.first {
		p.keeper.ward(c)
	}
	if err != nil {
		return 0, ended(err)
	}
	if o.waiting {
		o.hold(c)
	}
	return o.id, nil
}

// order checks req and gives it an ID.
func (p *Pool) order(req *Request) (*order, error) {
	key, err := req.key().complete()
	if err != nil {
		return nil, err
	}
	timeout, err := limit("Request.Timeout", req.Timeout, p.cfg.Timeout)
	if err != nil {
		return nil, err
	}
	if key.Scheme == "https" && p.k.Mode() == kernel.Simulated { // A76
		return nil, fmt.Errorf("%w: Scheme is https, and TLS needs goroutines that a simulated kernel would not see; use another scheme there", ErrArgument)
	}
	o := &order{id: RequestID(lastRequest.Add(1)), key: key, timeout: timeout, fresh: req.Fresh}
	if p.cfg.LeakAfter > 0 || p.k.Debug() {
		o.site = here()
	}
	return o, nil
}

// Deallocate cancels a request in any state; no answer comes after it (A99,
// A101). A connection whose answer was posted but not looked at goes back to the
// pool, and its Conn is void (A103). ErrNoRequest: it is unknown, was cancelled
// before, or its connection is in use.
func (p *Pool) Deallocate(id RequestID) error {
	_, err := p.k.Call(background, p.addr, evCancel.Name(), id)
	return ended(err)
}

// Free is conn.Release under POE's name, with POE's answers (A88): nil and a connection of
// another pool are ErrNotLent, too, and once the pool is shut down it is nil whatever conn
// is.
func (p *Pool) Free(conn *Conn) error {
	var err error
	switch {
	case conn == nil:
		err = fmt.Errorf("keepalive: no connection: %w", ErrNotLent)
	case conn.l.pool != p:
		err = conn.l.notLent()
	default:
		err = conn.Release()
	}
	if err != nil && p.keeper.isShut() {
		return nil
	}
	return err
}

// Shutdown ends the pool: pending requests are answered with ErrShutDown, idle
// connections closed; those in use work on and are closed when they are
// released (A104–A108). Later Allocates fail. It may be called more than once. All of that
// is done when it returns, unless a kernel.Config.CallTimeout ran out: then it is to come.
func (p *Pool) Shutdown() {
	if _, err := p.k.Call(background, p.addr, evShutdown.Name()); errors.Is(err, kernel.ErrTimeout) {
		_ = evShutdown.PostFrom(p.k, p.addr, struct{}{}) // a pool that ended does not care
	}
}

// Stats says what the pool holds and has seen; see also WatchStats. ErrShutDown
// when the pool has ended.
func (p *Pool) Stats() (Stats, error) {
	v, err := p.k.Call(background, p.addr, evStats.Name())
	if err != nil {
		return Stats{}, ended(err)
	}
	return v.(Stats), nil
}

// ended says in the pool's words that its session is no more (A16).
func ended(err error) error {
	if errors.Is(err, kernel.ErrNoSession) || errors.Is(err, kernel.ErrStopped) {
		return ErrShutDown
	}
	return err
}
