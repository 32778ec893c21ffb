package clustertest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// How long a dial may take, and how long after a failure the next may be: twice as
// long each time until one succeeds, half of it by chance.
const (
	dialTimeout = 5 * time.Second
	firstRest   = 100 * time.Millisecond
	longestRest = 2 * time.Second
)

// sender is the way to one address: at rest, dialling, or connected.
type sender struct {
	t  *transport
	to string

	cancel func()          // of the dial, until its outcome was looked at
	timer  func() bool     // the dial's time
	conn   *wheeltest.Conn // its outcome …
	err    error           // … or this
	up     bool            // connected, and the carrier knows
	queue  []byte          // what the connection has not taken yet
	soon   bool            // there is a job to move on
	fails  int             // since it was connected last
	rest   time.Duration   // no dial before this time of the world
	gone   bool
}

// send takes a frame. What comes while the last failure is fresh is thrown away: the
// carrier was told.
func (s *sender) send(frame []byte) {
	if s.cancel == nil && s.conn == nil {
		if s.t.life.m.w.now < s.rest {
			return
		}
		s.dial()
	}
	s.queue = append(s.queue, frame...)
	s.wake()
}

func (s *sender) dial() {
	s.cancel = s.t.host.DialAsync(context.Background(), "tcp", s.to, func(c net.Conn, err error) {
		s.stopTimer()
		if s.err = err; err == nil {
			s.conn = c.(*wheeltest.Conn)
			s.conn.Notify(s.wake, s.wake)
		}
		s.wake()
	})
	s.timer = s.t.life.m.w.clock.AfterFunc(dialTimeout, func() {
		s.cancel()
		s.err = fmt.Errorf("no answer within %v", dialTimeout)
		s.wake()
	})
}

// wake has a turn of the machine look what can be done, if anything can.
func (s *sender) wake() {
	if !s.soon && (s.conn != nil || s.err != nil) {
		s.soon = true
		s.t.later(func() { s.soon = false; s.move() })
	}
}

// move does what can be done.
func (s *sender) move() {
	switch {
	case s.gone || s.conn == nil && s.err == nil:
		return
	case s.err != nil:
		s.fail(s.err)
		return
	case !s.up:
		s.up, s.cancel, s.fails = true, nil, 0
		s.wake()
		s.t.carrier.Connected(s.to)
		return
	}
	if err := s.flush(); err != nil {
		s.fail(err)
		return
	}
	switch _, err := s.conn.TryRead(make([]byte, 1)); {
	case errors.Is(err, wheel.ErrAgain):
	case err == nil:
		s.fail(fmt.Errorf("%w: the receiver has sent something", ErrGarbage))
	default: // also at its end: the receiver is not there any more
		s.fail(err)
	}
}

// flush sends what the connection takes.
func (s *sender) flush() error {
	for len(s.queue) > 0 {
		n, err := s.conn.TryWrite(s.queue)
		s.queue = s.queue[n:]
		switch {
		case errors.Is(err, wheel.ErrAgain):
			return nil
		case err != nil:
			return err
		}
	}
	return nil
}

// fail gives up what there is, for a while.
func (s *sender) fail(err error) {
	s.cut(true)
	s.queue, s.err, s.up = nil, nil, false
	rest := min(firstRest<<min(s.fails, 10), longestRest)
	s.fails++
	w := s.t.life.m.w
	s.rest = w.now + rest/2 + time.Duration(w.rand.Int64N(int64(rest/2)+1))
	s.t.carrier.Broken(s.to, fmt.Errorf("clustertest: %s to %s: %w: %w", s.t.life.m.name, s.to, ErrLost, err))
}

// close is the end, after what is queued, if not hard.
func (s *sender) close(hard bool) {
	if s.conn != nil && !hard {
		_ = s.flush()
	}
	s.gone = true
	s.cut(hard)
}

// cut ends dial and connection.
func (s *sender) cut(hard bool) {
	s.stopTimer()
	if s.cancel != nil {
		s.cancel()
		s.cancel = nil
	}
	if s.conn == nil {
		return
	}
	if hard {
		discard(s.conn)
	} else {
		_ = s.conn.Close()
	}
	s.conn = nil
}

func (s *sender) stopTimer() {
	if s.timer != nil {
		s.timer()
		s.timer = nil
	}
}
