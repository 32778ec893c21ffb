package keepalive

import "time"

// breaker is what a key remembers of its failures.
type breaker struct {
	state CircuitState // open also when until has passed and nobody has asked since

	// While closed.
	rows   [2]int // failures in a row, by evidence
	window []bool // the last ones, true for failed; a ring once it is full
	next   int    // the oldest of a full window
	failed int    // in window

	// While open or half-open.
	wait  time.Duration // the last cooldown, before chance
	until time.Time     // open
	last  error
	probe *request // half-open: who alone may open; nil: who comes next
}

// evidence is what a failure or success is one of.
type evidence int

const (
	anOpening evidence = iota
	aReport
)

// add enters one more outcome and reports whether the circuit has to open.
func (b *breaker) add(cfg *Breaker, e evidence, failed bool) bool {
	if failed {
		b.rows[e]++
	} else {
		b.rows[e] = 0
	}
	if cfg.Ratio > 0 {
		b.slide(cfg.Window, failed)
	}
	return failed && (cfg.Failures > 0 && b.rows[e] >= cfg.Failures ||
		cfg.Ratio > 0 && len(b.window) == cfg.Window && float64(b.failed) >= cfg.Ratio*float64(cfg.Window))
}

func (b *breaker) slide(size int, failed bool) {
	if failed {
		b.failed++
	}
	if len(b.window) < size {
		b.window = append(b.window, failed)
		return
	}
	if b.window[b.next] {
		b.failed--
	}
	b.window[b.next] = failed
	b.next = (b.next + 1) % size
}

// blank reports that there is no failure to remember.
func (b *breaker) blank() bool {
	return b.state == CircuitClosed && b.rows == [2]int{} && b.failed == 0
}

// at is the state as users see it.
func (b *breaker) at(now time.Time) CircuitState {
	switch {
	case b == nil:
		return CircuitClosed
	case b.state == CircuitOpen && !now.Before(b.until):
		return CircuitHalfOpen
	}
	return b.state
}

// refusal is the answer of a circuit that is not closed.
func (b *breaker) refusal() error {
	if b.state == CircuitHalfOpen {
		return &CircuitError{Last: b.last}
	}
	return &CircuitError{Until: b.until, Last: b.last}
}
