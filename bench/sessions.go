package main

// sessions is what those cost that do nothing.
var sessions = &Group{
	Name:  "sessions",
	About: "what sessions cost that do nothing",
	Peers: []string{usher, usherSerial, protoactor, channel},
	Rows: []*Row{
		// Many new members at once, and the memory that they take when they have
		// handled their first event. They share their handlers and have no state of
		// their own. Sessions are spawned before Run, so that nothing has to hold them.
		{Name: "idle", Unit: "member", Many: true, Figures: []Figure{Time, Kept}, Budgets: []Budget{
			{Peer: usher, Figure: Kept, Limit: 1.2 * 1024},
			{Peer: usher, Figure: Kept, Limit: 1000, Stretch: true},
			{Peer: usher, Limit: 1.5, Against: protoactor},
			{Peer: usherSerial, Figure: Kept, Limit: 1.2 * 1024},
			{Peer: usherSerial, Limit: 1.5, Against: protoactor},
		}},
	},
}
