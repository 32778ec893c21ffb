package prefork

import (
	"fmt"
	"math"
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

// maxSlots is MaxWorkers and as many again, for their successors.
const maxSlots = 2 * MaxWorkers

// Config describes a pool of workers. The zero value of each field works.
type Config struct {
	// Name tells several pools of one program apart: 1 to 64 letters, digits,
	// dots, dashes and underscores. Default "prefork".
	Name string

	// Listen holds the shared listeners: "tcp://127.0.0.1:8080",
	// "tcp://:0" (without a host: loopback; port 0: any free port),
	// "tcp://0.0.0.0:80" (all addresses), "unix:///run/x.sock" and
	// "unix:///run/x.sock?mode=0660". "systemd://web" is the first socket of that
	// FileDescriptorName that the service manager has opened for this process
	// (LISTEN_FDS) and that no other entry has taken; "systemd://" takes any.
	// Default none.
	Listen []string

	StartServers    int // workers started at first; default 5, raised to MinSpareServers, cut to MaxClients (P46, P5, P47)
	MinSpareServers int // idle workers kept ready; default 1 (P44)
	MaxSpareServers int // idle workers kept at most; default 10, raised above MinSpareServers; Unlimited (P45)
	MaxClients      int // living workers at most, busy and idle; default 50, at most MaxWorkers (P48)

	// MaxRequests is how many connections a worker accepts, or with
	// Worker.ServeRequests how many requests it finishes, before it is replaced. Default 25; Unlimited (P66).
	MaxRequests int

	// MaxRequestsJitter lets a worker accept up to so many more, drawn by each
	// worker for itself, so that those started together do not leave together.
	// Default 0; means nothing when MaxRequests is Unlimited.
	MaxRequestsJitter int

	// MaxAge is how old a worker gets, counted from its start, before it is
	// replaced; each draws its own, up to a tenth less. Default 0: any age.
	MaxAge time.Duration

	// MaxRSS is how many bytes of memory (resident set) a worker may use before
	// it is replaced. The master measures it every CheckSpares, in /proc: Linux
	// only. Default 0: any number.
	MaxRSS int64

	// MaxRecycling is how many workers are replaced for MaxAge or MaxRSS at the
	// same time, counted until their processes are gone. Default 0: a tenth of
	// those that serve, rounded up. A worker is asked to go only if as many as
	// MinSpareServers idle ones remain; where there are none to spare, its
	// successor is started first.
	MaxRecycling int

	// ReloadReady is how many workers of a new program must be ready before
	// those of the old one are asked to finish, see Pool.Reload. Default 0: as
	// many as serve when the reload begins, up to StartServers. Cut to
	// MaxClients. While workers are replaced there may be more processes than
	// MaxClients, by the largest of StartServers, ReloadReady and MaxRecycling.
	ReloadReady int

	// Timeout is how long a worker may be silent before it is ended. Default 0:
	// for ever (P49). A worker shows life from an event of its own: in a serial
	// kernel that is roughly how long any handler may block, in a parallel one
	// a blocked handler holds up its own session only and is not noticed (P68).
	Timeout time.Duration

	// SoftTimeout is how long a worker may be silent before it prints the stacks
	// of all its goroutines to standard error and tells the master, which reports
	// it (Kernel.Report) and goes on. Default 0: never. Less than Timeout, if
	// there is one.
	SoftTimeout time.Duration

	// StartTimeout is how long a worker may take until it is ready, from the
	// start of its process. Default 1 min; Unlimited.
	StartTimeout time.Duration

	// ConnsPerServer is how many connections a worker serves at the same time.
	// Default 1; Unlimited (P65). With several listeners it may be exceeded by
	// the number of the others: what came in on them at the same moment has
	// been accepted here and nobody else could serve it.
	ConnsPerServer int

	// KeepOnError keeps the pool when a worker's process cannot be created, and
	// tries again later, after the delays of failed starts; as long as others serve
	// it never gives up. Default false: the pool shuts down (P43).
	KeepOnError bool

	// ForkHandlers are called in every worker, after Server and before it
	// accepts, in no order: an event by the session that gets it (P7). One that
	// fails is a failed start.
	ForkHandlers map[kernel.Address]string

	// Server builds the worker's server session, in the worker, and says so
	// with Worker.Serve, or takes its Worker.Listener. It runs inside the handler of a session
	// that ends with the worker. An error is a failed start. Needed.
	Server func(c *kernel.Context, w *Worker) error

	// Tell is called in the master before each worker is started, which finds the
	// result by Told: what the master has learnt since its program began. At most
	// 100 KB without zero bytes, and no secrets: it is in the worker's environment.
	// Default nil.
	Tell func() string

	// ReadTimeout is how long a connection may be silent in both directions; a
	// read that waits for longer fails. Default 30 s; Unlimited.
	ReadTimeout time.Duration

	// DrainTimeout is how long a worker may take that finishes what it has,
	// because it was asked to or by itself, before it is killed. Default 0: as
	// long as it takes; once the pool shuts down, Grace.
	DrainTimeout time.Duration

	// Reopen is called on USR1 in the master and in every worker, in a handler
	// of the pool's session: the place to reopen log files. Default nil.
	Reopen func()

	// PIDFile is a file that holds the master's number from the moment when
	// MinSpareServers workers, or MaxClients, are ready until the pool has ended.
	// It is locked meanwhile: New refuses one that another master has locked, and
	// one that nobody has is replaced. Default "": none.
	PIDFile string

	// Notify tells the service manager, if it wants to know (NOTIFY_SOCKET), when
	// the pool is ready, reloads and stops, and how it is, and keeps its watchdog
	// quiet (WATCHDOG_USEC) as long as the master handles events. For one pool of
	// a program only. Default false.
	Notify bool

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
	if c.SoftTimeout > 0 && c.Timeout > 0 && c.SoftTimeout >= c.Timeout {
		return c, &ConfigError{"SoftTimeout", c.SoftTimeout, "less than Timeout, " + c.Timeout.String()}
	}
	if c.MaxRSS > 0 && !measuresMemory {
		return c, &ConfigError{"MaxRSS", c.MaxRSS, "0: this system does not tell how much memory a process uses"}
	}
	for to, event := range c.ForkHandlers {
		if to == "" || event == "" {
			return c, &ConfigError{"ForkHandlers", fmt.Sprintf("%q: %q", to, event), "a session and an event, both named"}
		}
	}
	for _, err := range []error{
		optional("Timeout", c.Timeout, "no watchdog"),
		optional("SoftTimeout", c.SoftTimeout, "none"),
		optional("DrainTimeout", c.DrainTimeout, "as long as it takes"),
		optional("MaxAge", c.MaxAge, "any age"),
		optional("MaxRSS", c.MaxRSS, "any number"),
		optional("MaxRequestsJitter", c.MaxRequestsJitter, "none"),
		optional("MaxRecycling", c.MaxRecycling, "a tenth of the workers"),
		optional("ReloadReady", c.ReloadReady, "as many as serve"),
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
	c.MaxRequestsJitter = min(c.MaxRequestsJitter, math.MaxInt32)
	c.StartServers = min(max(c.StartServers, c.MinSpareServers), c.MaxClients)
	c.ReloadReady = min(c.ReloadReady, c.MaxClients)
	return c, nil
}

// beatInterval is how often a worker says that it lives (P51), 0 for never.
func (c Config) beatInterval() time.Duration {
	if c.SoftTimeout > 0 {
		return c.SoftTimeout / 2 // the shorter one
	}
	return c.Timeout / 2
}

// requestLimit draws a worker's own MaxRequests; draw(n) is in [0,n).
func (c Config) requestLimit(draw func(n int) int) int {
	if c.MaxRequests == Unlimited || c.MaxRequestsJitter == 0 {
		return c.MaxRequests
	}
	return c.MaxRequests + draw(c.MaxRequestsJitter+1)
}

// surplus is how many processes there may be beyond MaxClients while workers are
// replaced.
func (c Config) surplus() int {
	recycling := 0
	if c.MaxAge > 0 || c.MaxRSS > 0 {
		recycling = max(c.MaxRecycling, (c.MaxClients+9)/10)
	}
	return min(max(c.StartServers, c.ReloadReady, recycling), c.MaxClients)
}

// limits is the part of c that the table decides by; c is complete.
func (c Config) limits() limits {
	return limits{
		start:        c.StartServers,
		minSpare:     c.MinSpareServers,
		maxSpare:     c.MaxSpareServers,
		maxClients:   c.MaxClients,
		surplus:      c.surplus(),
		reloadReady:  c.ReloadReady,
		maxAge:       c.MaxAge,
		maxRSS:       c.MaxRSS,
		maxRecycling: c.MaxRecycling,
		drainTimeout: c.DrainTimeout,
		timeout:      c.Timeout,
		startTimeout: c.StartTimeout,
		grace:        c.Grace,
		keepOnError:  c.KeepOnError,
		youth:        defaultYouth,
		failedBoots:  defaultFailedBoots,
		backoff:      defaultBackoff,
		unseen:       max(2*c.CheckSpares, time.Second),
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

// optional refuses what is negative, where 0 has a meaning of its own.
func optional[T int | int64 | time.Duration](field string, v T, zero string) error {
	if v < 0 {
		return &ConfigError{field, v, "0 for " + zero + ", or more"}
	}
	return nil
}

func validName(s string) bool {
	const rest = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
	return s != "" && len(s) <= 64 && strings.Trim(s, rest) == ""
}
