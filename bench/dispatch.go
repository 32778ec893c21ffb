package main

// dispatch is what an event costs when so many members have one to handle at any
// time: each sends itself the next, as in the row "yield".
var dispatch = &Group{
	Name:  "dispatch",
	About: "an event to oneself, when so many have one",
	Peers: []string{usher, usherSerial, protoactor, channel},
	Rows: []*Row{
		{Name: "runnable-1", Unit: "event", Budgets: runnableBudgets},
		{Name: "runnable-10", Unit: "event", Budgets: runnableBudgets},
		{Name: "runnable-1000", Unit: "event", Budgets: runnableBudgets},
	},
}

// runnableBudgets are those of a yield: it must not matter how many there are.
var runnableBudgets = perEvent(
	Budget{Peer: usher, Limit: 0.7, Against: protoactor},
	Budget{Peer: usherSerial, Limit: 0.7, Against: protoactor, Stretch: true}, // one core against all
)

func init() {
	for peer := range runRings {
		run := func(n int) Runner { return rings{rings: n, members: 1, hops: 1}.runner(peer) }
		dispatch.register(peer, map[string]Runner{
			"runnable-1":    run(1),
			"runnable-10":   run(10),
			"runnable-1000": run(1000),
		})
	}
}
