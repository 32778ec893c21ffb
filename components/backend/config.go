package backend

import (
	"fmt"
	"slices"
	"time"

	"github.com/usher-go/usher/kernel"
)

// Config says where a client connects and how it keeps the connection. Only
// Port is needed.
type Config struct {
	Host  string // "" means 127.0.0.1
	Port  int
	Alias string // of the session that keeps the connection; "" means "backend" (B1)

	// Name registers the connection with the server; "" means the alias and the
	// process ID, such as "backend4711" (B29). Names are lower-cased (B30).
	Name string

	// PingTimeout is the ping policy (B9): 0 validates the connection before
	// every message, which costs a round trip; less than 0 never; more only when
	// the last message was at least that long ago (B10).
	PingTimeout time.Duration

	// PingWait is how long a pong may take before the connection counts as lost
	// and is made anew. 0 means 10 s (B13).
	PingWait time.Duration

	// Timeout is how long a request may take, from the call to its answer, the
	// wait for a connection included. 0 means 30 s.
	Timeout time.Duration

	// MinBackoff and MaxBackoff bound the wait between two attempts to connect,
	// which doubles each time and is spread by a fifth either way. 0 means
	// 100 ms and 15 s.
	MinBackoff, MaxBackoff time.Duration

	// MaxQueued is how many messages may wait while there is no connection or a
	// ping is out. 0 means 1024.
	MaxQueued int

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

func (c Config) complete(pid int) (Config, error) {
	if c.Port < 1 || c.Port > 65535 {
		return c, fmt.Errorf("%w: Config.Port is %d; want 1 to 65535", ErrArgument, c.Port)
	}
	for _, d := range []struct {
		field string
		v     *time.Duration
		def   time.Duration
	}{
		{"PingWait", &c.PingWait, 10 * time.Second},
		{"Timeout", &c.Timeout, 30 * time.Second},
		{"MinBackoff", &c.MinBackoff, 100 * time.Millisecond},
		{"MaxBackoff", &c.MaxBackoff, 15 * time.Second},
	} {
		if err := duration("Config."+d.field, d.v, d.def); err != nil {
			return c, err
		}
	}
	if c.MaxBackoff < c.MinBackoff {
		return c, fmt.Errorf("%w: Config.MaxBackoff is %v, less than MinBackoff, %v; raise it", ErrArgument, c.MaxBackoff, c.MinBackoff)
	}
	if err := count("Config.MaxQueued", &c.MaxQueued, 1024); err != nil {
		return c, err
	}
	if err := frameSize("Config.MaxFrame", &c.MaxFrame); err != nil {
		return c, err
	}
	if (c.Deliver == "") != (len(c.Events) == 0) {
		return c, fmt.Errorf("%w: Config.Deliver is %q and Config.Events is %q; set both or none", ErrArgument, string(c.Deliver), c.Events)
	}
	if c.Host == "" {
		c.Host = "127.0.0.1"
	}
	if c.Alias == "" {
		c.Alias = "backend"
	}
	if c.Name == "" {
		c.Name = fmt.Sprintf("%s%d", c.Alias, pid)
	}
	name, ok := serviceName(c.Name)
	if !ok {
		return c, fmt.Errorf("%w: Config.Name is %.300q; want UTF-8 of at most %d bytes, and not %q", ErrArgument, c.Name, maxName, Everyone)
	}
	c.Name = name
	return c, nil
}

// ServerConfig says how a server listens and what it answers. The zero value
// listens on a free loopback port and answers register_service and ping.
type ServerConfig struct {
	Network string // "tcp" (default) or "unix"
	Listen  string // "host:port", host empty for loopback; or a path. "" means a free loopback port
	Alias   string // of the server's session; "" means "backend-server"

	// Commands are what clients may ask for besides register_service and ping:
	// each is posted, under its own name, to a session, with a *Request.
	// Anything else is answered with the error "unknown command" (B31). A
	// session that may be slower than its clients should have a
	// kernel.QueueLimit: requests over it are refused, and do not pile up.
	Commands map[string]kernel.Address

	// MaxConns is how many clients may be connected; others are closed at once.
	// 0 means 1024.
	MaxConns int

	// RegisterTimeout is how long a client may stay silent before its first
	// message. 0 means 10 s.
	RegisterTimeout time.Duration

	// MaxFrame is the size of the largest message, in bytes. 0 means 1 MiB; a
	// message made of tiny values takes many times its size once decoded.
	MaxFrame int

	// MaxOutput is how much may wait for a client that does not read, in bytes;
	// then it is dropped. 0 means four times MaxFrame.
	MaxOutput int
}

func (c ServerConfig) complete() (ServerConfig, error) {
	switch c.Network {
	case "":
		c.Network = "tcp"
	case "tcp", "unix":
	default:
		return c, fmt.Errorf("%w: ServerConfig.Network is %q; want tcp or unix", ErrArgument, c.Network)
	}
	if c.Listen == "" {
		if c.Network == "unix" {
			return c, fmt.Errorf("%w: ServerConfig.Listen is empty; a unix socket needs a path", ErrArgument)
		}
		c.Listen = "127.0.0.1:0"
	}
	if c.Alias == "" {
		c.Alias = "backend-server"
	}
	if err := count("ServerConfig.MaxConns", &c.MaxConns, 1024); err != nil {
		return c, err
	}
	if err := frameSize("ServerConfig.MaxFrame", &c.MaxFrame); err != nil {
		return c, err
	}
	if err := count("ServerConfig.MaxOutput", &c.MaxOutput, 4*c.MaxFrame); err != nil {
		return c, err
	}
	if c.MaxOutput < c.MaxFrame+headroom {
		return c, fmt.Errorf("%w: ServerConfig.MaxOutput is %d; want at least MaxFrame and %d, which is %d", ErrArgument, c.MaxOutput, headroom, c.MaxFrame+headroom)
	}
	return c, duration("ServerConfig.RegisterTimeout", &c.RegisterTimeout, 10*time.Second)
}

// takes reports whether a message of that name may be delivered.
func (c *Config) takes(name string) bool {
	return slices.Contains(c.Events, kernel.Event[Message](name))
}

func duration(field string, v *time.Duration, def time.Duration) error {
	if *v < 0 {
		return fmt.Errorf("%w: %s is %v; want 0 for %v, or more", ErrArgument, field, *v, def)
	}
	if *v == 0 {
		*v = def
	}
	return nil
}

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
