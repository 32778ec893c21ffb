//go:build unix

package prefork

import (
	"fmt"
	"runtime"
	"time"
)

// seat is a worker's own line of the scoreboard. A write is an atomic store: no
// lock, no system call. One goroutine at a time may call set; the rest may be
// called from any.
type seat struct {
	board *scoreboard // keeps the memory mapped
	line  *line
}

// seat returns the line of a worker that the master made room for, and puts pid
// into it.
func (b *scoreboard) seat(slot int, life uint64, pid int) (*seat, error) {
	if slot < 0 || slot >= len(b.lines) {
		return nil, fmt.Errorf("%w: slot %d of %d; %s", ErrScoreboard, slot, len(b.lines), sameBinary)
	}
	l := &b.lines[slot]
	if g := l.life.Load(); g != life {
		return nil, fmt.Errorf("%w: slot %d is for worker %d, not %d; %s", ErrScoreboard, slot, g, life, sameBinary)
	}
	l.pid.Store(uint64(pid))
	return &seat{b, l}, nil
}

// set changes the state.
func (s *seat) set(state State, now time.Time) {
	s.line.state.Store(uint64(state))
	s.line.changed.Store(s.board.clock.encode(now))
	runtime.KeepAlive(s.board)
}

// show tells the watchdog that the worker lives (P61), from any goroutine. A
// moment in the future asks for that much more patience, and stands until then.
func (s *seat) show(life time.Time) {
	at := s.board.clock.encode(life)
	for old := s.line.beat.Load(); old < at && !s.line.beat.CompareAndSwap(old, at); {
		old = s.line.beat.Load()
	}
	runtime.KeepAlive(s.board)
}

// shown is the last moment that show was given.
func (s *seat) shown() time.Time {
	at := s.board.clock.decode(s.line.beat.Load())
	runtime.KeepAlive(s.board)
	return at
}

// connection counts an accepted connection and returns how many there were.
func (s *seat) connection() uint64 {
	n := s.line.connections.Add(1)
	runtime.KeepAlive(s.board)
	return n
}

// request counts a finished request, not its parts (P20).
func (s *seat) request() uint64 {
	n := s.line.requests.Add(1)
	runtime.KeepAlive(s.board)
	return n
}
