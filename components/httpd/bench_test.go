package httpd_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// BenchmarkHello is one small request on a connection that is kept, eight
// connections for each of -cpu, the client included: net/http by itself with the
// same timeouts, a route, and a Handler. The client hardly parses, and does not
// pipeline.
func BenchmarkHello(b *testing.B) {
	body := []byte("hello, world\n")
	plain := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write(body)
	})

	b.Run("net-http", func(b *testing.B) {
		ln := listenLocal(b)
		s := &http.Server{Handler: plain, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 75 * time.Second, WriteTimeout: time.Minute}
		go func() { _ = s.Serve(ln) }()
		b.Cleanup(func() { s.Close() })
		flood(b, ln.Addr())
	})
	b.Run("route", func(b *testing.B) {
		k, _ := running(b)
		lease, err := k.SpawnHeld(session.New(httpd.On("hello", func(_ *kernel.Context, _ *httpd.Request, a *httpd.Response) error {
			a.Content = body
			a.Done()
			return nil
		})), kernel.Alias("pages"))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(lease.Release)
		flood(b, server(b, k, httpd.Config{Handlers: []httpd.Route{{Dir: "^/hello", Session: "pages", Event: "hello"}}}))
	})
	b.Run("handler", func(b *testing.B) {
		k, _ := running(b)
		flood(b, server(b, k, httpd.Config{Handler: plain}))
	})
}

func server(b *testing.B, k *kernel.Kernel, cfg httpd.Config) net.Addr {
	cfg.KeepAlive = true
	s, err := httpd.New(k, cfg)
	if err != nil {
		b.Fatal(err)
	}
	return s.Addrs()[0]
}

// running is a parallel kernel without a watch over it.
func running(b *testing.B) (*kernel.Kernel, func()) {
	k := kernel.New(kernel.Config{})
	release := k.Hold("bench")
	end := make(chan error, 1)
	go func() { end <- k.Run(context.Background()) }()
	stop := func() {
		k.Stop()
		release()
		if err := <-end; err != nil {
			b.Error(err)
		}
	}
	b.Cleanup(stop)
	return k, stop
}

func listenLocal(t testing.TB) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

func flood(b *testing.B, at net.Addr) {
	b.ReportAllocs()
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		nc, err := net.Dial("tcp", at.String())
		if err != nil {
			b.Error(err)
			return
		}
		defer nc.Close()
		in := bufio.NewReader(nc)
		ask := []byte("GET /hello HTTP/1.1\r\nHost: bench\r\n\r\n")
		for pb.Next() {
			if _, err := nc.Write(ask); err != nil {
				b.Error(err)
				return
			}
			if err := swallow(in); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

var lengthName = []byte("Content-Length: ")

// swallow reads one answer without making anything of it.
func swallow(in *bufio.Reader) error {
	length := 0
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if rest, ok := bytes.CutPrefix(line, lengthName); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(rest))); err != nil {
				return err
			}
		}
		if len(line) <= 2 {
			break
		}
	}
	_, err := io.CopyN(io.Discard, in, int64(length))
	return err
}
