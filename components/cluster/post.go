package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

var _ kernel.Remote = (*Node)(nil)

// Local is for the kernel.
func (n *Node) Local(a kernel.Address) (kernel.Address, bool) {
	local, node := split(a)
	switch node {
	case n.cfg.Name:
		return home(local, n.epoch)
	case ownerNode:
		return n.keys.local(local)
	}
	return "", false
}

// PostRemote is for the kernel.
func (n *Node) PostRemote(o kernel.Outgoing) error {
	local, node := split(o.To)
	var err error
	switch node {
	case everyNode:
		err = n.postEverywhere(local, o)
	case ownerNode:
		err = n.keys.post(o)
	default:
		var p *peer
		if p, err = n.find(o.To); err == nil {
			err = p.post(string(local), 0, o, nil)
		}
	}
	return failed(o, err)
}

// failed is an error as Post and Call give it to their callers.
func failed(o kernel.Outgoing, err error) error {
	if err == nil {
		return nil
	}
	return &kernel.PostError{Event: o.Event, To: o.To, Args: o.Args, Err: err}
}

// find is the node that an address names.
func (n *Node) find(a kernel.Address) (*peer, error) {
	local, node := split(a)
	switch {
	case n.left.Load():
		return nil, ErrLeft
	case local == "" || checkName(node) != nil:
		return nil, fmt.Errorf("%w: address %.64q; want alias@node", kernel.ErrArgument, string(a))
	case node == n.cfg.Name:
		return nil, fmt.Errorf("%w: %s is of another start of this node", kernel.ErrNoSession, local)
	}
	if p := n.peer(node); p != nil {
		return p, nil
	}
	return nil, fmt.Errorf("%w: the directory has no %.64q", kernel.ErrNoNode, node)
}

// postEverywhere posts to all nodes that are not lost, this one included. Those that
// have no such alias pass it over. The error names the nodes that did not accept it.
func (n *Node) postEverywhere(local kernel.Address, o kernel.Outgoing) error {
	if local == "" || strings.HasPrefix(string(local), "#") {
		return fmt.Errorf("%w: address %.64q; want alias@%s: IDs differ from node to node", kernel.ErrArgument, string(o.To), everyNode)
	}
	args, err := pack(o.Args)
	if err == nil {
		err = filter.CheckArgs(args)
	}
	if err != nil {
		return encodingError(err)
	}
	var all []error
	for _, p := range n.list() {
		if !p.reachable() {
			continue
		}
		if err := p.post(string(local)+"@"+everyNode, 0, o, nil); err != nil {
			all = append(all, err)
		}
	}
	if _, here := n.k.Resolve(local); here {
		if err := n.postHere(local, o); err != nil {
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

// postHere posts in the name of a session here.
func (n *Node) postHere(local kernel.Address, o kernel.Outgoing) error {
	return n.own.post(Arrival{From: o.From, To: local, Event: o.Event, Args: o.Args}, o.Cause)
}

func (p *peer) reachable() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state == Up || p.state == Connecting
}

// CallRemote is for the kernel.
func (n *Node) CallRemote(ctx context.Context, o kernel.Outgoing) (any, error) {
	local, node := split(o.To)
	switch node {
	case everyNode:
		return nil, failed(o, fmt.Errorf("%w: a call cannot go to every node; post, or call one", kernel.ErrArgument))
	case ownerNode:
		v, err := n.keys.call(ctx, o)
		return v, calledError(o, err)
	}
	p, err := n.find(o.To)
	if err != nil {
		return nil, failed(o, err)
	}
	v, err := p.call(ctx, string(local), o)
	return v, calledError(o, err)
}

// calledError leaves what the handler said as it is.
func calledError(o kernel.Outgoing, err error) error {
	var there *NodeError
	if errors.As(err, &there) && there.Err == nil {
		return err
	}
	return failed(o, err)
}

// lose reports an event that was accepted and not delivered, or perhaps not.
func (n *Node) lose(o kernel.Outgoing, err error) {
	n.k.Lost(o, kernel.Reason(err.Error()))
}
