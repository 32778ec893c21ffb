package wheeltest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/wheeltest"
	"golang.org/x/net/nettest"
)

// onConns runs a test with a connection in memory, a real one, and a pipe, which
// can do no more than a net.Conn must.
func onConns(t *testing.T, f func(t *testing.T, near, far net.Conn)) {
	for name, connect := range map[string]func() (net.Conn, net.Conn){
		"memory": func() (net.Conn, net.Conn) { return wheeltest.New(wheeltest.Config{}).Pair() },
		"real":   func() (net.Conn, net.Conn) { return dialled(t, system(), "tcp", "127.0.0.1:0") },
		"pipe":   net.Pipe,
	} {
		t.Run(name, func(t *testing.T) {
			near, far := connect()
			_ = far.SetDeadline(time.Now().Add(time.Minute))
			defer far.Close()
			f(t, near, far)
		})
	}
}

// pieces reads to the end, and returns what each read gave.
func pieces(c net.Conn) (list []string, err error) {
	for {
		p := make([]byte, 100)
		n, err := c.Read(p)
		if n > 0 {
			list = append(list, string(p[:n]))
		}
		if err != nil {
			return list, err
		}
	}
}

func TestFaulty_Reads(t *testing.T) {
	odd := errors.New("odd")
	for _, tt := range []struct {
		name   string
		script []wheeltest.Fault
		want   string
		err    error
	}{
		{"none", nil, "0123456789", io.EOF},
		{"short", []wheeltest.Fault{wheeltest.ShortReads(3)}, "012 345 678 9", io.EOF},
		{"end", []wheeltest.Fault{wheeltest.EndRead(4)}, "0123", io.EOF},
		{"end at once", []wheeltest.Fault{wheeltest.EndRead(0)}, "", io.EOF},
		{"error", []wheeltest.Fault{wheeltest.FailRead(4, odd)}, "0123", odd},
		{"errno", []wheeltest.Fault{wheeltest.FailRead(4, syscall.EHOSTUNREACH)}, "0123", syscall.EHOSTUNREACH},
		{"reset", []wheeltest.Fault{wheeltest.ResetAfter(6)}, "012345", syscall.ECONNRESET},
		{"garbage", []wheeltest.Fault{wheeltest.Insert(4, "xyz"), wheeltest.Insert(0, "a"), wheeltest.Insert(4, "!")}, "a 0123 xyz ! 456789", io.EOF},
		{"garbage, short", []wheeltest.Fault{wheeltest.Insert(4, "xyz"), wheeltest.ShortReads(2), wheeltest.EndRead(5)}, "01 23 xy z 4", io.EOF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onConns(t, func(t *testing.T, near, far net.Conn) {
				c := wheeltest.Faulty(near, tt.script...)
				go func() { _, _ = far.Write([]byte("0123456789")); _ = far.Close() }()
				if tt.name != "short" { // which pieces come is the connection's affair
					got, err := io.ReadAll(c)
					expect(t, "bytes", string(got), strings.ReplaceAll(tt.want, " ", ""))
					if tt.err != io.EOF || err != nil {
						wantError(t, "end", err, tt.err)
					}
				} else {
					got, err := pieces(c)
					expect(t, "pieces", strings.Join(got, " "), tt.want)
					wantError(t, "end", err, tt.err)
				}
				_, err := c.Read(make([]byte, 1))
				wantError(t, "end again", err, tt.err)
				expect(t, "close", c.Close(), nil)
				_, err = c.Read(make([]byte, 1))
				wantError(t, "after Close", err, net.ErrClosed)
				wantError(t, "second close", c.Close(), net.ErrClosed)
			})
		})
	}
}

func TestFaulty_Writes(t *testing.T) {
	odd := errors.New("odd")
	onConns(t, func(t *testing.T, near, far net.Conn) {
		c := wheeltest.Faulty(near, wheeltest.ShortWrites(3), wheeltest.FailWrite(8, odd))
		got := make(chan string)
		go func() { b, _ := io.ReadAll(far); got <- string(b) }()
		n, err := c.Write([]byte("0123456789"))
		expect(t, "written", n, 8)
		wantError(t, "write", err, odd)
		_ = c.Close()
		expect(t, "arrived", <-got, "01234567")
		_, err = c.Write(nil)
		wantError(t, "write after Close", err, net.ErrClosed)
	})
}

// The peer of a reset finds it out, where the connection below can say so.
func TestFaulty_ResetAfter(t *testing.T) {
	onConns(t, func(t *testing.T, near, far net.Conn) {
		c := wheeltest.Faulty(near, wheeltest.ResetAfter(2))
		go func() { _, _ = far.Write([]byte("xy")) }()
		_, err := io.ReadFull(c, make([]byte, 2))
		expect(t, "error before the place", err, nil)
		_, err = c.Read(make([]byte, 1))
		wantError(t, "read", err, syscall.ECONNRESET)
		_, err = c.Write([]byte("x"))
		wantError(t, "write", err, syscall.ECONNRESET)
		_, err = far.Read(make([]byte, 1))
		if _, pipe := far.(interface{ SetLinger(int) error }); !pipe {
			wantError(t, "peer's read", err, io.EOF)
			return
		}
		wantError(t, "peer's read", err, syscall.ECONNRESET)
	})
}

