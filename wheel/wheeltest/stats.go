package wheeltest

// Stats counts what has happened in a network.
type Stats struct {
	Lookups  int // names looked up
	Dials    int // dials begun
	Refused  int // answers that nobody listens
	Accepted int // connections accepted
	Resets   int // ends of connections that were reset by their peer, by chance or by Conn.Reset

	Written, Read int64 // bytes of streams, by their users

	Datagrams  int // sent
	Duplicated int // of these, by chance
	Lost       int // datagrams that did not arrive, and packets of streams that had to be sent again
}

// Stats returns the counts up to now.
func (n *Network) Stats() Stats {
	n.lock()
	defer n.unlock()
	return n.stats
}
