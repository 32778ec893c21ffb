package main

// Peers.
const (
	usher       = "usher"        // kernel.Parallel
	usherSerial = "usher-serial" // kernel.Serial
	protoactor  = "protoactor"   // Proto.Actor with its own dispatcher and mailbox
	channel     = "channel"      // goroutines and channels
	perl        = "perl-poe"     // Perl's POE, in a process of its own
)

// Sizes that every peer shares.
const (
	windowSize = 1024 // events under way at most, in the row "window"
	ringSize   = 1000 // members, in the row "ring"
	fanSize    = 1000 // receivers, in the row "fan-out"
)

// messaging is what events between sessions cost. Every peer sends a pointer
// that exists before, so that no allocation counted is the payload's.
var messaging = &Group{
	Name:  "messaging",
	About: "what an event between sessions costs",
	Peers: []string{usher, usherSerial, protoactor, channel, perl},
	Needs: map[string]func() error{perl: needPerl},
	Rows: []*Row{
		// One member sends itself the next event from the handler of the last.
		{Name: "yield", Unit: "event", Budgets: perEvent(
			Budget{Peer: usher, Limit: 0.7, Against: protoactor},
			Budget{Peer: usher, Limit: 0.45, Against: protoactor, Stretch: true},
			Budget{Peer: usherSerial, Limit: 0.7, Against: protoactor},
			Budget{Peer: usherSerial, Limit: 0.45, Against: protoactor, Stretch: true},
			fasterThanPerl(15400),
		)},
		// One sends all its events to another from a single handler, as fast as
		// it can. Channels have no unbounded queue; theirs is windowSize long.
		{Name: "flood", Unit: "event", Budgets: perEvent(append(stream,
			fasterThanPerl(9650),
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
			fasterThanPerl(31000),
		)},
		// One event goes round ringSize members. Perl's quoted figure is from 100
		// events under way at once, which one thread handles at the same cost each.
		{Name: "ring", Unit: "hop", Budgets: perEvent(
			Budget{Peer: usher, Limit: 0.6, Against: channel},
			Budget{Peer: usher, Limit: 0.4, Against: channel, Stretch: true},
			Budget{Peer: usherSerial, Limit: 0.35, Against: channel},
			Budget{Peer: usherSerial, Limit: 0.2, Against: channel, Stretch: true},
			fasterThanPerl(13800),
		)},
		// One asks another from inside a handler and waits for the answer.
		{Name: "call", Unit: "call", Budgets: perEvent(
			Budget{Peer: usher, Limit: 0.1, Against: channel},
			Budget{Peer: usher, Limit: 25, Stretch: true},
			Budget{Peer: usherSerial, Limit: 0.1, Against: channel},
			Budget{Peer: usherSerial, Limit: 25, Stretch: true},
			fasterThanPerl(4170),
		)},
		// One sends to fanSize others in turn, all its events from a single handler.
		{Name: "fan-out", Unit: "event", Budgets: perEvent(
			Budget{Peer: usher, Limit: 0.75, Against: protoactor, Stretch: true},
			Budget{Peer: usher, Limit: 1.1, Against: channel, Stretch: true},
			fasterThanPerl(13700),
		)},
		// New members, until each has handled its first event; they stay until
		// the run is over. Sessions are spawned by a session, whose children they
		// are. A member is no message: to make one 200 times as fast is a wish.
		{Name: "spawn", Unit: "member", Budgets: []Budget{
			{Peer: usher, Limit: 1.5, Against: protoactor},
			{Peer: usherSerial, Limit: 1.5, Against: protoactor},
			{Peer: usher, Limit: 1.0 / 200, Against: perl, Quoted: 33000, Stretch: true},
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

// fasterThanPerl is the budget against POE, with what POE took where it was
// measured last.
func fasterThanPerl(quoted float64) Budget {
	return Budget{Peer: usher, Limit: 1.0 / 200, Against: perl, Quoted: quoted}
}

// perEvent adds what holds for every row of events: none of them allocates.
func perEvent(own ...Budget) []Budget {
	return append(own[:len(own):len(own)],
		Budget{Peer: usher, Figure: Allocs, Limit: 0},
		Budget{Peer: usherSerial, Figure: Allocs, Limit: 0},
	)
}
