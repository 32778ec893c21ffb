package main

// Peers that are servers.
const (
	usherShared = "usher-shared" // kernel.Parallel, all connections in one session
	usherTCP    = "usher-tcp"    // kernel.Parallel, components/tcp
	goPlain     = "go"           // package net alone, a goroutine for each connection
	goSmall     = "go-512"       // the same with a read buffer of 512 bytes instead of 4096
)

// connections is what the clients of a server get for what its connections cost it.
// All peers answer each line with the same line.
var connections = &Group{
	Name:  "connections",
	About: "servers that answer each line with the same line, loaded from another process",
	Peers: []string{usher, usherSerial, usherShared, usherTCP, goPlain, goSmall, perl},
	Needs: map[string]func() error{perl: needPerl},
	Shows: "servers by what another process sees; CPU is the server's",
	Rows: []*Row{
		// 64 clients send a line of 64 bytes each, and the next when they have the
		// answer. Our peers have a session for each connection.
		{
			Name: "echo-64", About: "64 clients send a line of 64 bytes, and the next when they have the answer",
			Unit: "request", OneRun: true, Load: echoLoad(64), Figures: requestFigures,
			Budgets: []Budget{
				{Peer: usher, Limit: 1, Against: goPlain},
				{Peer: usher, Figure: P99, Limit: 1, Against: goPlain, Stretch: true},
			},
		},
		// The same with 1000.
		{
			Name: "echo-1000", About: "the same with 1000 clients",
			Unit: "request", OneRun: true, Load: echoLoad(1000), Figures: requestFigures,
		},
		// Connections that have each sent one line, have their answer, and are silent
		// now: the memory that the server's process has for each, without what the
		// system itself keeps for them.
		{
			Name: "idle-connection", About: "memory of a connection that has sent one line; -conns of them",
			Unit: "connection", Conns: true, Load: idleLoad, Figures: []Figure{Kept},
			Budgets: []Budget{
				{Peer: usher, Figure: Kept, Limit: 5000},
				{Peer: usher, Figure: Kept, Limit: 2500, Stretch: true},
				{Peer: usherShared, Figure: Kept, Limit: 4000},
			},
		},
	},
}

var requestFigures = []Figure{Rate, P50, P99, CPU}
