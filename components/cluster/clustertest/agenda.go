package clustertest

import (
	"slices"
	"time"
)

// agenda is what At was asked for, by time, and at one time in the order of asking.
type agenda []entry

type entry struct {
	at time.Duration
	do func()
}

func (a *agenda) add(e entry) {
	i, _ := slices.BinarySearchFunc(*a, e.at, func(x entry, at time.Duration) int {
		if x.at <= at {
			return -1
		}
		return 1
	})
	*a = slices.Insert(*a, i, e)
}

// take removes the first entry if it is due.
func (a *agenda) take(now time.Duration) (do func(), ok bool) {
	if len(*a) == 0 || (*a)[0].at > now {
		return nil, false
	}
	do = (*a)[0].do
	*a = slices.Delete(*a, 0, 1)
	return do, true
}

// At calls f when so much time has passed since the world's beginning; at once, when
// the world runs next, if it has already. f is for faults and for what a test does
// from outside: it may use everything of the world but Run and RunUntil. It is
// called between two events of the whole world.
func (w *World) At(d time.Duration, f func()) { w.agenda.add(entry{d, f}) }
