package keepalive

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// fails has an opening for key addr fail.
func (p pool) fails(req RequestID, addr string) {
	p.Helper()
	c := p.table.lastConn + 1
	p.do(allocate{req: req, key: key(addr), timeout: NoLimit}, dial{c, req, key(addr)})
	p.do(dialFailed{c, "connect", errRefused}, failed(req, addr, "connect", errRefused))
}

// broken is the answer of a circuit that a refused connection opened; in is how
// long it takes until the next probe, 0 while one is under way.
func (p pool) broken(req RequestID, addr string, in time.Duration) answer {
	e := &CircuitError{Last: fmt.Errorf("connect: %w", errRefused)}
	if in > 0 {
		e.Until = p.now.Add(in)
	}
	return failed(req, addr, "breaker", e)
}

func (p pool) passes(d time.Duration) { p.world.now = p.now.Add(d) }

func (p pool) circuit(addr string, want CircuitState) {
	p.Helper()
	for _, k := range p.table.stats().Keys {
		if k.Key == key(addr) && k.Circuit == want {
			return
		}
	}
	p.Fatalf("the circuit of %s is not %v: %+v", addr, want, p.table.stats().Keys)
}

// tripped is a pool whose circuit for key a opened now, at its first failure, for
// one second; request 1 is used up.
func tripped(t *testing.T, cfg Config) pool {
	t.Helper()
	cfg.Breaker = Breaker{Failures: 1, MaxCooldown: 3 * time.Second}
	p := newPool(t, cfg)
	p.fails(1, "a")
	p.circuit("a", CircuitOpen)
	return p
}

func TestBreaker_FailuresInARow(t *testing.T) {
	p := newPool(t, Config{Breaker: Breaker{Failures: 2}})
	p.fails(1, "a")
	p.do(allocate{req: 2, key: key("a")}, dial{2, 2, key("a")})
	p.do(dialed{2}, answer{req: 2, conn: 2}) // ends the row
	p.do(release{2, closed}, discard{2, becauseClosed})
	p.fails(3, "a")
	p.circuit("a", CircuitClosed)
	p.fails(4, "b") // another's
	p.fails(5, "a")
	p.circuit("a", CircuitOpen)
	p.circuit("b", CircuitClosed)
	p.do(allocate{req: 6, key: key("a")}, p.broken(6, "a", time.Second))
	p.do(allocate{req: 7, key: key("b")}, dial{6, 7, key("b")})
}

func TestBreaker_OffUnlessAsked(t *testing.T) {
	p := newPool(t, Config{})
	for i := range RequestID(100) {
		p.fails(i+1, "a")
		p.do(report{key("a"), true})
	}
	if b := p.table.hosts[key("a")].breaker; b != nil {
		t.Errorf("%+v is remembered", b)
	}
}

func TestBreaker_AnswersThoseThatWait(t *testing.T) {
	p := newPool(t, Config{MaxPerHost: 2, Timeout: time.Minute, Breaker: Breaker{Failures: 1}})
	p.do(allocate{req: 1, key: key("a")}, startTimer{1, time.Minute}, dial{1, 1, key("a")})
	p.do(allocate{req: 2, key: key("a")}, startTimer{2, time.Minute}, dial{2, 2, key("a")})
	p.do(allocate{req: 3, key: key("a")}, startTimer{3, time.Minute})
	p.do(allocate{req: 4, key: key("a")}, startTimer{4, time.Minute})
	p.do(dialFailed{1, "connect", errRefused},
		stopTimer{3}, p.broken(3, "a", time.Second),
		stopTimer{4}, p.broken(4, "a", time.Second),
		stopTimer{1}, failed(1, "a", "connect", errRefused))
	p.do(dialed{2}, stopTimer{2}, answer{req: 2, conn: 2}) // began before, and proves nothing
	p.circuit("a", CircuitOpen)
}

func TestBreaker_IdleConnectionsStayUsable(t *testing.T) {
	p := newPool(t, Config{Breaker: Breaker{Failures: 1}})
	p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
	p.do(dialed{1}, answer{req: 1, conn: 1})
	p.fails(2, "a")
	p.do(release{1, clean}, watch{1})
	p.do(allocate{req: 3, key: key("a")}, unwatch{1}, answer{req: 3, conn: 1, from: Immediate})
	p.do(allocate{req: 4, key: key("a")}, p.broken(4, "a", time.Second))
}

