package cluster

import (
	"fmt"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// Messages between nodes are frames without a receiver. One that is not known is passed
// over: it comes from a newer version.
const (
	msgForgot      = "forgot"      // you were lost: what was kept for you, or by you, is gone
	msgMonitor     = "monitor"     // id, address
	msgHold        = "hold"        // id, address
	msgRelease     = "release"     // id, of a monitor or a hold
	msgEnded       = "ended"       // id, code, text: of a monitor or a hold
	msgTopics      = "topics"      // all that the node subscribes to
	msgSubscribe   = "subscribe"   // one more
	msgUnsubscribe = "unsubscribe" // one less
	msgPublish     = "publish"     // topic, arguments
	msgAliases     = "aliases"     // all that the node exposes
	msgKinds       = "kinds"       // all that the node runs sessions of, for keys
)

const (
	maxTopics  = 100_000 // that a node may subscribe to
	maxAliases = 10_000  // that are told
)

// message takes one. recv is held.
func (p *peer) message(f filter.Frame) error {
	switch f.Name {
	case msgForgot:
		p.forgotten()
	case msgMonitor, msgHold:
		return p.keep(f)
	case msgRelease:
		p.kept.take(p.kept.get(number(f.Args, 0)))
	case msgEnded:
		code, text := errorArgs(f.Args[min(1, len(f.Args)):])
		p.n.pledges.ended(number(f.Args, 0), p.name, decodeError(p.name, code, text))
	case msgTopics:
		p.setTopics(texts(f.Args))
	case msgSubscribe, msgUnsubscribe:
		return p.subscribed(text(f.Args, 0), f.Name == msgSubscribe)
	case msgPublish:
		if len(f.Args) > 0 {
			p.received.Add(1)
			o := kernel.Outgoing{From: p.sender(f.From), Args: f.Args[1:], Cause: f.Cause}
			p.n.deliver(text(f.Args, 0), o, func(to kernel.Address, event string) error {
				a := Arrival{Node: p.name, From: o.From, To: to, Event: event, Args: o.Args}
				if err := p.n.accept(a); err != nil {
					return err
				}
				return p.strangers.post(a, o.Cause)
			})
		}
	case msgKinds:
		list := texts(f.Args)
		p.mu.Lock()
		p.kinds = list[:min(len(list), maxAliases)]
		p.mu.Unlock()
		p.offered()
	case msgAliases:
		list := texts(f.Args)
		p.mu.Lock()
		p.aliases = list[:min(len(list), maxAliases)]
		p.mu.Unlock()
	}
	return nil
}

// forgotten ends what the nodes do for each other: the other one had lost this one, which
// may not have noticed. What was asked of it since is taken back, as it may have begun.
func (p *peer) forgotten() {
	p.kept.drop()
	for _, id := range p.n.pledges.lost(p.name) {
		p.tell(msgRelease, id)
	}
}

func number(args []any, i int) uint64 {
	if i < len(args) {
		n, _ := args[i].(uint64)
		return n
	}
	return 0
}

func text(args []any, i int) string {
	if i < len(args) {
		s, _ := args[i].(string)
		return s
	}
	return ""
}

func texts(args []any) []string {
	if len(args) > 0 {
		list, _ := args[0].([]string)
		return list
	}
	return nil
}

// setTopics takes all that the other node subscribes to.
func (p *peer) setTopics(list []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.topics)
	for _, t := range list[:min(len(list), maxTopics)] {
		p.topics[t] = true
	}
}

// subscribed takes one more topic, or one less.
func (p *peer) subscribed(topic string, on bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !on:
		delete(p.topics, topic)
	case len(p.topics) >= maxTopics:
		return fmt.Errorf("%w: node %s subscribes to %d topics", kernel.ErrQueueFull, p.name, maxTopics)
	default:
		p.topics[topic] = true
	}
	return nil
}

// offered has keys go to the other node, if it runs any and can be reached.
func (p *peer) offered() {
	p.mu.Lock()
	ok := p.state == Up && len(p.kinds) > 0
	p.mu.Unlock()
	p.n.keys.reach(p.name, ok)
}
