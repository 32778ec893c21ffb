package backend

import (
	"crypto/tls"
	"fmt"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/usher-go/usher/kernel"
)

// Config says where a client connects and how it keeps the connection. Only
// Port is needed, or a unix socket's path as Host.
type Config struct {
	Network string // "tcp" (default) or "unix"
	Host    string // "" means 127.0.0.1; with Network "unix" the path
	Port    int
	Alias   string // of the session that keeps the connection; "" means "backend" (B1)

	// Name registers the connection with the server; "" means the alias and the
	// process ID, such as "backend4711" (B29). Names are lower-cased (B30).
	Name string

	// Serializer is how messages look on the wire. "" means Protobuf; Storable is
	// for servers in Perl.
	Serializer Serializer

	// TLS, if set, has the connection made over TLS. ServerName is by default
	// Host; Certificates are what the server knows this client by.
	TLS *tls.Config

	// User and Secret are for a server with ServerConfig.Secrets. The secret is
	// never sent: each end proves to the other that it has it. A server that does
	// not ask for it is refused.
	User   string
	Secret []byte

	// PingTimeout is the ping policy (B9): 0 validates the connection before
	// every message, which costs a round trip; less than 0 never; more only when
	// the last message was at least that long ago (B10). SetPingTimeout changes it.
	PingTimeout time.Duration

	// IdlePing is how long the server may be silent before it is pinged, whatever
	// PingTimeout says; at least what the server asks for in its hello. 0 means
	// 30 s, less than 0 never.
	IdlePing time.Duration

	// PingWait is how long a pong may take before the connection counts as lost
	// and is made anew. Ping and pong come behind what was sent before: on a slow
	// network it must be enough for the largest messages. 0 means 10 s (B13).
	PingWait time.Duration

	// ConnectTimeout is for one attempt, and again for the hellos. 0 means 10 s.
	ConnectTimeout time.Duration

	// Timeout is how long a request may take, from the call to its answer, the
	// wait for a connection included. 0 means 30 s.
	Timeout time.Duration

	// DrainTimeout is how long Drain waits for answers, and, with PingWait, for how
	// long a server that said that it would close may leave it at that. 0 means 10 s.
	DrainTimeout time.Duration

	// MinBackoff and MaxBackoff bound the wait between two attempts to connect,
	// which doubles each time and is spread by a fifth either way. 0 means
	// 100 ms and 15 s.
	MinBackoff, MaxBackoff time.Duration

	// MaxQueued and MaxQueuedBytes are how many messages, and bytes of them, may
	// wait while there is no connection or a ping is out. 0 means 1024, and 16 MiB
	// or MaxFrame if that is more; a message larger than MaxQueuedBytes is ErrFull.
	MaxQueued, MaxQueuedBytes int

	// Overflow says which message goes when there is no room for another.
	// Default RefuseNewest.
	Overflow Overflow

	// FailFast has messages fail and not wait while the server is down: when so many
	// attempts to connect have failed in a row, requests that wait, and whatever is
	// sent from then on, get ErrDown at once. Attempts go on, and the first that
	// succeeds ends it; what Send has accepted before waits for it. 0 means never.
	FailFast int

	// MaxFrame is the size of the largest message, in bytes. 0 means 1 MiB. It
	// should be the server's: one that gets a larger message drops the connection.
	MaxFrame int

	// Deliver gets the messages that answer nothing and whose names are in
	// Events, as events of their name with a Message. The names come from
	// other processes, hence the list: any other message is dropped and
	// reported. A Deliver that may be slower than its peers should have a
	// kernel.QueueLimit; what is over it is dropped and reported, too.
	Deliver kernel.Address
	Events  []kernel.Event[Message]
}

// Overflow is a policy for messages that wait.
type Overflow uint8

const (
	RefuseNewest Overflow = iota // the sender gets ErrFull
	DropOldest                   // what waited longest goes: a request gets ErrFull, another message is reported
)

func (c Config) complete(pid int) (Config, error) {
	if err := c.completePlace(); err != nil {
		return c, err
	}
	for _, d := range []struct {
		field string
		v     *time.Duration
		def   time.Duration
	}{
		{"PingWait", &c.PingWait, 10 * time.Second},
		{"ConnectTimeout", &c.ConnectTimeout, 10 * time.Second},
		{"Timeout", &c.Timeout, 30 * time.Second},
		{"DrainTimeout", &c.DrainTimeout, 10 * time.Second},
		{"MinBackoff", &c.MinBackoff, 100 * time.Millisecond},
		{"MaxBackoff", &c.MaxBackoff, 15 * time.Second},
	} {
		if err := duration("Config."+d.field, d.v, d.def); err != nil {
			return c, err
		}
	}
	if c.IdlePing == 0 {
		c.IdlePing = 30 * time.Second
	}
	if c.MaxBackoff < c.MinBackoff {
		return c, fmt.Errorf("%w: Config.MaxBackoff is %v, less than MinBackoff, %v; raise it", ErrArgument, c.MaxBackoff, c.MinBackoff)
	}
	if err := frameSize("Config.MaxFrame", &c.MaxFrame); err != nil {
		return c, err
	}
	if err := count("Config.MaxQueued", &c.MaxQueued, 1024); err != nil {
		return c, err
	}
	if err := count("Config.MaxQueuedBytes", &c.MaxQueuedBytes, max(16<<20, c.MaxFrame+headroom)); err != nil {
		return c, err
	}
	if c.FailFast < 0 {
		return c, fmt.Errorf("%w: Config.FailFast is %d; want 0 for never, or more", ErrArgument, c.FailFast)
	}
	if c.Overflow > DropOldest {
		return c, fmt.Errorf("%w: Config.Overflow is %d; want RefuseNewest or DropOldest", ErrArgument, c.Overflow)
	}
	if (c.Deliver == "") != (len(c.Events) == 0) {
		return c, fmt.Errorf("%w: Config.Deliver is %q and Config.Events is %q; set both or none", ErrArgument, string(c.Deliver), c.Events)
	}
	return c, c.completeIdentity(pid)
}

