package cluster

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// Node is a kernel's part in a cluster. Its methods are for any goroutine.
type Node struct {
	k          *kernel.Kernel
	cfg        Config
	epoch      uint64
	address    string
	transport  Transport
	puller     puller // the transport, if it is one …
	waker      waker  // … and likewise
	membership Membership
	detach     func()
	session    *kernel.Lease // see session.go
	writer     *filter.EventFilter
	keys       *placement

	mu      sync.RWMutex
	peers   map[string]*peer
	former  map[string]*peer // that the directory has had lately; what they have counted still holds
	ordered []*peer          // by name

	chance struct {
		sync.Mutex
		*rand.Rand
	}

	pledges  pledges
	topics   topics
	watchers watchers
	ends     ends
	runners  runners
	own      ownSenders
	said     []string // aliases that other nodes were told; guarded by mu

	lastCall  atomic.Uint64
	lastLink  atomic.Uint64 // no number is used twice
	refusals  atomic.Uint64
	later     atomic.Uint64 // a start of this node that is not this one
	ready     atomic.Bool   // packets are taken
	leaving   atomic.Bool   // this node runs no keys any more
	left      atomic.Bool
	leaveOnce sync.Once
	over      chan struct{} // closed when the node has left
}

// Alias is the alias of the node's own session in its kernel, if nobody else has it: the
// one that relays what other nodes ask for. Nobody reaches it from elsewhere.
const Alias = "cluster"

// Join makes a kernel a node of a cluster. From then on addresses with '@' reach
// sessions on other nodes, and those of this kernel are "alias@NAME" to others. It
// looks names up, opens the listener and registers with the directory, and may block
// for that; it does not wait for other nodes. A kernel is one node at most: when that has
// left, or a Join has failed, it may join again.
//
// The node keeps the kernel running, until Leave, or until the kernel is stopped.
//
// Errors match ErrConfig for what can only be a mistake; otherwise they are those of
// the listener and the directory.
func Join(k *kernel.Kernel, cfg Config) (*Node, error) {
	return JoinContext(context.Background(), k, cfg)
}

// JoinContext is Join with a limit: it gives up when ctx ends.
func JoinContext(ctx context.Context, k *kernel.Kernel, cfg Config) (*Node, error) {
	if k == nil {
		return nil, fmt.Errorf("cluster: %w: the kernel is nil; want a *kernel.Kernel", ErrConfig)
	}
	if cfg.CallTimeout == 0 {
		cfg.CallTimeout = k.CallTimeout()
	}
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	if cfg.Listen == "" {
		cfg.Listen = listed(cfg.Directory, cfg.Name)
	}
	n := &Node{k: k, cfg: cfg, epoch: uint64(k.Now().UnixNano()), peers: map[string]*peer{}, former: map[string]*peer{}, over: make(chan struct{})}
	n.pledges.n, n.runners, n.own.all = n, newRunners(), k.Strangers()
	n.chance.Rand = rand.New(k.Chance("cluster " + cfg.Name))
	if n.writer, err = filter.NewEvent(filter.EventConfig{MaxFrame: cfg.MaxEvent, MaxBuffer: 2 * cfg.MaxEvent, Types: cfg.Types}); err != nil {
		return nil, bad("MaxEvent", "is %d: %v", cfg.MaxEvent, err)
	}
	if n.keys, err = newPlacement(n, cfg); err != nil {
		return nil, err
	}
	if n.transport = cfg.Transport; n.transport == nil {
		if n.transport, err = newTransport(cfg); err != nil {
			return nil, fmt.Errorf("cluster: %w", err)
		}
	}
	n.puller, _ = n.transport.(puller)
	n.waker, _ = n.transport.(waker)
	// Once there is a session, its _stop may come at any time.
	if n.detach, err = k.AttachRemote(n); err != nil {
		return nil, fmt.Errorf("cluster: node %s: %w", cfg.Name, err)
	}
	if n.session, err = k.SpawnHeld(n.relay()); err != nil {
		n.detach()
		return nil, fmt.Errorf("cluster: node %s: %w", cfg.Name, err)
	}
	if err := n.begin(ctx); err != nil {
		n.abandon()
		return nil, fmt.Errorf("cluster: node %s: %w", cfg.Name, err)
	}
	k.Describe("cluster", func() any { return n.Status() })
	return n, nil
}

// begin opens what Join opens. The node is whole before others can reach it.
func (n *Node) begin(ctx context.Context) (err error) {
	if n.address, err = n.transport.Start(ctx, n); err != nil {
		return err
	}
	self := Member{Name: n.cfg.Name, Address: n.address, Epoch: n.epoch}
	m, err := n.cfg.Directory.Join(ctx, self, host{n})
	if err != nil {
		return err
	}
	if !n.joined(m) { // and its leave did not know of m
		ctx, cancel := context.WithTimeout(context.Background(), lastWords)
		defer cancel()
		return errors.Join(fmt.Errorf("the kernel was stopped meanwhile: %w", kernel.ErrStopped), m.Leave(ctx))
	}
	n.ready.Store(true)
	n.beat()
	return nil
}

// joined notes the directory's part: false if the kernel was stopped meanwhile.
func (n *Node) joined(m Membership) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.leaving.Load() {
		return false
	}
	n.membership = m
	return true
}

// abandon closes what Join has opened, before anybody has heard of the node.
func (n *Node) abandon() {
	n.leaveOnce.Do(func() {
		defer close(n.over)
		n.left.Store(true)
		n.keys.close()
		for _, p := range n.list() {
			p.gone(Left) // what sessions have posted meanwhile
		}
		n.keys.lanes.close()
		n.detach()
		_ = n.transport.Close()
		n.runners.end()
		n.dismiss()
	})
}

// dismiss ends the node's session, which its alias would keep.
func (n *Node) dismiss() {
	_ = n.session.Post(evRelay, func(c *kernel.Context) { c.Stop() })
	n.session.Release()
}

// Name is the node's own name.
func (n *Node) Name() string { return n.cfg.Name }

// Addr is where other nodes reach this one.
func (n *Node) Addr() string { return n.address }

// Address is that of a session here as other nodes are to use it: "logger@node-1" of
// "logger". An ID such as Context.Self gets the node's epoch with it, because after a
// restart it would be somebody else's.
func (n *Node) Address(a kernel.Address) kernel.Address { return abroad(a, n.cfg.Name, n.epoch) }

// after is the kernel's AfterFunc; nothing runs when the node has left.
func (n *Node) after(d time.Duration, f func()) {
	n.k.AfterFunc(d, func() {
		if !n.left.Load() {
			f()
		}
	})
}

func (n *Node) newFilter() *filter.EventFilter {
	f, err := filter.NewEvent(filter.EventConfig{
		MaxFrame: n.cfg.MaxEvent, MaxBuffer: max(2*n.cfg.MaxEvent, n.cfg.MaxEvent+2*maxPacket), Types: n.cfg.Types,
	})
	if err != nil {
		panic(err) // Join has made one like it
	}
	return f
}

func (n *Node) peer(name string) *peer {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.peers[name]
}

// list is every other node, sorted by name.
func (n *Node) list() []*peer {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.ordered
}

func (n *Node) peersAt(address string) []*peer {
	var found []*peer
	for _, p := range n.list() {
		p.mu.Lock()
		if p.address == address {
			found = append(found, p)
		}
		p.mu.Unlock()
	}
	return found
}
