package httpd

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/usher-go/usher/components/prefork"
)

// NoLimit, in a field that says so, switches a limit off.
const NoLimit = -1

// Config says where a server listens and who gets its requests. Of Handlers and
// Handler at least one is needed (H6).
type Config struct {
	// Alias of the server's session. Default none: use Server.Session (H2).
	Alias string

	// Listen has one entry for each address: "tcp://host:port", where port 0 is any
	// free one and an empty host is loopback, or "unix:///path", with "?mode=0660"
	// behind it for the permissions of the socket; "systemd://name" is a socket that the
	// service manager has opened, see prefork.Config, and which StopListen closes for
	// good. Every interface is "tcp://0.0.0.0:80", or "tcp://[::]:80" for both families.
	// Default, without Listeners: "tcp://127.0.0.1:0" (H3, H4).
	Listen []string

	// Listeners are accepted from, too, and belong to the server: sockets that were
	// inherited. StopListen closes them for good. If New fails they stay the
	// caller's.
	Listeners []net.Listener

	// Prefork has worker processes serve the addresses of Listen; the process that
	// calls New opens them and looks after the workers. See Preforking in the
	// package's documentation. Zero in its fields means the default of
	// SimpleHTTP::PreFork, prefork.Unlimited none (P2–P6):
	//
	//	StartServers 10, MinSpareServers 5, MaxSpareServers 10, MaxClients 256
	//	MaxRequests     Unlimited; requests, not connections
	//	ConnsPerServer  MaxConns
	//	Grace           ShutdownTimeout, which means nothing in a worker
	//	Server          nothing; else called in each worker before it serves: the
	//	                place to spawn the sessions of Handlers
	//
	// Listen and ReadTimeout of it stay empty: the server's own are used. Default
	// nil: one process.
	Prefork *prefork.Config

	// Hostname is the host in a Request's URL (H5, H34). Default os.Hostname.
	Hostname string

	// Handlers are tried in order for each request (H21).
	Handlers []Route

	// Handler serves what no route matches, instead of a 404, and everything when
	// there are no Handlers. It works on the request's own goroutine and beside the
	// kernel: MaxBody, Headers and the rule about errors under KeepAlive do not
	// apply. Default nil.
	Handler http.Handler

	// Headers are put on every Response before its handler runs, which may change
	// them (H7).
	Headers http.Header

	// KeepAlive keeps connections open for more requests: those of HTTP/1.1 and
	// up, unless the answer is an error (400 and up) or one of the two sides asked
	// for the end (H62). Default: every answer closes its connection (H8, H61).
	KeepAlive bool

	// ProxyMode leaves a Request's URL as it was sent, and has patterns searched
	// in the whole of it (H35). CONNECT is for Handler only (H36).
	ProxyMode bool

	// TLS has every listener speak TLS, and HTTP/2 with clients that know it,
	// unless NextProtos says otherwise. It needs a certificate, see Certificate
	// (H9, H10). Default nil: plain HTTP/1.
	TLS *tls.Config

	// LogHandler is posted each request before it is dispatched: a *Request and the
	// client's IP (string). For what was no proper request the first is nil (H81,
	// H32).
	LogHandler Target

	// Log2Handler is posted each answered request: *Request and *Response, whose
	// Sent is the number of bytes (H82, H58). One whose client left, or that was
	// closed without an answer, is not among them.
	Log2Handler Target

	// ErrorHandler is posted what went wrong: a text and, where there is one, the
	// client's IP or "" (strings; H84). Default: kernel.Kernel.Report.
	ErrorHandler Target

	// SetupHandler is posted each time an address begins to be served: port (int, 0
	// of a unix socket) and address (net.Addr) (H16).
	SetupHandler Target

	// AccessLog gets a line for each request, in AccessLogFormat, in one Write, when
	// the request is over. What it cannot write is reported once for each cause,
	// and lost. Default nil: none (H12).
	AccessLog       io.Writer
	AccessLogFormat LogFormat

	// MaxBody bounds the body of a request that goes to a route, in bytes: 413.
	// Default 1 MiB (H31); NoLimit.
	MaxBody int64

	// MaxHeader bounds request line and headers, in bytes: 431. Default 1 MiB,
	// net/http's; a little more is let through.
	MaxHeader int

	// MaxConns bounds the connections; others wait to be served. Default 10000;
	// NoLimit.
	MaxConns int

	// MaxStream bounds what a stream may have unsent, in bytes; beyond it the
	// connection is closed. Default 16 MiB; NoLimit.
	MaxStream int

	// ReadHeaderTimeout is for the TLS handshake, and for request line and headers
	// from the first byte, or from the connection's begin. Default 10 s; NoLimit.
	ReadHeaderTimeout time.Duration

	// ReadTimeout is for the body: 408. A Handler that takes long uploads moves it
	// by http.ResponseController.SetReadDeadline. Default 60 s; NoLimit.
	ReadTimeout time.Duration

	// WriteTimeout is how long the client may take nothing of what is to be sent;
	// up to an eighth more may pass. Default 60 s; NoLimit.
	WriteTimeout time.Duration

	// IdleTimeout is for the next request on a connection that is kept. Default
	// 75 s; NoLimit (H64).
	IdleTimeout time.Duration

	// AnswerTimeout is how long a Response may go without Done, Close or its first
	// Send once its handler has returned; then the client gets 500 (H93). Default
	// 2 min; NoLimit. How long a handler may take to get its session's turn is
	// kernel.Config.CallTimeout.
	AnswerTimeout time.Duration

	// ShutdownTimeout is how long a graceful shutdown waits for requests. Default
	// 30 s; NoLimit.
	ShutdownTimeout time.Duration
}

