package backend

import (
	"net"
	"time"
)

// penalties have whoever fails to authenticate wait, longer each time. It is
// plain data; the server's session has one.
type penalties struct {
	of map[string]*penalty
}

type penalty struct {
	failures int
	until    time.Time
}

const (
	firstPenalty = 250 * time.Millisecond // doubles with every failure
	maxPenalty   = 30 * time.Second
	penaltyLife  = 10 * time.Minute // then it is forgotten
	maxPenalties = 4096             // addresses that are remembered
)

func newPenalties() *penalties { return &penalties{map[string]*penalty{}} }

// left is how long an address has to wait still.
func (p *penalties) left(from string, now time.Time) time.Duration {
	if x := p.of[from]; x != nil {
		return max(0, x.until.Sub(now))
	}
	return 0
}

func (p *penalties) failed(from string, now time.Time) {
	x := p.of[from]
	if x == nil || now.Sub(x.until) > penaltyLife {
		p.makeRoom(now)
		x = &penalty{}
		p.of[from] = x
	}
	x.until = now.Add(min(maxPenalty, firstPenalty<<min(x.failures, 10)))
	x.failures++
}

func (p *penalties) succeeded(from string) { delete(p.of, from) }

// makeRoom forgets what is old, and if nothing is, the one that is over first.
func (p *penalties) makeRoom(now time.Time) {
	if len(p.of) < maxPenalties {
		return
	}
	first := ""
	for from, x := range p.of {
		if now.Sub(x.until) > penaltyLife {
			delete(p.of, from)
		} else if first == "" || x.until.Before(p.of[first].until) || x.until.Equal(p.of[first].until) && from < first {
			first = from
		}
	}
	if len(p.of) >= maxPenalties {
		delete(p.of, first)
	}
}

// source is what failures are counted by: an IPv4 address, an IPv6 network of 64
// bits, or all that use a unix socket.
func source(a net.Addr) string {
	if a == nil {
		return ""
	}
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.Network()
	}
	if ip := net.ParseIP(host); ip != nil && ip.To4() == nil {
		return ip.Mask(net.CIDRMask(64, 128)).String()
	}
	return host
}
