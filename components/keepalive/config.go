package keepalive

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// NoLimit, in a limit or time of Config, switches that limit off. It is not a
// number of seconds: a time of -time.Second is refused.
const NoLimit = -1

// What a zero field of Config means (A3–A6, A12).
const (
	defaultMaxPerHost = 4
	defaultMaxOpen    = 128
	defaultKeepAlive  = 15 * time.Second
	defaultTimeout    = 120 * time.Second

	defaultMaxWaiting  = 10_000
	defaultMaxLifetime = 30 * time.Minute
)

// Config sets the limits of one pool. The zero value works. Limits are not
// checked against each other, and pools do not share them (A14, A15).
type Config struct {
	// MaxPerHost is how many connections of one Key may be lent or being
	// opened at a time; idle ones do not count (A3, A20, A64).
	// 0 means 4, NoLimit any number.
	MaxPerHost int

	// MaxOpen is how many connections may be lent, being opened or idle at a
	// time, over all keys (A4). 0 means 128, NoLimit any number.
	MaxOpen int

	// KeepAlive is how long a returned connection may stay idle before it is
	// closed (A5, A94). 0 means 15 s, NoLimit until the peer closes it.
	// One nanosecond closes nearly every connection that nobody waits for.
	KeepAlive time.Duration

	// Timeout is how long a request may take from Allocate to its answer:
	// lookup, waiting and opening together (A6, A77). A request may bring its
	// own. 0 means 120 s, NoLimit for ever.
	Timeout time.Duration

	// MaxWaiting is how many requests may wait for a place at a time, over all
	// keys: while MaxPerHost or MaxOpen is reached. One more is answered at once
	// with ErrTooManyWaiting. 0 means 10,000, NoLimit any number.
	MaxWaiting int

	// MaxLifetime is how old a connection may get. When its time comes it is
	// closed, or at its release if it is lent; it is not lent any more. Each has
	// a lifetime of its own, up to 10 % shorter at random, so that they do not
	// all end together. 0 means 30 min, NoLimit for ever.
	MaxLifetime time.Duration

	// Breaker stops opening connections to a Key that fails. The zero value
	// never does.
	Breaker Breaker

	// These bound the stages of a request: how long it may wait until MaxPerHost
	// and MaxOpen let it be served, the lookup of the name, connecting (to all
	// addresses together) and the TLS handshake. They are within Timeout, not
	// beside it. One that passes is reported as function "wait", "resolve",
	// "connect" or "sslify", with an error that names it and matches ErrTimeout.
	// 0 means no limit but Timeout.
	WaitTimeout      time.Duration
	LookupTimeout    time.Duration
	ConnectTimeout   time.Duration
	HandshakeTimeout time.Duration

	// Resolver looks names up for this pool alone (A9, A10); a *net.Resolver
	// will do. Nil asks the kernel's Network, by default Go's resolver, which
	// all pools share (A11). It is asked on a goroutine; in simulated mode in
	// the pool's turn, where it must not wait. The pool does not close it (A110).
	Resolver Resolver

	// BindAddress is the local IP address, or "address:port", of every TCP
	// connection the pool opens (A7); the peer's addresses of another family are
	// not tried. Empty lets the system choose. One that this machine does not
	// have is reported by each request, as function "bind" (A8).
	BindAddress string

	// LeakAfter has a connection that is lent for longer reported, once, through
	// kernel.Kernel.Report: with its key, the session and event that got it, and
	// the line that asked for it. It stays lent, for its user may still work. Noting
	// that line costs about a microsecond for each request; kernels with
	// kernel.Config.Debug do it anyway, for connections that are dropped. While a connection is
	// lent and not reported, it keeps the kernel from being idle. 0 means never.
	LeakAfter time.Duration

	// TLS is for connections of scheme "https". Nil trusts the system's roots.
	// Without a ServerName it is the key's ForAddr, a name or an address: Addr,
	// unless there is a proxy's target. NextProtos and client certificates are
	// used as they are. It must not be changed after New.
	TLS *tls.Config
}

// complete returns c with its defaults filled in. Its error is an ErrArgument
// that names the field.
func (c Config) complete() (Config, error) {
	var err error
	if c.MaxPerHost, err = limit("Config.MaxPerHost", c.MaxPerHost, defaultMaxPerHost); err != nil {
		return Config{}, err
	}
	if c.MaxOpen, err = limit("Config.MaxOpen", c.MaxOpen, defaultMaxOpen); err != nil {
		return Config{}, err
	}
	if c.KeepAlive, err = limit("Config.KeepAlive", c.KeepAlive, defaultKeepAlive); err != nil {
		return Config{}, err
	}
	if c.Timeout, err = limit("Config.Timeout", c.Timeout, defaultTimeout); err != nil {
		return Config{}, err
	}
	if c.MaxWaiting, err = limit("Config.MaxWaiting", c.MaxWaiting, defaultMaxWaiting); err != nil {
		return Config{}, err
	}
	if c.MaxLifetime, err = limit("Config.MaxLifetime", c.MaxLifetime, defaultMaxLifetime); err != nil {
		return Config{}, err
	}
	if c.Breaker, err = c.Breaker.complete(); err != nil {
		return Config{}, err
	}
	if c.LeakAfter < 0 {
		return Config{}, fmt.Errorf("%w: Config.LeakAfter is %v; want 0 for never, or more", ErrArgument, c.LeakAfter)
	}
	return c, errors.Join(
		optional("Config.WaitTimeout", c.WaitTimeout),
		optional("Config.LookupTimeout", c.LookupTimeout),
		optional("Config.ConnectTimeout", c.ConnectTimeout),
		optional("Config.HandshakeTimeout", c.HandshakeTimeout),
		checkBind(c.BindAddress),
	)
}

func checkBind(s string) error {
	if s == "" {
		return nil
	}
	if _, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return nil
	}
	if _, err := netip.ParseAddrPort(s); err == nil {
		return nil
	}
	return fmt.Errorf("%w: Config.BindAddress is %q; want an IP address, or one with a port", ErrArgument, s)
}

// limit reads one field: 0 is its default (A12), and below NoLimit is a
// mistake, where POE took a negative time for one that is over already (A13).
func limit[T int | time.Duration](field string, v, def T) (T, error) {
	switch {
	case v == 0:
		return def, nil
	case v < NoLimit:
		return 0, fmt.Errorf("%w: %s is %v; want 0 for the default of %v, NoLimit (-1), or more", ErrArgument, field, v, def)
	}
	return v, nil
}
