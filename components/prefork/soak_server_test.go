//go:build unix

package prefork

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/rpc"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// The program under load: an HTTP server like any other, whose master does what it
// is told over a socket.
const (
	soakVariable = "USHER_TEST_SOAK" // set: be that program; what it listens on
	soakWorkers  = 4
	soakConns    = 8 // of each, at the same time
	soakLife     = 15 * time.Minute
)

func beSoaked() int {
	time.AfterFunc(soakLife, func() { os.Exit(99) })
	k := kernel.New(kernel.Config{})
	pool, err := New(k, Config{
		Name: "soak", Listen: []string{os.Getenv(soakVariable)},
		StartServers: soakWorkers, MinSpareServers: soakWorkers, MaxClients: soakWorkers, ConnsPerServer: soakConns,
		MaxRequests: 500, MaxRequestsJitter: 500, CheckSpares: quick, Server: serveHTTP,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "New:", err)
		return 98
	}
	finish, err := listenToOrders(pool)
	if err == nil {
		err = k.Run(context.Background())
		finish()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "the master:", err)
		return 1
	}
	return 0
}

// orders are what a master is told by net/rpc, which always wants an argument.
type orders struct{ pool *Pool }

func (o orders) Reload(within time.Duration, _ *bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return o.pool.Reload(ctx)
}

func (o orders) Upgrade(within time.Duration, _ *bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return o.pool.Upgrade(ctx)
}

func (o orders) Status(_ time.Duration, s *Status) (err error) {
	*s, err = o.pool.Status()
	return err
}

func (o orders) Addr(_ time.Duration, s *string) error {
	*s = o.pool.Addrs()[0].String()
	return nil
}

// ordersPath leads to the youngest master.
func ordersPath(dir string) string { return filepath.Join(dir, "orders") }

// listenToOrders takes ordersPath from whoever has it. finish waits until the
// answers have been read: the order to upgrade ends this process.
func listenToOrders(pool *Pool) (finish func(), err error) {
	path := ordersPath(os.Getenv(dirVariable))
	own := fmt.Sprint(path, os.Getpid())
	ln, err := net.Listen("unix", own)
	if err != nil {
		return nil, err
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false)
	server := rpc.NewServer()
	if err := errors.Join(server.RegisterName("Master", orders{pool}), os.Rename(own, path)); err != nil {
		return nil, err
	}
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			open.Go(func() { server.ServeConn(conn) })
		}
	})
	return func() { _ = ln.Close(); open.Wait() }, nil
}

// handed is a listener for net/http: the connections that a worker was posted.
type handed chan net.Conn

func (h handed) Accept() (net.Conn, error) { return <-h, nil }
func (h handed) Close() error              { return nil }
func (h handed) Addr() net.Addr            { return &net.TCPAddr{} }

// soaked answers every request with its path, the worker's number, and how long
// that took to start.
type soaked struct {
	worker *Worker
	http   http.Server
	start  time.Duration
}

// finish is the worker's word that no connection follows. Shutdown would be wrong: it
// accepts none of those that were handed over and not taken yet.
const finish kernel.Event[struct{}] = "finish"

func serveHTTP(c *kernel.Context, w *Worker) error {
	s := &soaked{worker: w, start: time.Since(w.estate.board.status(w.Slot()).Started)}
	s.http = http.Server{Handler: s, IdleTimeout: time.Second}
	conns := make(handed, soakConns)
	at, err := c.Spawn(session.New(
		session.On(gotConn, func(_ *kernel.Context, conn net.Conn) error { conns <- conn; return nil }),
		session.On(finish, func(*kernel.Context, struct{}) error { s.http.SetKeepAlivesEnabled(false); return nil }),
	), kernel.Alias("server"))
	if err != nil {
		return err
	}
	w.ServeRequests(at, gotConn, finish)
	go func() { fmt.Fprintln(os.Stderr, "net/http:", s.http.Serve(conns)) }()
	return nil
}

// slowPath is answered in two parts, with a pause between them.
const (
	slowPath = "/slow/"
	slowness = quick
)

func (s *soaked) ServeHTTP(rw http.ResponseWriter, req *http.Request) {
	defer s.worker.RequestEnded(s.worker.RequestBegan(req.URL.Path))
	fmt.Fprintln(rw, req.URL.Path)
	if strings.HasPrefix(req.URL.Path, slowPath) {
		_ = http.NewResponseController(rw).Flush() // the client may be gone
		<-time.After(slowness)
	}
	fmt.Fprintln(rw, os.Getpid(), int64(s.start))
}
