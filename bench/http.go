package main

// usherEvents is httpclient.Client, which answers by event.
const usherEvents = "usher-events"

// httpClients is what one GET costs who asks, on connections that are kept, and what
// the pool of connections costs alone. All peers ask the same server.
var httpClients = &Group{
	Name:  "http-client",
	About: "HTTP clients that ask one server of net/http in another process",
	Peers: []string{usher, usherEvents, goPlain, perl},
	Needs: map[string]func() error{perl: needPerlHTTPClient},
	Shows: "clients on kept connections, allocations per request in parentheses; CPU is the client's",
	Rows: []*Row{
		// One after the other.
		getRow("get-1", "GETs of 12 bytes, one after the other"),
		// 64 at a time, each followed by the next.
		getRow("get-64", "the same, 64 at a time"),
		// A connection that is idle is lent and given back, by event.
		{
			Name: "pool-hit", About: "an idle connection is allocated and released",
			Unit: "loan", OneRun: true, Asked: helloServer,
			Budgets: []Budget{{Peer: usher, Limit: 2000}},
		},
	},
}

// getRow allows what is 0.95 times as many requests.
func getRow(name, about string) *Row {
	return &Row{
		Name: name, About: about,
		Unit: "request", OneRun: true, Asked: helloServer, Figures: []Figure{Rate, Time, CPU},
		Budgets: []Budget{{Peer: usher, Limit: 1.05, Against: goPlain}},
	}
}

// gettersIn is how many requests of a row are under way at a time.
var gettersIn = map[string]int{"get-1": 1, "get-64": 64}
