package keepalive

// Stats counts what a pool holds at one moment.
type Stats struct {
	Waiting int // requests that the limits keep waiting
	Opening int // connections being opened, also those nobody waits for any more
	Lent    int // connections in use
	Idle    int // connections ready to be lent
}

// stats costs a step for each request and connection.
func (t *table) stats() Stats {
	var s Stats
	for _, r := range t.requests {
		if r.queue != nil {
			s.Waiting++
		}
	}
	for _, c := range t.conns {
		switch c.state {
		case opening:
			s.Opening++
		case lent:
			s.Lent++
		case idle:
			s.Idle++
		}
	}
	return s
}