func TestBreaker_TheProbeCloses(t *testing.T) {
	p := tripped(t, Config{})
	p.passes(time.Second - 1)
	p.do(allocate{req: 2, key: key("a")}, p.broken(2, "a", 1))
	p.passes(1)
	p.circuit("a", CircuitHalfOpen)
	p.do(allocate{req: 3, key: key("a")}, dial{2, 3, key("a")})
	p.do(allocate{req: 4, key: key("a")}, p.broken(4, "a", 0))
	p.do(dialed{2}, answer{req: 3, conn: 2})
	p.circuit("a", CircuitClosed)
	p.do(allocate{req: 5, key: key("a")}, dial{3, 5, key("a")})
	p.do(allocate{req: 6, key: key("a")}, dial{4, 6, key("a")})
}

// Twice the time after each probe in vain, up to MaxCooldown, each time less by
// its own part of 10 %.
func TestBreaker_CooldownDoublesToItsMaximum(t *testing.T) {
	p := tripped(t, Config{})
	p.passes(time.Second)
	for i, want := range []time.Duration{2 * time.Second, 3 * time.Second, 3 * time.Second} {
		p.world.chance = float64(i) / 4
		want -= time.Duration(i) * want / 40
		p.fails(RequestID(10+i), "a")
		p.do(allocate{req: RequestID(20 + i), key: key("a")}, p.broken(RequestID(20+i), "a", want))
		p.passes(want)
	}
	p.do(allocate{req: 30, key: key("a")}, dial{5, 30, key("a")})
	p.do(dialed{5}, answer{req: 30, conn: 5})
	p.world.chance = 0
	p.fails(31, "a")
	p.do(allocate{req: 32, key: key("a")}, p.broken(32, "a", time.Second)) // from the start again
}

// A probe that ends before it has proved anything leaves its turn to the next.
func TestBreaker_ProbesThatProveNothing(t *testing.T) {
	next := func(p pool) {
		p.Helper()
		c := p.table.lastConn + 1
		p.do(allocate{req: 100, key: key("a"), timeout: NoLimit}, dial{c, 100, key("a")})
		p.do(allocate{req: 101, key: key("a")}, p.broken(101, "a", 0))
	}
	t.Run("cancelled while opening", func(t *testing.T) {
		p := tripped(t, Config{})
		p.passes(time.Second)
		p.do(allocate{req: 2, key: key("a")}, dial{2, 2, key("a")})
		p.do(cancel{2}, abortDial{2})
		next(p)
		p.do(dialFailed{2, "connect", errRefused}) // says nothing of the new probe
		p.circuit("a", CircuitHalfOpen)
		p.do(dialed{3}, answer{req: 100, conn: 3})
		p.circuit("a", CircuitClosed)
	})
	// crowded is one whose probe has to wait, as MaxOpen is reached.
	crowded := func(t *testing.T) pool {
		p := tripped(t, Config{MaxOpen: 1})
		p.passes(time.Second)
		p.do(allocate{req: 2, key: key("b")}, dial{2, 2, key("b")})
		p.do(allocate{req: 3, key: key("a"), timeout: time.Second}, startTimer{1, time.Second})
		p.do(allocate{req: 4, key: key("a")}, p.broken(4, "a", 0))
		return p
	}
	t.Run("cancelled while waiting", func(t *testing.T) {
		p := crowded(t)
		p.do(cancel{3}, stopTimer{1})
		p.do(dialFailed{2, "connect", errRefused}, failed(2, "b", "connect", errRefused))
		next(p)
	})
	t.Run("timed out while waiting", func(t *testing.T) {
		p := crowded(t)
		p.do(timeUp{1}, failed(3, "a", "connect", ErrTimeout))
		p.do(dialFailed{2, "connect", errRefused}, failed(2, "b", "connect", errRefused))
		next(p)
	})
	t.Run("served by another's release", func(t *testing.T) {
		p := newPool(t, Config{MaxPerHost: 2, Breaker: Breaker{Failures: 1}})
		p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
		p.do(dialed{1}, answer{req: 1, conn: 1})
		p.do(allocate{req: 2, key: key("a")}, dial{2, 2, key("a")})
		p.do(dialed{2}, answer{req: 2, conn: 2})
		p.do(report{key("a"), true})
		p.passes(time.Second)
		p.do(allocate{req: 3, key: key("a")}) // MaxPerHost
		p.do(release{1, clean}, answer{req: 3, conn: 1, from: Deferred})
		p.circuit("a", CircuitHalfOpen)
		p.do(allocate{req: 4, key: key("a")})
		p.do(release{2, closed}, discard{2, becauseClosed}, dial{3, 4, key("a")})
		p.do(dialed{3}, answer{req: 4, conn: 3})
		p.circuit("a", CircuitClosed)
	})
}

