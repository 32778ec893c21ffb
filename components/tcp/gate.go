package tcp

// gate decides when a server accepts: it is told who comes and goes, and says what
// is to be done about it (C16–C19).
type gate struct {
	limit  int // NoLimit, or how many there may be
	count  int // how many there are
	paused bool
	down   bool // not listening any more
}

type gateMove uint8

const (
	stay gateMove = iota
	pause
	resume
)

func (g *gate) full() bool { return g.limit != NoLimit && g.count >= g.limit }

func (g *gate) enter() gateMove { g.count++; return g.move() }

// leave reports false when nobody was there to leave (C19).
func (g *gate) leave() (gateMove, bool) {
	if g.count == 0 {
		return stay, false
	}
	g.count--
	return g.move(), true
}

// allow changes the limit. NoLimit resumes like any other (unlike C18).
func (g *gate) allow(limit int) gateMove { g.limit = limit; return g.move() }

// shut reports whether connections that were accepted may still come in.
func (g *gate) shut() (drain bool) {
	g.down = true
	return !g.paused
}

func (g *gate) move() gateMove {
	if g.down || g.full() == g.paused {
		return stay
	}
	g.paused = !g.paused
	if g.paused {
		return pause
	}
	return resume
}