func TestFaulty_StallAndDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		c := wheeltest.Faulty(near, wheeltest.DelayReads(time.Second), wheeltest.StallRead(2))
		go func() { _, _ = far.Write([]byte("xyz")) }()
		began := time.Now()
		for range 2 {
			_, err := c.Read(make([]byte, 1))
			expect(t, "error", err, nil)
		}
		expect(t, "two reads", time.Since(began), 2*time.Second)
		_ = c.SetReadDeadline(time.Now().Add(time.Minute))
		_, err := c.Read(make([]byte, 1))
		wantError(t, "stall", err, os.ErrDeadlineExceeded)
		expect(t, "until the deadline", time.Since(began), time.Minute+2*time.Second)
		_ = c.SetDeadline(time.Time{})
		time.AfterFunc(time.Hour, func() { _ = c.Close() })
		_, err = c.Read(make([]byte, 1))
		wantError(t, "stall", err, net.ErrClosed)
		expect(t, "until Close", time.Since(began), time.Hour+time.Minute+2*time.Second)
		_ = far.Close()
	})
}

// What a wrapper can do is what the connection below can.
func TestFaulty_Kinds(t *testing.T) {
	n := wheeltest.New(wheeltest.Config{})
	memory, _ := n.Pair()
	real, _ := dialled(t, system(), "tcp", "127.0.0.1:0")
	defer real.Close()
	pipe, _ := net.Pipe()
	for _, tt := range []struct {
		name        string
		conn        net.Conn
		half, polls bool
	}{{"memory", memory, true, true}, {"real", real, true, false}, {"pipe", pipe, false, false}, {"polls only", onlyPolls{memory}, false, true}} {
		c := wheeltest.Faulty(tt.conn)
		_, half := c.(interface{ CloseWrite() error })
		_, polls := c.(wheel.Pollable)
		expect(t, tt.name+" half closes", half, tt.half)
		expect(t, tt.name+" is Pollable", polls, tt.polls)
	}
}

type onlyPolls struct{ wheel.Pollable }

// A connection that is only short is a good one.
func TestFaulty_IsANetConn(t *testing.T) {
	nettest.TestConn(t, func() (net.Conn, net.Conn, func(), error) {
		near, far := wheeltest.New(wheeltest.Config{}).Pair()
		a := wheeltest.Faulty(near, wheeltest.ShortReads(700), wheeltest.ShortWrites(500))
		b := wheeltest.Faulty(far, wheeltest.ShortReads(300), wheeltest.ShortWrites(900))
		return a, b, func() { _ = a.Close(); _ = b.Close() }, nil
	})
}

// A wheel on a faulty connection, in virtual time.
func TestFaulty_UnderAWheel(t *testing.T) {
	for _, tt := range []struct {
		name   string
		script func(k *kernel.Kernel) []wheeltest.Fault
		want   string
	}{
		{"short and late", func(k *kernel.Kernel) []wheeltest.Fault {
			return []wheeltest.Fault{wheeltest.ShortReads(4), wheeltest.DelayReads(time.Second), wheeltest.ByClock(k)}
		}, "line one after 1s; line two after 2s; closed <nil> after 3s"},
		{"garbage", func(*kernel.Kernel) []wheeltest.Fault {
			return []wheeltest.Fault{wheeltest.Insert(2, "XX\nY")}
		}, "line onXX after 0s; line Ye after 0s; line two after 0s; closed <nil> after 0s"},
		{"reset", func(*kernel.Kernel) []wheeltest.Fault {
			return []wheeltest.Fault{wheeltest.ResetAfter(5)}
		}, "line one after 0s; closed connection reset by peer after 0s"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			kerneltest.Seeds(t, 5, func(t *testing.T, seed uint64) {
				l := newLab(t, wheeltest.Config{Seed: seed})
				near, far := l.Pair()
				put(t, far, "one\ntwo\n")
				_ = far.Close()
				var log []string
				note := func(what string, v any) {
					log = append(log, fmt.Sprint(what, " ", v, " after ", l.now()))
				}
				_, err := l.k.Spawn(session.New(
					session.Handle("_start", func(c *kernel.Context) error {
						_, err := wheel.NewReadWrite(c, wheeltest.Faulty(near, tt.script(l.k)...), wheel.ReadWriteConfig[string, string]{
							Filter: filter.Line(), InputEvent: "line", CloseEvent: "closed",
						})
						return err
					}),
					session.On("line", func(_ *kernel.Context, s string) error { note("line", s); return nil }),
					session.On("closed", func(_ *kernel.Context, err error) error {
						var errno syscall.Errno
						if errors.As(err, &errno) {
							err = errno
						}
						note("closed", err)
						return nil
					}),
				))
				expect(t, "error", err, nil)
				kerneltest.Run(t, l.k)
				expect(t, "events", strings.Join(log, "; "), tt.want)
				l.settle()
				l.Check(t)
			})
		})
	}
}

// A wheel writes through a short connection all the same.
func TestFaulty_ShortWritesUnderAWheel(t *testing.T) {
	l := newLab(t, wheeltest.Config{Buffer: 1000})
	near, far := l.Pair()
	var got bytes.Buffer
	want := strings.Repeat("0123456789", 1000)
	far.Notify(func() {
		l.After(0, func() {
			s, _ := get(t, far)
			got.WriteString(s)
		})
	}, nil)
	_, err := l.k.Spawn(session.New(
		session.Handle("_start", func(c *kernel.Context) error {
			rw, err := wheel.NewReadWrite(c, wheeltest.Faulty(near, wheeltest.ShortWrites(7)), wheel.ReadWriteConfig[string, string]{
				Filter: filter.Line(), CloseEvent: "closed",
			})
			if err != nil {
				return err
			}
			err = rw.Put(want)
			rw.CloseFlushed()
			l.After(time.Minute, func() { _ = far.Close() })
			return err
		}),
		session.On("closed", func(_ *kernel.Context, err error) error { return err }),
	))
	expect(t, "error", err, nil)
	kerneltest.Run(t, l.k)
	l.advance(time.Minute)
	expect(t, "what arrived is what was put", got.String() == want+"\r\n", true)
	l.Check(t)
}
