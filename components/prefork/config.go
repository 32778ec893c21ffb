package prefork

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/usher-go/usher/kernel"
)

// Unlimited switches off a limit whose comment names it.
const Unlimited = -1

// MaxWorkers is the most that Config.MaxClients may be: each worker has a line
// in the scoreboard from the beginning.
const MaxWorkers = 4096

// Config describes a pool of workers. The zero value of each field works.
type Config struct {
	// Name tells several pools of one program apart: 1 to 64 letters, digits,
	// dots, dashes and underscores. Default "prefork".
	Name string

	// Listen holds the shared listeners: "tcp://127.0.0.1:8080",
	// "tcp://:0" (without a host: loopback; port 0: any free port),
	// "tcp://0.0.0.0:80" (all addresses), "unix:///run/x.sock" and
	// "unix:///run/x.sock?mode=0660". Default none.
	Listen []string

	StartServers    int // workers started at first; default 5, raised to MinSpareServers, cut to MaxClients (P46, P5, P47)
	MinSpareServers int // idle workers kept ready; default 1 (P44)
	MaxSpareServers int // idle workers kept at most; default 10, raised above MinSpareServers; Unlimited (P45)
	MaxClients      int // living workers at most, busy and idle; default 50, at most MaxWorkers (P48)

	// MaxRequests is how many connections a worker accepts before it is
	// replaced. Default 25; Unlimited (P66).
	MaxRequests int

	// Timeout is how long a worker may be silent before it is ended. Default 0:
	// for ever (P49). A worker shows life from an event of its own: in a serial
	// kernel that is roughly how long any handler may block, in a parallel one
	// a blocked handler holds up its own session only and is not noticed (P68).
	Timeout time.Duration

	// StartTimeout is how long a worker may take until it is ready, from the
	// start of its process. Default 1 min; Unlimited.
	StartTimeout time.Duration

	// ConnsPerServer is how many connections a worker serves at the same time.
	// Default 1; Unlimited (P65). With several listeners it may be exceeded by
	// the number of the others: what came in on them at the same moment has
	// been accepted here and nobody else could serve it.
	ConnsPerServer int

	// KeepOnError keeps the pool when a worker's process cannot be created, and
	// tries again later. Default false: the pool shuts down (P43).
	KeepOnError bool

	// ForkHandlers are called in every worker, after Server and before it
	// accepts, in no order: an event by the session that gets it (P7). One that
	// fails is a failed start.
	ForkHandlers map[kernel.Address]string

	// Server builds the worker's server session, in the worker, and says so
	// with Worker.Serve. It runs inside the handler of a session that ends with
	// the worker. An error is a failed start. Needed.
	Server func(c *kernel.Context, w *Worker) error

	// ReadTimeout is how long a connection may be silent in both directions; a
	// read that waits for longer fails. Default 30 s; Unlimited.
	ReadTimeout time.Duration

	CheckSpares time.Duration // between two looks at the number of workers; default 1 s (P9)
	Grace       time.Duration // from being asked to stop to SIGKILL; default 10 s; Unlimited (P82)
}

// complete returns c with its defaults filled in, or a *ConfigError.
func (c Config) complete() (Config, error) {
	if c.Name == "" {
		c.Name = "prefork"
	}
	if !validName(c.Name) {
		return c, &ConfigError{"Name", strconv.Quote(c.Name), "1 to 64 letters, digits, dots, dashes and underscores"}
	}
	if _, err := c.addresses(); err != nil {
		return c, err
	}
	if c.MaxClients < 0 || c.MaxClients > MaxWorkers {
		return c, &ConfigError{"MaxClients", c.MaxClients, fmt.Sprintf("0 for the default of 50, or 1 to %d", MaxWorkers)}
	}
	if c.Timeout < 0 {
		return c, &ConfigError{"Timeout", c.Timeout, "0 for no watchdog, or more"}
	}
	for _, err := range []error{
		number("StartServers", &c.StartServers, 5, false),
		number("MinSpareServers", &c.MinSpareServers, 1, false),
		number("MaxSpareServers", &c.MaxSpareServers, 10, true),
		number("MaxClients", &c.MaxClients, 50, false),
		number("MaxRequests", &c.MaxRequests, 25, true),
		number("ConnsPerServer", &c.ConnsPerServer, 1, true),
		number("StartTimeout", &c.StartTimeout, time.Minute, true),
		number("ReadTimeout", &c.ReadTimeout, 30*time.Second, true),
		number("CheckSpares", &c.CheckSpares, time.Second, false),
		number("Grace", &c.Grace, 10*time.Second, true),
	} {
		if err != nil {
			return c, err
		}
	}
	if c.MaxSpareServers != Unlimited && c.MaxSpareServers <= c.MinSpareServers {
		c.MaxSpareServers = c.MinSpareServers + 1
	}
	c.StartServers = min(max(c.StartServers, c.MinSpareServers), c.MaxClients)
	return c, nil
}

// beatInterval is how often a worker says that it lives (P51), 0 for never.
func (c Config) beatInterval() time.Duration { return c.Timeout / 2 }

// limits is the part of c that the table decides by; c is complete.
func (c Config) limits() limits {
	return limits{
		start:        c.StartServers,
		minSpare:     c.MinSpareServers,
		maxSpare:     c.MaxSpareServers,
		maxClients:   c.MaxClients,
		timeout:      c.Timeout,
		startTimeout: c.StartTimeout,
		grace:        c.Grace,
		keepOnError:  c.KeepOnError,
		youth:        defaultYouth,
		failedBoots:  defaultFailedBoots,
		backoff:      defaultBackoff,
	}
}

// number puts standard in place of a zero and refuses what is negative, except
// Unlimited where that has a meaning.
func number[T int | time.Duration](field string, v *T, standard T, unlimited bool) error {
	switch {
	case *v == 0:
		*v = standard
	case *v > 0 || unlimited && *v == Unlimited:
	default:
		want := fmt.Sprintf("0 for the default of %v, or more", standard)
		if unlimited {
			want = fmt.Sprintf("Unlimited, 0 for the default of %v, or more", standard)
		}
		return &ConfigError{field, *v, want}
	}
	return nil
}

func validName(s string) bool {
	const rest = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	return s != "" && len(s) <= 64 && strings.Trim(s, rest) == ""
}
