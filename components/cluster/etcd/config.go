package etcd

import (
	"context"
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"

	"github.com/usher-go/usher/components/cluster"
)

// Config says where etcd is, and how long a silent node is still believed.
type Config struct {
	// Endpoints are etcd's members, as "host:port" or as URLs. Needed without Client.
	Endpoints []string

	// Prefix begins every key; "usher" by default. A slash is put behind it, so that
	// "app" and "app2" are clusters of their own.
	Prefix string

	// TLS is for all connections. nil: plain text, or tls.Config's defaults when the
	// endpoints begin with "https://".
	TLS *tls.Config

	// Username and Password are for an etcd with authentication. The user needs to
	// read and write all keys under Prefix.
	Username, Password string

	// TTL is how long a node and its shards stay in etcd after it was last heard
	// from; 5 s by default, at least 1 s, rounded up to whole seconds. etcd may grant
	// more: never less than one and a half of its election timeouts, which makes 2 s
	// as it is shipped. Leases are renewed three times within it.
	TTL time.Duration

	DialTimeout time.Duration // for one try to connect, and to log in; 2 s by default

	// Client is used instead of one of the directory's own. Leave does not close it.
	// The fields above are then unused, but for Prefix and TTL.
	Client *clientv3.Client
}

// fill checks a Config and sets defaults.
func (c *Config) fill() error {
	bad := func(field string, value any, remedy string) error {
		return fmt.Errorf("etcd: %w: Config.%s is %v; %s", cluster.ErrConfig, field, value, remedy)
	}
	if c.Client == nil {
		if len(c.Endpoints) == 0 {
			return bad("Endpoints", "empty", `list etcd's members, such as "127.0.0.1:2379", or set Client`)
		}
		if slices.Contains(c.Endpoints, "") {
			return bad("Endpoints", fmt.Sprintf("%q", c.Endpoints), "remove the empty one")
		}
		if !c.sameScheme() {
			return bad("Endpoints", fmt.Sprintf("%q", c.Endpoints), `want all with "https://", or none; and with TLS none with "http://"`)
		}
		if (c.Username == "") != (c.Password == "") {
			return bad("Username", fmt.Sprintf("%q", c.Username), "set both Username and Password, or neither")
		}
	}
	if c.TTL == 0 {
		c.TTL = 5 * time.Second
	}
	if c.TTL < time.Second {
		return bad("TTL", c.TTL, "want at least 1s, or 0 for the default of 5s")
	}
	c.TTL = (c.TTL + time.Second - 1).Truncate(time.Second)
	if c.DialTimeout < 0 {
		return bad("DialTimeout", c.DialTimeout, "want 0 for the default of 2s, or more")
	}
	if c.DialTimeout == 0 {
		c.DialTimeout = 2 * time.Second
	}
	if c.Prefix == "" {
		c.Prefix = "usher"
	}
	return nil
}

// sameScheme is for etcd's client, which goes by the first endpoint, and would send
// passwords to the others in plain text if that one says so.
func (c *Config) sameScheme() bool {
	secure := 0
	for _, e := range c.Endpoints {
		if strings.HasPrefix(e, "https://") {
			secure++
		}
		if strings.HasPrefix(e, "http://") && c.TLS != nil {
			return false
		}
	}
	return c.TLS != nil || secure == 0 || secure == len(c.Endpoints)
}

// dial makes the directory's own client. With a user it waits for the login, up to
// DialTimeout or the end of ctx; without one it does not wait for a connection.
func (c *Config) dial(ctx context.Context) (*clientv3.Client, error) {
	// The client is to outlive ctx, so that Leave can use it.
	own, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer context.AfterFunc(ctx, cancel)()
	// Connecting again is gRPC's business: its own longest wait is 2 minutes, in
	// which a node would stay out although etcd is back.
	retry := backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second}
	return clientv3.New(clientv3.Config{
		Context:     own,
		Endpoints:   slices.Clone(c.Endpoints),
		TLS:         c.TLS,
		Username:    c.Username,
		Password:    c.Password,
		DialTimeout: c.DialTimeout,
		DialOptions: []grpc.DialOption{grpc.WithConnectParams(grpc.ConnectParams{
			Backoff: retry, MinConnectTimeout: c.DialTimeout,
		})},
		// 10 s is the least that gRPC pings at. The timeout also bounds, on Linux, how
		// long sent data may stay unacknowledged (gRPC proposal A18).
		DialKeepAliveTime:    10 * time.Second,
		DialKeepAliveTimeout: c.DialTimeout,
		Logger:               zap.NewNop(), // what matters goes to Host.Failed
	})
}
