package main

// Observers: the peers of observers.
const (
	unobserved = "none"
	ringed     = "ring" // remembers the last events' numbers
)

// observers is what it costs that somebody watches every event: rows of
// messaging, by what the kernel was given as its observer.
var observers = &Group{
	Name:  "observers",
	Peers: []string{unobserved, ringed},
	Rows: []*Row{
		{Name: "observed-yield", Unit: "event", Budgets: ringedBudgets},
		{Name: "observed-yield-serial", Unit: "event", Budgets: ringedBudgets},
		{Name: "observed-ping-pong", Unit: "round trip", Budgets: ringedBudgets},
		{Name: "observed-ping-pong-serial", Unit: "round trip", Budgets: ringedBudgets},
	},
}

var ringedBudgets = []Budget{
	{Peer: ringed, Limit: 1.5, Against: unobserved},
	{Peer: ringed, Figure: Allocs},
}
