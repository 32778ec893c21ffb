package main

// The peers of observers.
const (
	unobserved = "none"
	tracer     = "recorder"    // trace.Recorder, of the last 1024 events
	recordEach = "each-record" // Posted, Began and Ended, each with a whole Record
)

// observers is what it costs that somebody watches every event: rows of
// messaging, by what the kernel was given as its observer. Posted, Began and Ended
// read the clock each time, which costs more than a small event does: they are for
// tests, and shown without a budget. The recorder is for always.
var observers = &Group{
	Name:  "observers",
	About: "what it costs that somebody watches every event",
	Peers: []string{unobserved, tracer, recordEach},
	Rows: []*Row{
		{Name: "observed-yield", Unit: "event", Budgets: recorderBudgets},
		{Name: "observed-yield-serial", Unit: "event", Budgets: recorderBudgets},
		{Name: "observed-ping-pong", Unit: "round trip", Budgets: recorderBudgets},
		{Name: "observed-ping-pong-serial", Unit: "round trip", Budgets: recorderBudgets},
	},
}

var recorderBudgets = []Budget{
	{Peer: tracer, Limit: 1.5, Against: unobserved},
	{Peer: tracer, Figure: Allocs},
}
