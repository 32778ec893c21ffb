package keepalive

import "errors"

// Counters count what happened since the pool began. Each request is in one of
// Fresh, Immediate, Deferred, Refused and Cancelled when it has ended; each
// connection in one of Evicted, Expired, Aged, Dead and Spoiled, unless Shutdown
// closed it.
type Counters struct {
	Fresh     int // requests that got a connection opened for them
	Immediate int // requests that got one that was idle
	Deferred  int // requests that waited for one

	Refused   Refusals // requests that were answered without a connection
	Cancelled int      // requests that were not answered

	Opened int // connections that were opened
	Failed int // openings without a connection, also those that were given up

	Evicted int // connections closed while idle, because another key needed room
	Expired int // after Config.KeepAlive
	Aged    int // after Config.MaxLifetime
	Dead    int // because their peer had closed them, or sent what nobody had asked for
	Spoiled int // when they came back, because they were closed or had unread input

	Tripped int // how often the circuit opened, failed probes included
}

// Refusals count requests that got no connection, by the cause.
type Refusals struct {
	Failed      int // the opening failed
	TimedOut    int // ErrTimeout
	Crowded     int // ErrTooManyWaiting
	CircuitOpen int // ErrCircuitOpen
	ShutDown    int // ErrShutDown
}

// Answered is how many requests were answered with a connection.
func (c Counters) Answered() int { return c.Fresh + c.Immediate + c.Deferred }

// Total is how many requests were answered without a connection.
func (r Refusals) Total() int {
	return r.Failed + r.TimedOut + r.Crowded + r.CircuitOpen + r.ShutDown
}

func (c *Counters) add(d Counters) {
	c.Fresh += d.Fresh
	c.Immediate += d.Immediate
	c.Deferred += d.Deferred
	c.Refused.Failed += d.Refused.Failed
	c.Refused.TimedOut += d.Refused.TimedOut
	c.Refused.Crowded += d.Refused.Crowded
	c.Refused.CircuitOpen += d.Refused.CircuitOpen
	c.Refused.ShutDown += d.Refused.ShutDown
	c.Cancelled += d.Cancelled
	c.Opened += d.Opened
	c.Failed += d.Failed
	c.Evicted += d.Evicted
	c.Expired += d.Expired
	c.Aged += d.Aged
	c.Dead += d.Dead
	c.Spoiled += d.Spoiled
	c.Tripped += d.Tripped
}

func (c *Counters) lent(from From) {
	switch from {
	case Fresh:
		c.Fresh++
	case Immediate:
		c.Immediate++
	default:
		c.Deferred++
	}
}

func (r *Refusals) count(function string, err error) {
	switch {
	case function == "queue":
		r.Crowded++
	case function == "breaker":
		r.CircuitOpen++
	case function == "shutdown":
		r.ShutDown++
	case errors.Is(err, ErrTimeout):
		r.TimedOut++
	default:
		r.Failed++
	}
}

func (c *Counters) closed(why reason) {
	switch why {
	case becauseEvicted:
		c.Evicted++
	case becauseExpired:
		c.Expired++
	case becauseAged:
		c.Aged++
	case becauseReadable:
		c.Dead++
	case becauseClosed, becauseUnread:
		c.Spoiled++
	}
}