// number is what limits are made of.
type number interface{ ~int | ~int64 }

// limit puts in the default, and 0 for NoLimit.
func limit[N number](err *error, field string, v *N, normal N) {
	switch {
	case *v < NoLimit:
		if *err == nil {
			*err = misconfigured("Config."+field, "is %v; want 0 for %v, NoLimit, or more", *v, normal)
		}
	case *v == NoLimit:
		*v = 0
	case *v == 0:
		*v = normal
	}
}

// fill checks the configuration before anything is opened; from then on 0 in a
// limit means none.
func (cfg *Config) fill() (*routes, error) {
	var err error
	limit(&err, "MaxBody", &cfg.MaxBody, 1<<20)
	limit(&err, "MaxConns", &cfg.MaxConns, 10000)
	limit(&err, "MaxStream", &cfg.MaxStream, 16<<20)
	limit(&err, "ReadHeaderTimeout", &cfg.ReadHeaderTimeout, 10*time.Second)
	limit(&err, "ReadTimeout", &cfg.ReadTimeout, time.Minute)
	limit(&err, "WriteTimeout", &cfg.WriteTimeout, time.Minute)
	limit(&err, "IdleTimeout", &cfg.IdleTimeout, 75*time.Second)
	limit(&err, "AnswerTimeout", &cfg.AnswerTimeout, 2*time.Minute)
	limit(&err, "ShutdownTimeout", &cfg.ShutdownTimeout, 30*time.Second)
	cfg.WriteTimeout = min(cfg.WriteTimeout, ever) // it is calculated with
	cfg.MaxHeader = min(cfg.MaxHeader, 1<<30)      // so does net/http
	for _, t := range []struct {
		field string
		Target
	}{{"LogHandler", cfg.LogHandler}, {"Log2Handler", cfg.Log2Handler}, {"ErrorHandler", cfg.ErrorHandler}, {"SetupHandler", cfg.SetupHandler}} {
		if err == nil {
			err = t.check("Config." + t.field)
		}
	}
	switch {
	case err != nil:
		return nil, err
	case len(cfg.Handlers) == 0 && cfg.Handler == nil:
		return nil, misconfigured("Config.Handlers", "is empty; set it, or Handler")
	case cfg.MaxHeader < 0:
		return nil, misconfigured("Config.MaxHeader", "is %d; want 0 for 1 MiB, or more", cfg.MaxHeader)
	case cfg.AccessLogFormat < Common || cfg.AccessLogFormat > JSON:
		return nil, misconfigured("Config.AccessLogFormat", "is %d; want Common, Combined or JSON", cfg.AccessLogFormat)
	case slices.Contains(cfg.Listeners, nil):
		return nil, misconfigured("Config.Listeners", "has a nil; leave it out")
	case cfg.Prefork != nil && len(cfg.Listeners) > 0:
		return nil, misconfigured("Config.Listeners", "are %d, beside Prefork; use Listen, where prefork knows systemd:// too", len(cfg.Listeners))
	case cfg.TLS != nil && !hasCertificate(cfg.TLS):
		return nil, misconfigured("Config.TLS", "has no certificate; set GetCertificate to that of a Certificate, or Certificates")
	}
	if cfg.Hostname == "" {
		if cfg.Hostname, err = os.Hostname(); err != nil {
			return nil, misconfigured("Config.Hostname", "is empty, and the system's cannot be had: %v; set it", err)
		}
	}
	if len(cfg.Listen) == 0 && len(cfg.Listeners) == 0 {
		cfg.Listen = []string{"tcp://127.0.0.1:0"}
	}
	return compile("Config.Handlers", cfg.Handlers)
}

// ever is longer than any connection.
const ever = 100 * 365 * 24 * time.Hour

// hasCertificate asks what a server needs of a configuration (H10).
func hasCertificate(t *tls.Config) bool {
	return len(t.Certificates) > 0 || t.GetCertificate != nil || t.GetConfigForClient != nil
}
