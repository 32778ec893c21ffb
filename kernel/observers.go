package kernel

import "time"

// Observers makes one observer of several: each is told everything, in the order
// given. Nil ones are left out; nil is returned when none is left.
func Observers(list ...*Observer) *Observer {
	var all *Observer
	for _, o := range list {
		switch {
		case o == nil:
		case all == nil:
			all = o
		default:
			all = both(all, o)
		}
	}
	return all
}

func both(a, b *Observer) *Observer {
	return &Observer{
		Posted:    one(a.Posted, b.Posted),
		Began:     one(a.Began, b.Began),
		Ended:     one(a.Ended, b.Ended),
		Unhandled: one(a.Unhandled, b.Unhandled),
		Dropped:   two(a.Dropped, b.Dropped),
		Timer:     one(a.Timer, b.Timer),
		Journal:   bothJournals(a.Journal, b.Journal),
		Spawned:   two(a.Spawned, b.Spawned),
		Moved:     three(a.Moved, b.Moved),
		Held:      one(a.Held, b.Held),
		Wheel:     one(a.Wheel, b.Wheel),
		Restarted: two(a.Restarted, b.Restarted),
		Stopping:  one(a.Stopping, b.Stopping),
		Stopped:   one(a.Stopped, b.Stopped),
		Watched:   three(a.Watched, b.Watched),
		Signal:    one(a.Signal, b.Signal),
		Reaped:    one(a.Reaped, b.Reaped),
		Failed:    one(a.Failed, b.Failed),
		Fatal:     one(a.Fatal, b.Fatal),
		Refused:   one(a.Refused, b.Refused),
		Reported:  three(a.Reported, b.Reported),
	}
}

// one, two and three call both of two functions, or are the one that is there.
func one[A any](f, g func(A)) func(A) {
	switch {
	case f == nil:
		return g
	case g == nil:
		return f
	}
	return func(a A) { f(a); g(a) }
}

func two[A, B any](f, g func(A, B)) func(A, B) {
	switch {
	case f == nil:
		return g
	case g == nil:
		return f
	}
	return func(a A, b B) { f(a, b); g(a, b) }
}

func three[A, B, C any](f, g func(A, B, C)) func(A, B, C) {
	switch {
	case f == nil:
		return g
	case g == nil:
		return f
	}
	return func(a A, b B, c C) { f(a, b, c); g(a, b, c) }
}

func bothJournals(f, g func(time.Time) Journal) func(time.Time) Journal {
	switch {
	case f == nil:
		return g
	case g == nil:
		return f
	}
	return func(start time.Time) Journal { return journals{f(start), g(start)} }
}

// journals are two that are told the same.
type journals [2]Journal

var _ Journal = journals{}

func (j journals) Began(r *Record, at time.Duration) { j[0].Began(r, at); j[1].Began(r, at) }

func (j journals) Ended(seq uint64, at time.Duration, err error) {
	j[0].Ended(seq, at, err)
	j[1].Ended(seq, at, err)
}

func (j journals) Rest() { j[0].Rest(); j[1].Rest() }