func (c *Config) completePlace() error {
	switch c.Network {
	case "", "tcp":
		c.Network = "tcp"
		if c.Port < 1 || c.Port > 65535 {
			return fmt.Errorf("%w: Config.Port is %d; want 1 to 65535", ErrArgument, c.Port)
		}
		if c.Host == "" {
			c.Host = "127.0.0.1"
		}
		if strings.ContainsAny(c.Host, "[]") {
			return fmt.Errorf("%w: Config.Host is %.300q; want a name or an address without brackets", ErrArgument, c.Host)
		}
	case "unix":
		if c.Host == "" || c.Port != 0 {
			return fmt.Errorf("%w: Config.Host is %q and Config.Port %d; a unix socket needs a path as Host and no Port", ErrArgument, c.Host, c.Port)
		}
	default:
		return fmt.Errorf("%w: Config.Network is %q; want tcp or unix", ErrArgument, c.Network)
	}
	return alias("Config.Alias", &c.Alias, "backend")
}

func (c *Config) completeIdentity(pid int) error {
	switch c.Serializer {
	case "":
		c.Serializer = Protobuf
	case Protobuf, JSON, Storable:
	default:
		return fmt.Errorf("%w: Config.Serializer is %.64q; want Protobuf, JSON or Storable", ErrArgument, string(c.Serializer))
	}
	switch {
	case len(c.Secret) > 0 && c.Serializer == Storable:
		return fmt.Errorf("%w: Config.Secret is set, but Config.Serializer is Storable, which has no hello; use a certificate", ErrArgument)
	case (len(c.Secret) > 0) != (c.User != ""):
		return fmt.Errorf("%w: Config.User is %.64q, and Config.Secret has %d bytes; set both or none", ErrArgument, c.User, len(c.Secret))
	case len(c.User) > maxName:
		return fmt.Errorf("%w: Config.User has %d bytes; want at most %d", ErrArgument, len(c.User), maxName)
	}
	if c.Name == "" {
		c.Name = fmt.Sprintf("%s%d", c.Alias, pid)
	}
	name, ok := serviceName(c.Name)
	if !ok {
		return fmt.Errorf("%w: Config.Name is %.300q; want UTF-8 of at most %d bytes, and not %q", ErrArgument, c.Name, maxName, Everyone)
	}
	c.Name = name
	return nil
}

// address is what a wheel dials.
func (c *Config) address() string {
	if c.Network == "unix" {
		return c.Host
	}
	return net.JoinHostPort(c.Host, strconv.Itoa(c.Port))
}

// ownFrames is what a connection's output has for pings and the like, in bytes.
const ownFrames = 64 << 10

// maxOutput is what it has for all else: no less than may wait for a connection.
func (c *Config) maxOutput() int {
	return max(16<<20, 4*c.MaxFrame, min(c.MaxQueuedBytes, math.MaxInt-ownFrames))
}

// place tells apart what a connection may be to.
func (c *Config) place() string { return c.Network + " " + c.address() }

// takes reports whether a message of that name may be delivered.
func (c *Config) takes(name string) bool {
	return slices.Contains(c.Events, kernel.Event[Message](name))
}

// alias refuses what would be an ID or on another node.
func alias(field string, v *string, def string) error {
	if *v == "" {
		*v = def
	}
	if strings.HasPrefix(*v, "#") || strings.Contains(*v, "@") {
		return fmt.Errorf("%w: %s is %.64q; want a name without @ that does not begin with #", ErrArgument, field, *v)
	}
	return nil
}

func duration(field string, v *time.Duration, def time.Duration) error {
	if *v < 0 {
		return fmt.Errorf("%w: %s is %v; want 0 for %v, or more", ErrArgument, field, *v, def)
	}
	if *v == 0 {
		*v = def
	}
	*v = min(*v, forever)
	return nil
}

// forever keeps sums of times far from overflow: 73 years.
const forever = math.MaxInt64 / 4

func count(field string, v *int, def int) error {
	if *v < 0 {
		return fmt.Errorf("%w: %s is %d; want 0 for %d, or more", ErrArgument, field, *v, def)
	}
	if *v == 0 {
		*v = def
	}
	return nil
}

// frameSize keeps sums of sizes far from overflow.
func frameSize(field string, v *int) error {
	if *v > 1<<30 {
		return fmt.Errorf("%w: %s is %d; want at most 1 GiB (%d)", ErrArgument, field, *v, 1<<30)
	}
	return count(field, v, 1<<20)
}