func TestBreaker_OpeningsThatTakeTooLongAreFailures(t *testing.T) {
	p := newPool(t, Config{Timeout: time.Second, Breaker: Breaker{Failures: 2}})
	p.do(allocate{req: 1, key: key("a")}, startTimer{1, time.Second}, dial{1, 1, key("a")})
	p.do(timeUp{1}, abortDial{1}, failed(1, "a", "connect", ErrTimeout))
	p.do(dialFailed{1, "connect", errRefused}) // counted already
	p.circuit("a", CircuitClosed)

	p.do(allocate{req: 2, key: key("a")}, startTimer{2, time.Second}, dial{2, 2, key("a")})
	p.do(cancel{2}, abortDial{2}, stopTimer{2})
	p.do(dialFailed{2, "connect", errRefused}) // nobody's failure
	p.circuit("a", CircuitClosed)

	p.do(allocate{req: 3, key: key("a")}, startTimer{3, time.Second}, dial{3, 3, key("a")})
	p.do(timeUp{3}, abortDial{3}, failed(3, "a", "connect", ErrTimeout))
	p.circuit("a", CircuitOpen)

	p.passes(time.Second) // the probe takes too long, too
	p.do(allocate{req: 4, key: key("a")}, startTimer{4, time.Second}, dial{4, 4, key("a")})
	p.do(timeUp{4}, abortDial{4}, failed(4, "a", "connect", ErrTimeout))
	p.passes(2*time.Second - 1)
	p.circuit("a", CircuitOpen)
	p.passes(1)
	p.circuit("a", CircuitHalfOpen)
}

func TestBreaker_RatioOfTheLastOnes(t *testing.T) {
	p := newPool(t, Config{Breaker: Breaker{Ratio: 0.5, Window: 4}})
	p.do(allocate{req: 1, key: key("a")}, dial{1, 1, key("a")})
	p.do(dialed{1}, answer{req: 1, conn: 1})
	p.do(report{key("a"), true})
	p.do(report{key("a"), true})  // two of three: too few to say
	p.do(report{key("a"), false}) // two of four, but a success opens nothing
	for _, failed := range []bool{false, false, true, false, false} {
		p.do(report{key("a"), failed})
		p.circuit("a", CircuitClosed) // one of the last four, at the end
	}
	p.do(report{key("a"), true})
	p.circuit("a", CircuitOpen)
}

func TestBreaker_ReportsAreARowOfTheirOwn(t *testing.T) {
	p := newPool(t, Config{Breaker: Breaker{Failures: 2}})
	serve := func(req RequestID, failed ...bool) {
		t.Helper()
		c := p.table.lastConn + 1
		p.do(allocate{req: req, key: key("a")}, dial{c, req, key("a")})
		p.do(dialed{c}, answer{req: req, conn: c})
		for _, f := range failed {
			p.do(report{key("a"), f})
		}
		p.do(release{c, closed}, discard{c, becauseClosed})
	}
	serve(1, true, false)
	serve(2, true)
	p.circuit("a", CircuitClosed)
	serve(3, true) // in a row, though each time a connection was opened in between
	p.circuit("a", CircuitOpen)
	p.do(report{key("a"), false}) // only the probe counts now
	p.circuit("a", CircuitOpen)
	e := &CircuitError{Until: p.now.Add(time.Second), Last: errReported}
	p.do(allocate{req: 4, key: key("a")}, failed(4, "a", "breaker", e))
}

func TestBreaker_ShutdownEndsIt(t *testing.T) {
	p := tripped(t, Config{})
	p.passes(time.Second)
	p.do(allocate{req: 2, key: key("a")}, dial{2, 2, key("a")})
	p.do(shutDown{}, abortDial{2}, failed(2, "a", "shutdown", ErrShutDown))
	p.do(report{key("a"), true})
	p.do(dialFailed{2, "connect", errRefused})
	p.stats(Load{})
}

func TestCircuitError(t *testing.T) {
	until := time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)
	err := error(&Error{Function: "breaker", Key: key("a"), Err: &CircuitError{Until: until, Last: fmt.Errorf("connect: %w", errRefused)}})
	var e *CircuitError
	if !errors.Is(err, ErrCircuitOpen) || !errors.Is(err, errRefused) || !errors.As(err, &e) || e.Until != until {
		t.Errorf("%v cannot be matched", err)
	}
	want := `keepalive: breaker http://a:80: the circuit is open after "connect: connection refused", the next probe is due at 2026-01-02T03:04:05.006Z; ask again then, or ask another peer`
	if err.Error() != want {
		t.Errorf("got %s; want %s", err, want)
	}
	if under := (&CircuitError{Last: errRefused}).Error(); !strings.Contains(under, "a probe is under way; ask again then") {
		t.Errorf("got %s", under)
	}
}
