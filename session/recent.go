package session

import (
	"unsafe"

	"github.com/usher-go/usher/kernel"
)

// recent finds a handler by the identity of the event's name: a constant used to
// build the table and to post is one string in the program, so comparing two
// words replaces hashing it. It is filled once and read by any number of
// goroutines; a name made at run time is simply not found here.
type recent struct {
	shift uint8
	slots []slot
}

type slot struct {
	name string
	h    kernel.Handler
}

func (r *recent) index(name string) uintptr {
	p := uintptr(unsafe.Pointer(unsafe.StringData(name)))
	return (p>>3 ^ p>>r.shift ^ uintptr(len(name))) & uintptr(len(r.slots)-1)
}

// fill places the table's names; of two that fall on one slot, the loser is
// left to the map. A few shifts are tried for a table without losers.
func (r *recent) fill(states map[string]kernel.Handler) {
	size := 4
	for size < 2*len(states) {
		size *= 2
	}
	best := -1
	for shift := uint8(5); shift < 14; shift++ {
		t := recent{shift, make([]slot, size)}
		placed := 0
		for name, h := range states {
			if s := &t.slots[t.index(name)]; s.h == nil {
				*s = slot{name, h}
				placed++
			}
		}
		if placed > best {
			*r, best = t, placed
		}
		if placed == len(states) {
			return
		}
	}
}

func (r *recent) find(name string) kernel.Handler {
	s := &r.slots[r.index(name)]
	if len(s.name) == len(name) && unsafe.StringData(s.name) == unsafe.StringData(name) {
		return s.h
	}
	return nil
}
