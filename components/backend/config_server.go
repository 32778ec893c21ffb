package backend

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/usher-go/usher/kernel"
)

// ServerConfig says how a server listens, whom it lets in and what it answers.
// The zero value listens on a free loopback port and answers register_service,
// ping and transactions.
type ServerConfig struct {
	Network string // "tcp" (default) or "unix"
	Listen  string // "host:port", host empty for loopback; or a path. "" means a free loopback port
	Alias   string // of the server's session; "" means "backend-server"

	// Serializers are those that clients may choose. Default Protobuf and JSON.
	// With Storable, Perl's clients are served on the same port.
	Serializers []Serializer

	// TLS, if set, has connections made over TLS. With ClientAuth
	// tls.RequireAndVerifyClientCert clients are known by their certificates.
	// GetCertificate exchanges the server's own while it runs.
	TLS *tls.Config

	// Secrets, by user, have every client prove that it knows its secret. Do not
	// change the map afterwards.
	Secrets map[string][]byte

	// Auth, if set, decides last who a client is, on a goroutine of its own that
	// may wait until ctx ends, HelloTimeout after the client has come. What its
	// error says is not told to the client.
	Auth func(ctx context.Context, p Peer) (Identity, error)

	// Allow says what a client may do. nil permits everything: whoever is let in
	// is known, or on this machine. Permissions makes one of a table.
	Allow func(who Identity, what Action, name string) bool

	// Commands are what clients may ask for besides register_service and ping:
	// each is posted, under its own name, to a session, with a *Request.
	// Anything else is answered with the error "unknown command" (B31). A
	// session that may be slower than its clients should have a
	// kernel.QueueLimit: requests over it are refused, and do not pile up.
	Commands map[string]kernel.Address

	// MaxConns is how many clients may be connected; others are closed at once.
	// 0 means 1024.
	MaxConns int

	// MaxNames is how many different service names there may be. 0 means 4096.
	MaxNames int

	// HelloTimeout is how long a client may take until it is let in, and
	// RegisterTimeout until its first message. 0 means 10 s each.
	HelloTimeout, RegisterTimeout time.Duration

	// MinPing is the least time between two pings that clients are asked to keep.
	// One that pings more than twice as often is closed. 0 means none, a day is the
	// most. Perl's clients, which cannot know, are left alone.
	MinPing time.Duration

	// MaxFrame is the size of the largest message, in bytes. 0 means 1 MiB; a
	// message made of tiny values takes many times its size once decoded.
	MaxFrame int

	// MaxOutput is how much may wait for a client that does not read, in bytes;
	// then it is dropped. 0 means four times MaxFrame. MaxOutputTotal is that for
	// all of them together: the one whose message does not fit is dropped. 0 means
	// 256 MiB, or MaxOutput if that is more.
	MaxOutput, MaxOutputTotal int

	// MaxTx is how many transactions a connection may have open, MaxTxMessages
	// and MaxTxBytes how large one may be, TxTimeout how long it may take. 0 means
	// 16, 1000, four times MaxFrame, and 30 s.
	MaxTx, MaxTxMessages, MaxTxBytes int
	TxTimeout                        time.Duration

	// DrainTimeout is how long Drain waits for clients to finish. 0 means 10 s.
	DrainTimeout time.Duration
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
	if err := alias("ServerConfig.Alias", &c.Alias, "backend-server"); err != nil {
		return c, err
	}
	if err := frameSize("ServerConfig.MaxFrame", &c.MaxFrame); err != nil {
		return c, err
	}
	for _, n := range []struct {
		field string
		v     *int
		def   int
	}{
		{"MaxConns", &c.MaxConns, 1024},
		{"MaxNames", &c.MaxNames, 4096},
		{"MaxOutput", &c.MaxOutput, max(4*c.MaxFrame, c.MaxFrame+headroom)},
		{"MaxOutputTotal", &c.MaxOutputTotal, max(256<<20, c.MaxOutput)},
		{"MaxTx", &c.MaxTx, 16},
		{"MaxTxMessages", &c.MaxTxMessages, 1000},
		{"MaxTxBytes", &c.MaxTxBytes, 4 * c.MaxFrame},
	} {
		if err := count("ServerConfig."+n.field, n.v, n.def); err != nil {
			return c, err
		}
	}
	if c.MaxOutput < c.MaxFrame+headroom {
		return c, fmt.Errorf("%w: ServerConfig.MaxOutput is %d; want at least MaxFrame and %d, which is %d", ErrArgument, c.MaxOutput, headroom, c.MaxFrame+headroom)
	}
	for _, d := range []struct {
		field string
		v     *time.Duration
		def   time.Duration
	}{
		{"HelloTimeout", &c.HelloTimeout, 10 * time.Second},
		{"RegisterTimeout", &c.RegisterTimeout, 10 * time.Second},
		{"TxTimeout", &c.TxTimeout, 30 * time.Second},
		{"DrainTimeout", &c.DrainTimeout, 10 * time.Second},
		{"MinPing", &c.MinPing, 0},
	} {
		if err := duration("ServerConfig."+d.field, d.v, d.def); err != nil {
			return c, err
		}
	}
	if c.MinPing > maxMinPing {
		return c, fmt.Errorf("%w: ServerConfig.MinPing is %v; want at most %v", ErrArgument, c.MinPing, maxMinPing)
	}
	for name, to := range c.Commands {
		if name == "" || name == cmdRegister || name == cmdPing || name == cmdClient || isTx(name) {
			return c, fmt.Errorf("%w: ServerConfig.Commands has %q, which the server answers itself; choose another name", ErrArgument, name)
		}
		if to == "" {
			return c, fmt.Errorf("%w: ServerConfig.Commands has no session for %q; give its address", ErrArgument, name)
		}
	}
	var err error
	if c.Serializers, err = checkSerializers(c.Serializers); err != nil {
		return c, err
	}
	return c, c.checkAccess()
}

// checkAccess refuses a server that would let anybody in from anywhere.
func (c *ServerConfig) checkAccess() error {
	for user, secret := range c.Secrets {
		if user == "" || len(secret) == 0 {
			return fmt.Errorf("%w: ServerConfig.Secrets has user %.64q with a secret of %d bytes; want neither empty", ErrArgument, user, len(secret))
		}
	}
	switch {
	case c.Secrets != nil && slices.Contains(c.Serializers, Storable):
		return fmt.Errorf("%w: ServerConfig.Serializers has Storable, whose clients cannot prove a secret, and ServerConfig.Secrets is set; know them by certificate, or give them a server of their own", ErrArgument)
	case c.Network == "unix" || loopback(c.Listen) || c.Secrets != nil || c.Auth != nil || c.certified():
		return nil
	}
	return fmt.Errorf("%w: ServerConfig.Listen is %q, which is not loopback, and anybody would be let in; set Secrets, Auth, or TLS with ClientAuth tls.RequireAndVerifyClientCert", ErrArgument, c.Listen)
}

// certified reports whether clients have to have certificates.
func (c *ServerConfig) certified() bool {
	return c.TLS != nil && c.TLS.ClientAuth == tls.RequireAndVerifyClientCert
}

// loopback reports whether an address can be reached from this machine only. An
// empty host is the wheel's loopback.
func loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "" || host == "localhost" || ip != nil && ip.IsLoopback()
}
