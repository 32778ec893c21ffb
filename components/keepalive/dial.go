package keepalive

import (
	"errors"
	"maps"
	"net"
	"net/netip"
	"slices"

	"github.com/usher-go/usher/kernel"
)

// dialer opens the pool's connections: it looks names up, connects and shakes
// hands. Everything it knows belongs to the pool's turns; what networks, resolvers
// and clocks have to say comes there through the inlet.
type dialer struct {
	inlet
	k       *kernel.Kernel
	network kernel.Network
	cfg     *Config
	dials   map[connID]*dialing
	lookups map[string]*lookup // under way, by host
}

// newDialer belongs in a handler of the pool's session, with which it ends.
func newDialer(c *kernel.Context, cfg *Config) *dialer {
	k := c.Kernel()
	d := &dialer{k: k, network: k.Network(), cfg: cfg, dials: map[connID]*dialing{}, lookups: map[string]*lookup{}}
	d.src = c.NewSource("keepalive", d.turn, d.stop)
	return d
}

// dialing is one connection on its way, through the stages "resolve", "connect"
// and, for https, "sslify".
type dialing struct {
	*dialer
	id    connID
	key   Key
	stage string
	quit  func()      // ends the stage early; what becomes of it comes in a turn all the same
	limit func() bool // stops the stage's time limit
	over  bool        // its end has come or is on the way
	why   error       // the time limit that passed
	outcome
}

// outcome is what became of a dial: a connection, or the step that failed.
type outcome struct {
	conn     net.Conn
	function string
	err      error
}

// dial begins a connection. Its end is one evDialed, in a later turn.
func (d *dialer) dial(a dial) {
	n := &dialing{dialer: d, id: a.conn, key: a.key}
	d.dials[n.id] = n
	d.src.Watch(true)
	switch addr, err := netip.ParseAddr(n.key.Addr); {
	case n.key.isPath():
		n.connect("unix", n.key.Addr)
	case err == nil: // A46, A47
		n.resolved([]netip.Addr{addr})
	default:
		n.resolve()
	}
}

// abort ends an attempt early. It ends only when nothing is left that may hold a
// descriptor.
func (d *dialer) abort(id connID) {
	if n := d.dials[id]; n != nil {
		n.giveUp()
	}
}

// stop is called when the pool ends: a connection that comes yet is closed.
func (d *dialer) stop() {
	d.close()
	for _, id := range slices.Sorted(maps.Keys(d.dials)) {
		n := d.dials[id]
		n.limit()
		n.giveUp()
	}
}

var errAborted = errors.New("given up")

// soon ends the attempt in a turn to come: for where the table is being asked.
func (n *dialing) soon(err error) {
	n.put(word{take: func(c *kernel.Context) { n.end(c, outcome{err: err}) }})
}

// end tells the pool. A time limit that passed is the reason of what it led to.
func (n *dialing) end(c *kernel.Context, o outcome) {
	n.limit()
	n.over = true
	delete(n.dials, n.id)
	if o.err != nil {
		if o.function == "" {
			o.function = n.stage
		}
		if n.why != nil {
			o.function, o.err = n.stage, n.why
		}
	}
	n.outcome = o
	n.src.Deliver(c, evDialed.Name(), n)
	if conn := n.take().conn; conn != nil { // the pool is about to end
		hangUp(conn)
	}
	n.watch()
}

// take returns the outcome once.
func (n *dialing) take() outcome {
	o := n.outcome
	n.outcome = outcome{}
	return o
}

// watch keeps the pool's session while anything is being opened.
func (d *dialer) watch() {
	if !d.src.Closed() {
		d.src.Watch(len(d.dials) > 0)
	}
}
