package wheeltest

import (
	"fmt"
	"time"
)

// Reset breaks the connection, as a box on its way could: both ends find it reset,
// and what was on its way is lost.
func (c *Conn) Reset() {
	c.n.lock()
	defer c.n.unlock()
	c.n.after(0, c.breakDown)
}

// Lose breaks the connection and tells nobody: nothing arrives any more. Writes
// go on until the window is full, and nothing else is noticed.
func (c *Conn) Lose() {
	c.n.lock()
	defer c.n.unlock()
	c.wire.lost = true
	c.n.trace("%v is lost", c)
}

// Stall has whatever would arrive during d, at either end, arrive after it.
func (c *Conn) Stall(d time.Duration) {
	c.n.lock()
	defer c.n.unlock()
	w := c.wire
	w.stalls++
	c.n.after(d, func() {
		if w.stalls--; w.stalls == 0 {
			resume(&w.held)
		}
	})
}

// FailDial has the next dials to an address, as they name it, fail with these
// errors, one each. A syscall.Errno comes wrapped as from connect(2).
func (n *Network) FailDial(address string, errs ...error) {
	n.lock()
	defer n.unlock()
	n.failing.dials.add(address, errs)
}

// FailLookup has the next lookups of a name fail with these errors, one each, be
// they part of a dial or not.
func (n *Network) FailLookup(name string, errs ...error) {
	n.lock()
	defer n.unlock()
	n.failing.lookups.add(canonical(name), errs)
}

// FailAccept is Listener.FailAccept for the listener at an address. It panics if
// there is none.
func (n *Network) FailAccept(address string, errs ...error) {
	n.lock()
	defer n.unlock()
	for _, l := range n.listeners() {
		if l.address.String() == address {
			l.failAccept(errs)
			return
		}
	}
	panic(fmt.Sprintf("wheeltest: FailAccept: nobody listens at %q; give the address as the listener's Addr has it", address))
}

// Conns returns the ends of connections that are open, oldest first: those that
// were dialled, accepted, or made by Pair.
func (n *Network) Conns() []*Conn {
	n.lock()
	defer n.unlock()
	return openOnes[*Conn](&n.open)
}

func (n *Network) listeners() []*Listener { return openOnes[*Listener](&n.open) }

// failures are errors to come, in order.
type failures struct{ dials, lookups scripted }

func newFailures() failures { return failures{make(scripted), make(scripted)} }

type scripted map[string][]error

func (s scripted) add(name string, errs []error) { s[name] = append(s[name], errs...) }

func (s scripted) next(name string) error {
	list := s[name]
	if len(list) == 0 {
		return nil
	}
	if s[name] = list[1:]; len(list) == 1 {
		delete(s, name)
	}
	return list[0]
}
