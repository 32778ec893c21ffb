package main

// Ways to address a session: the peers of addresses.
const (
	byYield  = "yield"  // it is the current one
	byID     = "id"     // what Spawn returned
	byAlias  = "alias"  // a literal
	byString = "string" // an alias in a string made while the program runs
)

// addresses is what it costs to find the receiver: a session posts to itself,
// naming itself in one way or the other.
var addresses = &Group{
	Name:  "addresses",
	About: "an event to oneself, by how its receiver is named",
	Peers: []string{byYield, byID, byAlias, byString},
	Rows: []*Row{
		{Name: "self-post", Unit: "event", Budgets: overYield},
		{Name: "self-post-serial", Unit: "event", Budgets: overYield},
	},
}

var overYield = []Budget{
	{Peer: byAlias, Limit: 25, Over: byYield},
	{Peer: byString, Limit: 25, Over: byYield},
	{Peer: byID, Figure: Allocs},
	{Peer: byAlias, Figure: Allocs},
	{Peer: byString, Figure: Allocs},
}
