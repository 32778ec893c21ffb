package main

// The peers of messaging.
const (
	usher       = "usher"        // kernel.Parallel
	usherSerial = "usher-serial" // kernel.Serial
	protoactor  = "protoactor"   // Proto.Actor with its own dispatcher and mailbox
	channel     = "channel"      // goroutines and channels

	perl = "Perl POE" // quoted, never run
)

// Sizes that every peer shares.
const (
	windowSize = 1024 // events under way at most, in the row "window"
	ringSize   = 1000 // members, in the row "ring"
)

// messaging is what events between sessions cost. Every peer sends a pointer
// that exists before, so that no allocation counted is the payload's.
var messaging = &Group{
	Name:  "messaging",
	Peers: []string{usher, usherSerial, protoactor, channel},
	Rows: []*Row{
		// One member sends itself the next event from the handler of the last.
		{Name: "yield", Unit: "event", Budgets: perEvent(
			Budget{Peer: usher, Limit: 0.7, Against: protoactor},
			Budget{Peer: usher, Limit: 0.45, Against: protoactor, Stretch: true},
			Budget{Peer: usherSerial, Limit: 0.7, Against: protoactor},
			Budget{Peer: usherSerial, Limit: 0.45, Against: protoactor, Stretch: true},
			Budget{Peer: usher, Limit: 1.0 / 200, Against: perl, Quoted: 15400},
		)},
		// One sends all its events to another from a single handler, as fast as
		// it can. Channels have no unbounded queue; theirs is windowSize long.
		{Name: "flood", Unit: "event", Budgets: perEvent(append(stream,
			Budget{Peer: usher, Limit: 1.0 / 200, Against: perl, Quoted: 9650},
		)...)},
		// The same with windowSize events under way at most: the receiver sends
		// one event of credit back for every half window it handled.
		{Name: "window", Unit: "event", Budgets: perEvent(stream...)},
		// Two send one event to and fro.
		{Name: "ping-pong", Unit: "round trip", Budgets: perEvent(
			Budget{Peer: usher, Limit: 0.04, Against: protoactor},
			Budget{Peer: usher, Limit: 0.5, Against: channel},
			Budget{Peer: usher, Limit: 0.35, Against: channel, Stretch: true},
			Budget{Peer: usherSerial, Limit: 0.25, Against: channel},
			Budget{Peer: usherSerial, Limit: 0.18, Against: channel, Stretch: true},
			Budget{Peer: usher, Limit: 1.0 / 200, Against: perl, Quoted: 31000},
		)},
		// One event goes round ringSize members. Perl's figure is from 100 events
		// under way at once, which one thread handles at the same cost each.
		{Name: "ring", Unit: "hop", Budgets: perEvent(
			Budget{Peer: usher, Limit: 0.6, Against: channel},
			Budget{Peer: usher, Limit: 0.4, Against: channel, Stretch: true},
			Budget{Peer: usherSerial, Limit: 0.35, Against: channel},
			Budget{Peer: usherSerial, Limit: 0.2, Against: channel, Stretch: true},
			Budget{Peer: usher, Limit: 1.0 / 200, Against: perl, Quoted: 13800},
		)},
		// One asks another from inside a handler and waits for the answer.
		{Name: "call", Unit: "call", Budgets: perEvent(
			Budget{Peer: usher, Limit: 0.1, Against: channel},
			Budget{Peer: usher, Limit: 25, Stretch: true},
			Budget{Peer: usherSerial, Limit: 0.1, Against: channel},
			Budget{Peer: usherSerial, Limit: 25, Stretch: true},
			Budget{Peer: usher, Limit: 1.0 / 200, Against: perl, Quoted: 4170},
		)},
		// New members, until each has handled its first event; they stay until
		// the run is over. Sessions are spawned by a session, whose children they
		// are.
		{Name: "spawn", Unit: "member", Budgets: []Budget{
			{Peer: usher, Limit: 1.5, Against: protoactor},
			{Peer: usherSerial, Limit: 1.5, Against: protoactor},
		}},
	},
}

// stream are the budgets of one sender and one receiver.
var stream = []Budget{
	{Peer: usher, Limit: 0.75, Against: protoactor},
	{Peer: usher, Limit: 1.1, Against: channel},
	{Peer: usher, Limit: 1, Against: channel, Stretch: true},
	{Peer: usherSerial, Limit: 1.5, Against: channel},
}

// perEvent adds what holds for every row of events: none of them allocates.
func perEvent(own ...Budget) []Budget {
	return append(own[:len(own):len(own)],
		Budget{Peer: usher, Figure: Allocs, Limit: 0},
		Budget{Peer: usherSerial, Figure: Allocs, Limit: 0},
	)
}

// token is the event of every row, and its counter where one member handles it
// at a time: that member may change it.
type token struct {
	left int           // operations still to do
	done chan struct{} // closed by the handler of the last
}

func newToken(ops int) *token {
	return &token{left: ops, done: make(chan struct{})}
}

// step counts one operation and reports whether there are more to do.
func (t *token) step() bool {
	t.left--
	if t.left == 0 {
		close(t.done)
	}
	return t.left > 0
}
