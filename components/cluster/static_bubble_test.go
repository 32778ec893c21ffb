package cluster

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// staticPeer is a host whose methods are called from many goroutines, in a bubble.
type staticPeer struct {
	t     *testing.T
	name  string
	peers map[string]*staticPeer
	in    Membership

	mu     sync.Mutex
	left   bool
	owners map[int]Ownership
}

var _ Host = (*staticPeer)(nil)

func (p *staticPeer) check() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left {
		p.t.Errorf("%s: a call after Leave", p.name)
	}
}

func (p *staticPeer) Now() time.Time { p.check(); return time.Now() }

func (p *staticPeer) AfterFunc(d time.Duration, f func()) (stop func() bool) {
	p.check()
	return time.AfterFunc(d, f).Stop
}

func (p *staticPeer) Chance(n int64) int64 { return rand.Int64N(n) }

func (p *staticPeer) Send(node string, message []byte) error {
	p.check()
	to := p.peers[node]
	go to.in.Receive(p.name, message)
	return nil
}

func (p *staticPeer) Members([]Member) { p.check() }

func (p *staticPeer) Owner(o Ownership) {
	p.check()
	p.mu.Lock()
	defer p.mu.Unlock()
	if before := p.owners[o.Shard]; o.Epoch < before.Epoch {
		p.t.Errorf("%s: %+v after %+v", p.name, o, before)
	}
	p.owners[o.Shard] = o
}

func (p *staticPeer) Failed(err error) { p.t.Errorf("%s: %v", p.name, err) }

// Claims, releases, messages and timers from many goroutines at once, and Leave in the
// midst of them.
func TestStatic_ManyGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const shards = 16
		peers := map[string]*staticPeer{}
		for name := range staticThree {
			peers[name] = &staticPeer{t: t, name: name, peers: peers, owners: map[int]Ownership{}}
		}
		for name, p := range peers {
			in, err := staticThree.Join(t.Context(), Member{Name: name, Address: name + ":1", Epoch: 1}, p)
			if err != nil {
				t.Fatal(err)
			}
			p.in = in
		}
		all := func(do func(p *staticPeer, shard int)) {
			var wg sync.WaitGroup
			for _, p := range peers {
				for shard := range shards {
					wg.Go(func() { do(p, shard) })
				}
			}
			wg.Wait()
		}
		for range 20 {
			all(func(p *staticPeer, shard int) { p.in.Claim(shard) })
			time.Sleep(300 * time.Millisecond) // in the bubble's time
			all(func(p *staticPeer, shard int) {
				if rand.IntN(3) == 0 {
					p.in.Release(shard)
				}
			})
		}
		all(func(p *staticPeer, shard int) { p.in.Claim(shard) })
		time.Sleep(4 * time.Second)
		for shard := range shards {
			owner := 0
			for _, p := range peers {
				p.mu.Lock()
				if o := p.owners[shard]; o.Node == p.name && o.Deadline.After(time.Now()) {
					owner++
				}
				p.mu.Unlock()
			}
			if owner != 1 {
				t.Errorf("shard %d has %d owners", shard, owner)
			}
		}
		go all(func(p *staticPeer, shard int) { p.in.Release(shard); p.in.Claim(shard) })
		for _, p := range peers {
			for range 2 {
				if err := p.in.Leave(context.Background()); err != nil {
					t.Error(err)
				}
			}
			p.mu.Lock()
			p.left = true
			p.mu.Unlock()
		}
		time.Sleep(time.Minute)
	})
}
