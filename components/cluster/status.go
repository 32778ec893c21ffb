package cluster

import (
	"slices"
	"time"
)

// Status is what a node knows, for people and for programs that watch it.
type Status struct {
	Name    string       `json:"name"`
	Address string       `json:"address"`
	Epoch   uint64       `json:"epoch"`
	Aliases []string     `json:"aliases"` // that other nodes may use
	Topics  []string     `json:"topics"`  // that sessions here subscribe to
	Nodes   []NodeStatus `json:"nodes"`   // the others, by name
	Keys    []KeyStatus  `json:"keys,omitempty"`
	Refused uint64       `json:"refused"` // peers that were not let in
}

// NodeStatus is how another node is, and the link to it.
type NodeStatus struct {
	Name    string        `json:"name"`
	Address string        `json:"address"`
	Epoch   uint64        `json:"epoch"`
	State   State         `json:"state"`
	Since   time.Time     `json:"since"`
	Silent  time.Duration `json:"silent_ns"`         // since its last answer
	RTT     time.Duration `json:"round_trip_ns"`     // of the last ping
	Trouble string        `json:"trouble,omitempty"` // why it cannot be reached, where that is known
	Aliases []string      `json:"aliases"`
	Topics  []string      `json:"topics"`

	Outstanding int  `json:"outstanding"` // events sent, or to be sent, and not acknowledged …
	Bytes       int  `json:"bytes"`       // … and their bytes
	Paused      bool `json:"paused"`      // it has asked for a pause
	Pending     int  `json:"pending"`     // its events that wait in queues here
	Calls       int  `json:"calls"`       // to it, not answered yet
	Running     int  `json:"running"`     // its calls that run here
	Kept        int  `json:"kept"`        // its monitors and holds here
	Counts
}

// Counts are sums since the node joined.
type Counts struct {
	Sent     uint64 `json:"sent"`     // events, messages between nodes among them
	Received uint64 `json:"received"` // events
	Refused  uint64 `json:"refused"`  // of those sent, what the other node did not take
	Unknown  uint64 `json:"unknown"`  // of those sent, whose outcome is not known
	Packets  uint64 `json:"packets"`  // sent, with events
	Again    uint64 `json:"again"`    // of these, sent once more
	Pauses   uint64 `json:"pauses"`   // asked for
}

// Status is how the node and its links are now. It is also what the kernel's
// Descriptions have under "cluster".
func (n *Node) Status() Status {
	s := Status{
		Name: n.cfg.Name, Address: n.address, Epoch: n.epoch, Refused: n.refusals.Load(),
		Aliases: n.aliases(), Topics: n.topics.names(), Nodes: []NodeStatus{}, Keys: n.keys.status(),
	}
	for _, p := range n.list() {
		s.Nodes = append(s.Nodes, p.status())
	}
	return s
}

func (p *peer) status() NodeStatus {
	kept := p.kept.len()
	p.mu.Lock()
	defer p.mu.Unlock()
	s := NodeStatus{
		Name: p.name, Address: p.address, Epoch: p.epoch, State: p.state, Since: p.since, Silent: p.silent(), RTT: p.rtt,
		Aliases: slices.Clone(p.aliases), Topics: make([]string, 0, len(p.topics)),
		Outstanding: p.out.outstanding(), Bytes: p.out.bytes, Paused: p.out.paused,
		Pending: p.strangers.waiting(), Calls: len(p.calls), Running: int(p.busy.Load()), Kept: kept,
		Counts: p.counts,
	}
	s.Received = p.received.Load()
	for t := range p.topics {
		s.Topics = append(s.Topics, t)
	}
	slices.Sort(s.Topics)
	if p.state == Connecting || p.state == Lost {
		s.Trouble = p.trouble
	}
	return s
}

// silent is how long the other node has given no answer.
func (p *peer) silent() time.Duration { return p.n.k.Now().Sub(p.heard) }

// aliases are those that other nodes may use.
func (n *Node) aliases() []string {
	return slices.DeleteFunc(n.k.Aliases(), func(a string) bool {
		return a == Alias || n.cfg.Expose != nil && !slices.Contains(n.cfg.Expose, a)
	})
}

// sayAliases tells other nodes when that list has changed.
func (n *Node) sayAliases() {
	list := n.aliases()
	list = list[:min(len(list), maxAliases)]
	n.mu.Lock()
	same := slices.Equal(list, n.said)
	n.said = list
	n.mu.Unlock()
	if same {
		return
	}
	for _, p := range n.list() {
		p.tell(msgAliases, list)
	}
}

// introduce tells a node that is up what it should know. p.mu is held.
func (n *Node) introduce(p *peer) {
	p.tellLocked(msgTopics, n.topics.names())
	n.mu.RLock()
	said := n.said
	n.mu.RUnlock()
	p.tellLocked(msgAliases, said)
	p.tellLocked(msgKinds, n.keys.offers())
}

// Where is the names of the nodes that have said to have an alias, this one included,
// sorted. What changes is told with the next heartbeat.
func (n *Node) Where(alias string) []string {
	var nodes []string
	for _, p := range n.list() {
		p.mu.Lock()
		if p.state == Up && slices.Contains(p.aliases, alias) {
			nodes = append(nodes, p.name)
		}
		p.mu.Unlock()
	}
	if slices.Contains(n.aliases(), alias) {
		nodes = append(nodes, n.cfg.Name)
	}
	slices.Sort(nodes)
	return nodes
}
