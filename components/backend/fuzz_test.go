package backend

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// FuzzServer gives a server frames of any name and content, and bytes that may
// be none, over a connection of its own: no handler fails, and another client is
// served as before. The server is one for the whole process, because a fuzzer
// runs its function very often.
func FuzzServer(f *testing.F) {
	f.Add("register_service", "", uint64(1), "web", int64(3), []byte{})
	f.Add("register_service", "*", uint64(0), "\xff", int64(-1), []byte{3, 10, 1, 'x'})
	f.Add("ping", "", uint64(2), "", int64(0), []byte{200, 1})
	f.Add("double", "", uint64(3), "x", int64(21), []byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255})
	f.Add("news", "good", uint64(4), "x", int64(0), []byte(nil))
	f.Add("_stop", "*", uint64(5), "DIE", int64(0), []byte("GET / HTTP/1.1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, name, to string, id uint64, text string, n int64, tail []byte) {
		s, c := fuzzed()
		fuzzErrors = t.Errorf
		b := helloLine(Protobuf)
		for _, frame := range []filter.Frame{
			{Name: name, To: to, ID: id, Args: []any{text, int(n)}},
			{Name: name, ReplyTo: id, From: to, Args: []any{n, []any{text}, nil}},
			{Name: name, To: to},
		} {
			if p, err := filter.Event().Append(nil, frame); err == nil {
				b = append(b, p...)
			}
		}
		ours, theirs := net.Pipe()
		if err := evConn.PostFrom(s.k, s.self, theirs); err != nil {
			t.Fatal(err)
		}
		go func() { _, _ = io.Copy(io.Discard, ours) }()
		_ = ours.SetWriteDeadline(time.Now().Add(10 * time.Second))
		_, _ = ours.Write(append(b, tail...))
		ours.Close()
		if v, err := c.Request(deadline(t), Message{Name: "double", Args: []any{4}}); err != nil || v[0] != 8 {
			t.Fatalf("the good client: %v, %v", v, err)
		}
	})
}

// fuzzErrors is told what fails; the fuzzer runs one input after the other.
var fuzzErrors func(format string, args ...any)

var fuzzed = sync.OnceValues(func() (*Server, *Conn) {
	k := kernel.New(kernel.Config{Mode: kernel.Serial, Observer: &kernel.Observer{
		Failed: func(x *kernel.Exception) { fuzzErrors("%v\n%s", x, x.Stack) },
	}})
	k.Hold("fuzz")
	to, err := k.Spawn(doubling(), kernel.Alias("doubling"))
	if err != nil {
		panic(err)
	}
	s, err := NewServer(k, ServerConfig{Commands: map[string]kernel.Address{"double": to}})
	if err != nil {
		panic(err)
	}
	c, err := Open(k, Config{Port: port(s), Name: "good", Deliver: to, Events: []kernel.Event[Message]{"news"}, PingTimeout: -1})
	if err != nil {
		panic(err)
	}
	go func() { _ = k.Run(context.Background()) }()
	return s, c
})
