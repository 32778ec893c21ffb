package keepalive

import (
	"cmp"
	"slices"
	"time"
)

// Load is what there is at one moment.
type Load struct {
	Waiting int // requests that the limits keep waiting
	Opening int // connections being opened, also those nobody waits for any more
	Lent    int // connections in use
	Idle    int // connections ready to be lent
}

// Stats is what a pool holds at one moment, and what it has done since its start. It
// marshals to JSON that people can read. Times are by the kernel's clock.
type Stats struct {
	Load           // of all keys
	Total Counters // of all keys, forgotten ones too

	Waits Histogram[time.Duration] // from asking to the answer, of all requests
	Opens Histogram[time.Duration] // from the start of an opening to its success, lookup and TLS included
	Loans Histogram[int64]         // how often a connection was lent in its life, of those that ended
	Ages  Histogram[time.Duration] // how old it got

	// Keys has the numbers of each key: those with an open or half-open circuit
	// first, then those with the most requests and connections, then those that
	// were used most, up to 100. A key without either is remembered until 1000
	// others like it came after it.
	Keys []KeyStats

	// KeysLeftOut is how many more keys are known.
	KeysLeftOut int
}

// KeyStats are the numbers of one key.
type KeyStats struct {
	Key Key
	Load
	Circuit CircuitState
	Until   time.Time `json:",omitzero"` // open: when the next probe may be made
	Counters
}

// reportedKeys bounds Stats.Keys.
const reportedKeys = 100

// stats costs a step for each key and connection.
func (t *table) stats() Stats {
	s := Stats{Total: t.past}
	now := t.now()
	users := map[*host]int{}
	for _, c := range t.conns {
		if c.state == lent {
			users[c.host]++
		}
	}
	all := make([]KeyStats, 0, len(t.hosts))
	for _, h := range t.hosts {
		k := KeyStats{
			Key:      h.key,
			Load:     Load{Waiting: len(h.waiting), Opening: h.busy - users[h], Lent: users[h], Idle: len(h.idle)},
			Circuit:  h.breaker.at(now),
			Counters: h.counts,
		}
		if k.Circuit == CircuitOpen {
			k.Until = h.breaker.until
		}
		all = append(all, k)
		s.Total.add(h.counts)
		s.Waiting += k.Waiting
		s.Opening += k.Opening
		s.Lent += k.Lent
		s.Idle += k.Idle
	}
	slices.SortFunc(all, moreOfInterest)
	s.Keys = all[:min(len(all), reportedKeys)]
	s.KeysLeftOut = len(all) - len(s.Keys)
	return s
}

func moreOfInterest(a, b KeyStats) int {
	return cmp.Or(
		cmp.Compare(b.Circuit, a.Circuit),
		cmp.Compare(b.Load.total(), a.Load.total()),
		cmp.Compare(b.Answered(), a.Answered()),
		cmp.Compare(a.Key.String(), b.Key.String()),
		cmp.Compare(a.Key.Use, b.Key.Use),
	)
}

func (l Load) total() int { return l.Waiting + l.Opening + l.Lent + l.Idle }
