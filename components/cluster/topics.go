package cluster

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// topics are what sessions here subscribe to.
type topics struct {
	mu sync.Mutex
	of map[string][]*subscription

	saying sync.Mutex // see sayTopic
}

type subscription struct {
	topic string
	who   kernel.Address
	event string
}

// topicEnd is a session's, who subscribes to a topic.
type topicEnd struct {
	topic string
	who   kernel.Address
}

func (e topicEnd) owner() kernel.Address { return e.who }
func (e topicEnd) forget(n *Node)        { n.unsubscribe(e.topic, e.who) }

// set subscribes a session, in place of what it had; first reports that nobody had
// this topic before.
func (t *topics) set(s *subscription) (fresh, first bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of == nil {
		t.of = make(map[string][]*subscription)
	}
	list := t.of[s.topic]
	for i, old := range list {
		if old.who == s.who {
			list = slices.Clone(list)
			list[i] = s
			t.of[s.topic] = list
			return false, false
		}
	}
	t.of[s.topic] = append(slices.Clip(list), s)
	return true, len(list) == 0
}

// remove ends a session's subscription; last reports that nobody has the topic now.
func (t *topics) remove(topic string, who kernel.Address) (last bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	list, had := t.of[topic]
	list = slices.DeleteFunc(slices.Clone(list), func(s *subscription) bool { return s.who == who })
	if len(list) > 0 {
		t.of[topic] = list
		return false
	}
	delete(t.of, topic)
	return had
}

func (t *topics) has(topic string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.of[topic]) > 0
}

func (t *topics) names() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Sorted(maps.Keys(t.of))
}

// deliver posts to all who subscribe, in the order in which they did. Who has ended is
// passed over: the subscription is about to go. What others do not take is reported.
func (n *Node) deliver(topic string, o kernel.Outgoing, post func(to kernel.Address, event string) error) {
	n.topics.mu.Lock()
	list := n.topics.of[topic]
	n.topics.mu.Unlock()
	for _, s := range list {
		if err := post(s.who, s.event); err != nil && !errors.Is(err, kernel.ErrNoSession) {
			o.To, o.Event = s.who, s.event
			n.lose(o, err)
		}
	}
}

// Subscribe has event posted to this session with what Publish is given for a topic, on
// any node; Context.Sender says on which other node, as "@node-2", and is nobody to
// answer to. It replaces the session's subscription to that topic; an empty event ends
// it, as does the session's end, which it does not put off. Other nodes hear of a
// subscription some time after it was made: what is published there before does not
// come. The error is ErrLeft when this node has left.
func (n *Node) Subscribe(c *kernel.Context, topic, event string) error {
	if topic == "" {
		return fmt.Errorf("cluster: Subscribe: %w: the topic is empty", kernel.ErrArgument)
	}
	if event == "" {
		n.unsubscribe(topic, c.Self())
		return nil
	}
	if n.left.Load() {
		return fmt.Errorf("cluster: Subscribe %.64q: %w", topic, ErrLeft)
	}
	return n.subscribe(&subscription{topic, c.Self(), event})
}

func (n *Node) subscribe(s *subscription) error {
	fresh, first := n.topics.set(s)
	if first {
		n.sayTopic(s.topic)
	}
	if !fresh {
		return nil
	}
	return n.until(topicEnd{s.topic, s.who})
}

func (n *Node) unsubscribe(topic string, who kernel.Address) {
	n.ends.remove(topicEnd{topic, who})
	if n.topics.remove(topic, who) {
		n.sayTopic(topic)
	}
}

// sayTopic tells other nodes whether a topic is subscribed to: what holds when they are
// told, however many come and go meanwhile.
func (n *Node) sayTopic(topic string) {
	n.topics.saying.Lock()
	defer n.topics.saying.Unlock()
	message := msgUnsubscribe
	if n.topics.has(topic) {
		message = msgSubscribe
	}
	for _, p := range n.list() {
		p.tell(message, topic)
	}
}

// Publish posts to every session, on every node that is not lost, that subscribes to a
// topic: at most once, in order, as other events; who publishes gets no answers. What a
// subscriber's QueueLimit keeps out is reported on the subscriber's node. The
// error is that of the arguments (kernel.ErrNotEncodable, ErrTooLarge), or names the
// nodes that did not accept it (kernel.ErrQueueFull); the others have it all the same.
func (n *Node) Publish(topic string, args ...any) error {
	packed, err := pack(args)
	if err == nil {
		err = filter.CheckArgs(packed)
	}
	if err != nil {
		return fmt.Errorf("cluster: Publish %.64q: %w", topic, encodingError(err))
	}
	if n.left.Load() {
		return fmt.Errorf("cluster: Publish %.64q: %w", topic, ErrLeft)
	}
	n.deliver(topic, kernel.Outgoing{Args: args}, func(to kernel.Address, event string) error {
		return n.k.Post(to, event, args...)
	})
	all := append([]any{topic}, args...)
	for _, p := range n.list() {
		if !p.wants(topic) {
			continue
		}
		o := kernel.Outgoing{To: kernel.Address(topic + "@" + p.name), Event: msgPublish, Args: all}
		if e := p.post("", 0, o, nil); e != nil {
			err = errors.Join(err, e)
		}
	}
	if err != nil {
		return fmt.Errorf("cluster: Publish %.64q: %w", topic, err)
	}
	return nil
}

// wants reports whether the other node subscribes to a topic, and may be reached.
func (p *peer) wants(topic string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.topics[topic] && (p.state == Up || p.state == Connecting)
}
