package keepalive

import (
	"context"
	"net"
	"slices"

	"github.com/usher-go/usher/kernel"
)

// Resolver looks names up for one pool. A *net.Resolver is one.
type Resolver interface {
	// LookupIPAddr returns the addresses of host, the preferred ones first. It
	// must return when ctx ends. Calls may overlap.
	LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error)
}

var _ Resolver = (*net.Resolver)(nil)

// lookup is one question for the addresses of a host, and all who wait for the
// answer (A48).
type lookup struct {
	*dialer
	host    string
	waiting []*dialing
	cancel  func()
}

// join has n wait for the lookup of host that is under way, or for a new one: what
// was answered before is not remembered (A55).
func (d *dialer) join(host string, n *dialing) *lookup {
	l := d.lookups[host]
	if l == nil {
		l = &lookup{dialer: d, host: host}
		d.lookups[host] = l
		l.cancel = d.ask(host, l.answered)
	}
	l.waiting = append(l.waiting, n)
	return l
}

// leave is for one that does not wait any longer. The last one ends the lookup
// (A53, A54).
func (l *lookup) leave(n *dialing) {
	i := slices.Index(l.waiting, n)
	if i < 0 {
		return
	}
	if l.waiting = slices.Delete(l.waiting, i, i+1); len(l.waiting) == 0 {
		l.end()
		l.cancel()
	}
}

// end has those who come now ask again.
func (l *lookup) end() {
	if l.lookups[l.host] == l {
		delete(l.lookups, l.host)
	}
}

// answered tells everybody (A51). A lookup that was given up has nobody to tell
// (A52).
func (l *lookup) answered(c *kernel.Context, addrs []net.IPAddr, err error) {
	l.end()
	waiting := l.waiting
	l.waiting = nil
	for _, n := range waiting {
		n.answered(c, addrs, err)
	}
}

// ask looks a host up. done is called in a turn, at most once, and perhaps even
// after cancel.
func (d *dialer) ask(host string, done func(*kernel.Context, []net.IPAddr, error)) (cancel func()) {
	ctx, stop := context.WithCancel(background)
	answer := func(addrs []net.IPAddr, err error) {
		stop()
		d.put(word{take: func(c *kernel.Context) { done(c, addrs, err) }})
	}
	look := d.network.Lookup
	if r := d.cfg.Resolver; r != nil {
		look = r.LookupIPAddr
	} else if async, ok := d.network.(kernel.AsyncNetwork); ok {
		cancel := async.LookupAsync(ctx, host, answer)
		return func() {
			cancel()
			stop()
		}
	}
	if d.k.Mode() == kernel.Simulated && d.cfg.Resolver != nil {
		answer(look(ctx, host)) // no goroutine may hide from the virtual clock
	} else {
		go func() { answer(look(ctx, host)) }()
	}
	return stop
}
