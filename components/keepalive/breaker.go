package keepalive

import (
	"errors"
	"fmt"
	"time"
)

const (
	defaultWindow      = 20
	defaultCooldown    = time.Second
	defaultMaxCooldown = 30 * time.Second
)

// Breaker is the rule by which a pool stops opening connections to a Key that
// fails, and tells its users at once. The zero value never does.
//
// A circuit opens when one of the two rules, Failures and Ratio, is met. Then
// requests which find no idle connection are answered at once with function
// "breaker" and a *CircuitError, and so are those that wait; idle and lent
// connections stay usable. After Cooldown the circuit is half-open: the next such
// request is the probe, and it alone may have a connection opened, while others
// are answered as before. Its success closes the circuit; its failure opens it
// for twice the time, up to MaxCooldown. A probe that is cancelled, or that ends
// before its opening began, proves nothing, and the next request is the probe.
//
// A failure is an opening that failed (lookup, connection, TLS) or that was not
// done when its request's time was over, or a Conn.Report(false). A cancelled
// opening counts for nothing, nor does one whose Get gave up because its context ended:
// where that is what bounds the wait, as with package httpclient, set
// Config.ConnectTimeout, too. While a circuit is open or half-open only its probe counts.
type Breaker struct {
	// Failures is how many openings, or how many reports, may fail in a row: the
	// last of them opens the circuit. A success ends only a row of its own kind,
	// since a peer can take connections and yet serve nobody. 0 means no such
	// rule.
	Failures int

	// Ratio opens the circuit when this part, above 0 and up to 1, of the last
	// Window openings and reports failed; fewer than Window prove nothing.
	// 0 means no such rule.
	Ratio float64

	// Window is what Ratio looks at. 0 means 20.
	Window int

	// Cooldown is how long a circuit is open at first, and MaxCooldown how long
	// at most. Each time is shortened by up to 10 % at random, so that pools do
	// not probe together. 0 means 1 s, and 30 s or Cooldown if that is longer.
	Cooldown    time.Duration
	MaxCooldown time.Duration
}

func (b Breaker) on() bool { return b.Failures > 0 || b.Ratio > 0 }

// complete returns b with its defaults filled in; its error names the field.
func (b Breaker) complete() (Breaker, error) {
	bad := func(field string, value any, want string) (Breaker, error) {
		return Breaker{}, fmt.Errorf("%w: Config.Breaker.%s is %v; want %s", ErrArgument, field, value, want)
	}
	switch {
	case b.Failures < 0:
		return bad("Failures", b.Failures, "0 for no such rule, or more")
	case !(b.Ratio >= 0 && b.Ratio <= 1):
		return bad("Ratio", b.Ratio, "0 for no such rule, or up to 1")
	case b.Window < 0 || b.Window > maxWindow:
		return bad("Window", b.Window, fmt.Sprintf("0 for the default of %d, or up to %d", defaultWindow, maxWindow))
	case b.Cooldown < 0:
		return bad("Cooldown", b.Cooldown, fmt.Sprintf("0 for the default of %v, or more", defaultCooldown))
	case b.MaxCooldown < 0 || 0 < b.MaxCooldown && b.MaxCooldown < b.Cooldown:
		return bad("MaxCooldown", b.MaxCooldown, "0 for the default, or Cooldown or more")
	case !b.on():
		return b, nil
	}
	if b.Window == 0 {
		b.Window = defaultWindow
	}
	if b.Cooldown == 0 {
		b.Cooldown = defaultCooldown
		if b.MaxCooldown > 0 {
			b.Cooldown = min(defaultCooldown, b.MaxCooldown)
		}
	}
	if b.MaxCooldown == 0 {
		b.MaxCooldown = max(defaultMaxCooldown, b.Cooldown)
	}
	return b, nil
}

// maxWindow bounds what a key costs: a byte for each.
const maxWindow = 10_000

// CircuitState is the state of a key's Breaker.
type CircuitState int

const (
	CircuitClosed   CircuitState = iota // as without a Breaker
	CircuitHalfOpen                     // the next request is the probe, or one is under way
	CircuitOpen                         // no connection is opened
)

// String gives "closed", "half-open" or "open".
func (s CircuitState) String() string {
	switch s {
	case CircuitHalfOpen:
		return "half-open"
	case CircuitOpen:
		return "open"
	}
	return "closed"
}

// MarshalText is String, for JSON.
func (s CircuitState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// CircuitError is the cause of an answer by a Breaker. It matches ErrCircuitOpen
// and the failure that opened the circuit, so that ErrTimeout, say, has to be
// looked for after ErrCircuitOpen.
type CircuitError struct {
	// Until is when the next probe may be made; zero while one is under way.
	Until time.Time

	// Last is the failure that opened the circuit.
	Last error
}

// Error says when the next probe is due, and the last failure.
func (e *CircuitError) Error() string {
	when := "a probe is under way"
	if !e.Until.IsZero() {
		when = "the next probe is due at " + e.Until.Format("2006-01-02T15:04:05.000Z07:00")
	}
	return fmt.Sprintf("%v after %q, %s; ask again then, or ask another peer", ErrCircuitOpen, e.Last, when)
}

// Unwrap returns ErrCircuitOpen and the last failure.
func (e *CircuitError) Unwrap() []error { return []error{ErrCircuitOpen, e.Last} }

// errReported is the failure behind a Conn.Report(false).
var errReported = errors.New("reported by a user of the connection")
