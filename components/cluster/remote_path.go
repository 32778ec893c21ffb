package cluster

import (
	"math/rand/v2"
	"sync"
	"time"
)

// remotePath is what there is to one address: nothing, or a run, which connects or is
// connected, or a rest after a failure.
type remotePath struct {
	t       *remoteTransport
	address string

	mu       sync.Mutex
	run      *remoteRun
	rest     *time.Timer // when set it rests
	lost     bool        // a packet, while it rested
	failures int         // in a row
	gone     bool        // out of the transport's table

	news    []func() // for the Carrier, in order
	telling bool
}

// Rests grow from the one to the other, each by chance up to half shorter.
const (
	remoteRestMin = 100 * time.Millisecond
	remoteRestMax = 2 * time.Second
)

// send reports false when the path has been forgotten: there may be a new one.
func (p *remotePath) send(item remoteItem) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.gone:
		return false
	case p.rest != nil:
		p.lost = true
		return true
	case p.run == nil:
		p.run = newRemoteRun(p)
		p.t.runs.Add(1)
		go p.run.run()
	}
	p.run.push(item)
	return true
}

// wake is drop for a path that rests.
func (p *remotePath) wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.rest != nil {
		p.end()
	}
}

// drop ends what there is without a word to the Carrier.
func (p *remotePath) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end()
}

func (p *remotePath) end() {
	if p.rest != nil {
		p.rest.Stop()
	}
	if p.run != nil {
		p.run.cancel(errDropped)
	}
	p.run, p.gone = nil, true
	p.t.forget(p)
}

// finish is drop for a run that may send what it has.
func (p *remotePath) finish() {
	p.mu.Lock()
	run := p.run
	p.mu.Unlock()
	if run == nil || !run.finish() {
		p.drop()
	}
}

// lose is for a run that does not send a packet.
func (p *remotePath) lose(err error) {
	p.mu.Lock()
	defer p.tell()
	p.broken(err)
}

// connected is for a run whose peer has answered.
func (p *remotePath) connected(r *remoteRun) {
	p.mu.Lock()
	defer p.tell()
	if p.run == r {
		p.failures = 0
		p.news = append(p.news, func() { p.t.carrier.Connected(p.address) })
	}
}

// ended is for a run that has. From here to the end of the rest packets are thrown
// away, and the Carrier is told once more if there were any: it hears of every loss.
func (p *remotePath) ended(r *remoteRun, err error) {
	p.mu.Lock()
	defer p.tell()
	if p.run != r {
		return // dropped
	}
	p.run = nil
	p.broken(err)
	longest := min(remoteRestMin<<p.failures, remoteRestMax)
	if longest < remoteRestMax {
		p.failures++
	}
	p.rest = time.AfterFunc(longest/2+rand.N(longest/2), func() { p.rested(err) })
}

func (p *remotePath) rested(err error) {
	p.mu.Lock()
	defer p.tell()
	p.rest = nil
	if p.lost && !p.gone {
		p.broken(err)
	}
	p.lost = false
}

func (p *remotePath) broken(err error) {
	p.news = append(p.news, func() { p.t.carrier.Broken(p.address, err) })
}

// tell gives the Carrier the news, without the lock, and unlocks. Whoever comes
// meanwhile leaves its own to the one that tells already.
func (p *remotePath) tell() {
	defer p.mu.Unlock()
	if p.telling {
		return
	}
	p.telling = true
	for len(p.news) > 0 {
		next := p.news[0]
		p.news = p.news[1:]
		p.mu.Unlock()
		if p.t.gate.enter() {
			next()
			p.t.gate.leave()
		}
		p.mu.Lock()
	}
	p.telling = false
}
