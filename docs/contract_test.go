package docs

import (
	"context"
	"net"
	"net/http"
	"time"

	"github.com/usher-go/usher/components/backend"
	"github.com/usher-go/usher/components/cluster"
	"github.com/usher-go/usher/components/httpclient"
	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/components/keepalive"
	"github.com/usher-go/usher/components/prefork"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// The names and types of wheels and components that programs are compiled against, as
// those of kernel and session are named in kernel/contract_test.go. They are added to and not
// renamed: what does not compile here breaks somebody's program. The compiler is the
// test; nothing here runs.

// Packages wheel and filter, for records that are strings and bytes.
type (
	stringIO = wheel.ReadWriteConfig[string, string]
	bytesIO  = wheel.ReadWriteConfig[[]byte, []byte]
)

var (
	_ func(*kernel.Context, wheel.SocketFactoryConfig) (*wheel.SocketFactory, error)            = wheel.NewSocketFactory
	_ func(*kernel.Context, net.Conn, stringIO) (*wheel.ReadWrite[string, string], error)       = wheel.NewReadWrite
	_ func(*wheel.ReadWrite[string, string], bytesIO) (*wheel.ReadWrite[[]byte, []byte], error) = wheel.Exchange
	_ func(*kernel.Context, wheel.RunConfig) (*wheel.Run, error)                                = wheel.NewRun
	_ func(*kernel.Context, wheel.FollowTailConfig[string]) (*wheel.FollowTail[string], error)  = wheel.NewFollowTail
	_ func(*kernel.Context, wheel.ListenAcceptConfig) (*wheel.ListenAccept, error)              = wheel.NewListenAccept
	_ func(*kernel.Context, wheel.ReadLineConfig) (*wheel.ReadLine, error)                      = wheel.NewReadLine
	_ interface {
		Put(...string) error
		PauseInput()
	} = (*wheel.ReadWrite[string, string])(nil)

	_ = wheel.SocketFactoryConfig{BindAddress: "", SuccessEvent: "", FailureEvent: ""}
	_ = stringIO{
		Filter: filter.Line(), InputEvent: "", ErrorEvent: "", FlushedEvent: "", CloseEvent: "",
		HighMark: 64 << 10, LowMark: 16 << 10, HighEvent: "", LowEvent: "", MaxOutput: 1 << 20,
	}
	_ = wheel.RunConfig{ErrorEvent: "", CloseEvent: ""}

	_ interface {
		Feed([]byte)
		Next() (string, bool, error)
		Append(dst []byte, v string) ([]byte, error)
		Pending() []byte
	} = filter.Filter[string, string](nil)
	_ = []filter.Filter[[]byte, []byte]{filter.Stream(), filter.Block(), (*filter.Stackable)(nil)}
	_ = []any{
		filter.Reference, filter.HTTPD, filter.Event,
		filter.NewRecordBlock[string, string], filter.Map[string, string, int, int], filter.Grep[string, string],
	}
)

// Packages keepalive and httpclient.
var (
	_ func(*kernel.Kernel, keepalive.Config) (*keepalive.Pool, error)                            = keepalive.New
	_ func(*kernel.Context, *keepalive.Conn, stringIO) (*wheel.ReadWrite[string, string], error) = keepalive.Start

	_ interface {
		Allocate(*kernel.Context, keepalive.Request) (keepalive.RequestID, error)
		Deallocate(keepalive.RequestID) error
		Get(ctx context.Context, scheme, addr string, port int) (*keepalive.Conn, error)
		Free(*keepalive.Conn) error
		Shutdown()
	} = (*keepalive.Pool)(nil)

	_ interface {
		NetConn() net.Conn
		Release() error
		Close() error
	} = (*keepalive.Conn)(nil)

	_ = keepalive.Config{
		MaxPerHost: 4, MaxOpen: 128, KeepAlive: 15 * time.Second, Timeout: 120 * time.Second,
		BindAddress: "", MaxLifetime: time.Hour, MaxWaiting: 0,
	}
	_ = keepalive.Request{
		Scheme: "http", Addr: "127.0.0.1", Port: 80, Event: "got_conn", Context: any(nil), Timeout: time.Second,
		ForScheme: "", ForAddr: "", ForPort: 0,
	}
	_ = keepalive.Response{
		ID: keepalive.RequestID(0), Scheme: "", Addr: "", Port: 0, ForScheme: "", ForAddr: "", ForPort: 0,
		Context: any(nil), Conn: (*keepalive.Conn)(nil), FromCache: "deferred", Function: "", Err: error(nil),
	}
	_ http.RoundTripper = httpclient.NewTransport(nil)
)

// Packages prefork and httpd.
var (
	_ func(*kernel.Kernel, prefork.Config) (*prefork.Pool, error) = prefork.New
	_ func() bool                                                 = prefork.IsChild
	_ func(httpd.Spawner, httpd.Config) (*httpd.Server, error)    = httpd.New
	_ httpd.Spawner                                               = (*kernel.Kernel)(nil)

	_ = prefork.Config{
		Name: "echo", Listen: []string{"tcp://127.0.0.1:8080", "unix:///run/x.sock"},
		StartServers: 5, MinSpareServers: 1, MaxSpareServers: 10, MaxClients: 50, MaxRequests: 25, Timeout: time.Duration(0),
		ConnsPerServer: 1, KeepOnError: false, ReadTimeout: time.Second, CheckSpares: time.Second,
		ForkHandlers: map[kernel.Address]string{},
		Server:       func(*kernel.Context, *prefork.Worker) error { return nil },
	}
	_ interface{ Listener() net.Listener } = (*prefork.Worker)(nil)

	_ = httpd.Config{
		Alias: "", Listen: nil, Hostname: "", Handlers: []httpd.Route{{Dir: "^/bar/", Session: "pages", Event: "got_bar"}},
		Headers: nil, KeepAlive: true, TLS: nil, Prefork: (*prefork.Config)(nil), Handler: http.Handler(nil),
		LogHandler: httpd.Target{}, Log2Handler: httpd.Target{}, ErrorHandler: httpd.Target{}, SetupHandler: httpd.Target{},
	}
)

// Package backend.
var (
	_ func(*kernel.Kernel, backend.Config) error                                   = backend.ConnectOnInit
	_ func(context.Context, *kernel.Kernel, backend.Config) (*backend.Conn, error) = backend.Connect
	_ func(*kernel.Kernel, time.Duration, string) error                            = backend.SetPingTimeout
	_ func(context.Context, backend.Config, backend.Message) error                 = backend.Oneshot
	_ func(*kernel.Kernel, backend.ServerConfig) (*backend.Server, error)          = backend.NewServer
	_ func(*backend.Conn) func(http.Handler) http.Handler                          = backend.Middleware

	_ interface {
		Send(backend.Message) error
		Request(context.Context, backend.Message) ([]any, error)
		Ping(context.Context) error
		Begin(context.Context) (*backend.Tx, error)
	} = (*backend.Conn)(nil)

	_ interface {
		Send(backend.Message) error
		Commit(context.Context) error
		Rollback(context.Context) error
	} = (*backend.Tx)(nil)

	_ = backend.Config{Host: "localhost", Port: 2021, Alias: "poeky"}
	_ = backend.ServerConfig{Listen: "", Serializers: nil, TLS: nil, Auth: nil}
)

// Package cluster.
var (
	_ func(*kernel.Kernel, cluster.Config) (*cluster.Node, error) = cluster.Join
	_ func(string, any, ...*kernel.Kernel) kernel.Address         = cluster.Place
	_ cluster.Directory                                           = cluster.Static{}
	_                                                             = cluster.Config{Name: "node-1", Listen: "127.0.0.1:0", TLS: nil, Directory: nil}
	_ interface {
		Publish(topic string, args ...any) error
		Subscribe(c *kernel.Context, topic, event string) error
	} = (*cluster.Node)(nil)
)
