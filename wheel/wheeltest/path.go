package wheeltest

import (
	"fmt"
	"time"
)

// Link is what lies between two hosts, the same in both directions.
type Link struct {
	Delay  time.Duration // how long everything takes
	Jitter time.Duration // up to how much longer, by chance

	// Bandwidth is in bytes per second, in each direction, for all connections
	// between the two hosts together. 0: unlimited.
	Bandwidth int

	// Loss is the chance that a packet is lost. A datagram is gone; part of a
	// stream is sent again, and what follows it waits: 200 ms later or, if that
	// is more, after two round trips, and then twice as late each time, up to
	// eight times.
	Loss float64

	// Duplicate is the chance that a datagram arrives twice, Reorder that it is
	// held back, for Delay, Jitter and a millisecond, so that later ones pass.
	Duplicate, Reorder float64

	// Reset is the chance, for each segment of a stream that arrives, that its
	// connection is reset instead.
	Reset float64

	// Drop lets nothing arrive, and nobody is told: a black hole. What belongs
	// to streams arrives after another Between has ended it.
	Drop bool
}

func (l *Link) check(where string) {
	for _, c := range []struct {
		name string
		p    float64
	}{{"Loss", l.Loss}, {"Duplicate", l.Duplicate}, {"Reorder", l.Reorder}, {"Reset", l.Reset}} {
		if c.p < 0 || c.p > 1 {
			panic(fmt.Sprintf("wheeltest: %s.%s is %v; want a probability, from 0 to 1", where, c.name, c.p))
		}
	}
	if l.Delay < 0 || l.Jitter < 0 || l.Bandwidth < 0 {
		panic(fmt.Sprintf("wheeltest: %s has Delay %v, Jitter %v, Bandwidth %d; want 0 or more", where, l.Delay, l.Jitter, l.Bandwidth))
	}
}

// route is a direction between two hosts.
type route struct{ from, to string }

// path is what lies on a route.
type path struct {
	n    *Network
	unix bool  // loses nothing
	link *Link // nil: Config's
	cut  bool
	free time.Time // until when it is busy with what was sent
	held []packet  // what belongs to streams, and arrived while nothing could
}

// packet is on its way. do is what its arrival means.
type packet struct {
	p    *path
	wire *wire // of a connection
	size int
	sure bool // is sent again until it arrives
	do   func()
}

// wire is what the two directions of a connection share.
type wire struct {
	lost   bool
	stalls int
	held   []packet
}

// path returns what lies between two hosts.
func (n *Network) path(from, to string) *path {
	r := route{from, to}
	p := n.paths[r]
	if p == nil {
		p = &path{n: n, unix: from == unixHost}
		n.paths[r] = p
	}
	return p
}

func (p *path) rules() *Link {
	if p.link != nil {
		return p.link
	}
	return &p.n.cfg.Link
}

func (p *path) down() bool { return p.cut || p.rules().Drop }

// trip is how long a packet takes that need not queue.
func (p *path) trip() time.Duration {
	l := p.rules()
	d := l.Delay
	if l.Jitter > 0 {
		d += time.Duration(p.n.rand.Int64N(int64(l.Jitter) + 1))
	}
	return d
}

// depart is when the last of so many bytes has left, behind all that was sent before.
func (p *path) depart(size int) time.Time {
	if now := p.n.clock.Now(); p.free.Before(now) {
		p.free = now
	}
	if b := p.rules().Bandwidth; b > 0 {
		p.free = p.free.Add(time.Duration(int64(size) * int64(time.Second) / int64(b)))
	}
	return p.free
}

// send puts a packet on the path.
func (p *path) send(pk packet) {
	pk.p = p
	at := p.depart(pk.size).Add(p.trip())
	if pk.sure {
		at = at.Add(p.again())
	}
	p.n.at(at, pk.arrive)
}

// mostAgain bounds how often a part of a stream is lost.
const mostAgain = 8

// again is how much later something arrives that is sent again when it was lost.
func (p *path) again() (late time.Duration) {
	l := p.rules()
	wait := max(200*time.Millisecond, 4*l.Delay)
	for range mostAgain {
		if p.unix || !p.n.chance(l.Loss) {
			break
		}
		p.n.stats.Lost++
		late += wait
		wait *= 2
	}
	return late
}

func (pk packet) arrive() {
	switch w := pk.wire; {
	case w != nil && w.lost:
	case w != nil && w.stalls > 0:
		w.held = append(w.held, pk)
	case !pk.p.down():
		pk.do()
	case pk.sure:
		pk.p.held = append(pk.p.held, pk)
	default:
		pk.p.n.stats.Lost++
	}
}

// resume sends on what was held, in the order in which it came.
func resume(held *[]packet) {
	list := *held
	*held = nil
	for _, pk := range list {
		p := pk.p
		p.n.after(p.trip(), pk.arrive)
	}
}

func (p *path) change(f func(*path)) {
	f(p)
	if !p.down() {
		resume(&p.held)
	}
}

// Between sets what lies between two hosts, in both directions, from now on; a and
// b are names or addresses, and may be the same. What is on its way is not
// affected, but for a Link with Drop. Unix sockets are the host "unix".
func (n *Network) Between(a, b string, l Link) {
	l.check("Link")
	n.onPaths(a, b, func(p *path) { p.link = &l })
}

// Cut separates two hosts: nothing arrives from a at b or from b at a until Heal.
// Datagrams are lost, and so are the resets of connections; what else belongs to
// connections, new ones among them, is late.
func (n *Network) Cut(a, b string) { n.onPaths(a, b, func(p *path) { p.cut = true }) }

// CutOneWay is Cut for what goes from one host to another.
func (n *Network) CutOneWay(from, to string) {
	n.lock()
	defer n.unlock()
	n.path(n.hostNamed(from), n.hostNamed(to)).cut = true
}

// Heal ends Cut and CutOneWay, in both directions: what belongs to connections and
// had been stopped is sent on at once.
func (n *Network) Heal(a, b string) { n.onPaths(a, b, func(p *path) { p.cut = false }) }

func (n *Network) onPaths(a, b string, f func(*path)) {
	n.lock()
	defer n.unlock()
	a, b = n.hostNamed(a), n.hostNamed(b)
	n.path(a, b).change(f)
	if a != b {
		n.path(b, a).change(f)
	}
}
