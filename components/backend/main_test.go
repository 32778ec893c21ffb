//go:build unix

package backend

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/usher-go/usher/components/prefork"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// forkVariable has the test binary be a preforking program, with the port of the
// test's server.
const forkVariable = "USHER_TEST_BACKEND_PORT"

func TestMain(m *testing.M) {
	if at := os.Getenv(forkVariable); at != "" {
		os.Exit(preforking(at))
	}
	if at := os.Getenv(killVariable); at != "" {
		os.Exit(killable(at))
	}
	os.Exit(m.Run())
}

// preforking is a program with ConnectOnInit before prefork.New: it runs in the
// master and in every worker.
func preforking(at string) int {
	fail := func(err error) int {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	p, err := strconv.Atoi(at)
	if err != nil {
		return fail(err)
	}
	role := "master"
	if prefork.IsChild() {
		role = "worker"
	}
	k := kernel.New(kernel.Config{})
	if err := ConnectOnInit(k, Config{Port: p, Alias: role}); err != nil {
		return fail(err)
	}
	pool, err := prefork.New(k, prefork.Config{
		Listen: []string{"tcp://127.0.0.1:0"}, StartServers: 2,
		Server: func(c *kernel.Context, w *prefork.Worker) error {
			server, err := c.Spawn(session.New(session.On(kernel.Event[net.Conn]("conn"), func(_ *kernel.Context, conn net.Conn) error { return conn.Close() })), kernel.Alias("server"))
			if err == nil {
				w.Serve(server, "conn")
			}
			return err
		},
	})
	if err != nil {
		return fail(err)
	}
	go func() {
		_, _ = os.Stdin.Read(make([]byte, 1)) // the test ends
		_ = pool.Shutdown()
	}()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := k.Run(ctx); err != nil {
		return fail(err)
	}
	return 0
}
