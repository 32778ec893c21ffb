package keepalive

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// TestA80_StartGoesOnWhereTheWheelStood: in the middle of what was read, another wheel
// delivers the rest, whole records and the beginning of one, once: with a filter of its
// own, with the old one, and after a Start that was refused.
func TestA80_StartGoesOnWhereTheWheelStood(t *testing.T) {
	for name, again := range map[string]func(old filter.Filter[string, string]) filter.Filter[string, string]{
		"new filter":  func(filter.Filter[string, string]) filter.Filter[string, string] { return filter.Line() },
		"same filter": func(old filter.Filter[string, string]) filter.Filter[string, string] { return old },
	} {
		t.Run(name, func(t *testing.T) {
			inBubbles(t, Config{}, func(b *bubble) {
				const more kernel.Event[string] = "more"
				u := newUser(b.T, b.k, b.pool)
				b.ask(u, Request{})
				conn := u.take().Conn
				b.after(time.Second) // accepted
				got := make(chan string, 10)
				u.do(func(c *kernel.Context) error {
					cfg := wheel.ReadWriteConfig[string, string]{Filter: filter.Line(), InputEvent: line}
					c.State(more.Name(), func(c *kernel.Context) error { got <- "more " + c.Arg(0).(string); return nil })
					c.State(line.Name(), func(c *kernel.Context) error {
						got <- "line " + c.Arg(0).(string)
						cfg.InputEvent, cfg.Filter = more, again(cfg.Filter)
						bad := cfg
						bad.Credit = -1
						if _, err := Start(c, conn, bad); !errors.Is(err, wheel.ErrConfig) {
							t.Errorf("a bad configuration: %v", err)
						}
						_, err := Start(c, conn, cfg)
						return err
					})
					_, err := Start(c, conn, cfg)
					return err
				})
				for _, s := range []string{"a\nb\nc", "d\n"} {
					if _, err := b.peers[0].Write([]byte(s)); err != nil {
						b.Fatal(err)
					}
					b.after(time.Second)
				}
				close(got)
				var lines []string
				for s := range got {
					lines = append(lines, s)
				}
				if want := []string{"line a", "more b", "more cd"}; !slices.Equal(lines, want) {
					t.Errorf("got %q, want %q", lines, want)
				}
				u.do(func(*kernel.Context) error { return conn.Close() })
			})
		})
	}
}

// exchanging asks for a connection, puts a wheel on it, exchanges that, and ends the loan
// when the peer has answered.
func exchanging(p *Pool, port int, end func(*Conn) error) *session.Session {
	var conn *Conn
	return session.New(
		session.Handle("_start", func(c *kernel.Context) error {
			_, err := p.Allocate(c, Request{Scheme: "test", Addr: "127.0.0.1", Port: port, Event: evGot})
			return err
		}),
		session.On(line, func(*kernel.Context, string) error { return end(conn) }),
		session.On(evGot, func(c *kernel.Context, r Response) error {
			conn = r.Conn
			cfg := wheel.ReadWriteConfig[string, string]{Filter: filter.Line(), InputEvent: line}
			rw, err := Start(c, conn, cfg)
			if err != nil {
				return err
			}
			cfg.Filter = filter.Line()
			if rw, err = wheel.Exchange(rw, cfg); err != nil {
				return err
			}
			return rw.Put("hello")
		}),
	)
}

// TestA82_A84_ExchangedWheelEnds with the loan, however that ends, though another value
// stands for it by then: the connection is fit to be lent again, and nothing holds the
// session and its kernel any more.
func TestA82_A84_ExchangedWheelEnds(t *testing.T) {
	for name, tc := range map[string]struct {
		end  func(*Conn) error
		want Load
	}{
		"Release": {(*Conn).Release, Load{Idle: 1}},
		"Close":   {(*Conn).Close, Load{}},
	} {
		for _, m := range []kernel.Mode{kernel.Parallel, kernel.Serial} {
			t.Run(name+" "+m.String(), func(t *testing.T) {
				k := kernel.New(kernel.Config{Mode: m})
				p := startPool(t, k, Config{})
				var load Load
				if _, err := k.Spawn(exchanging(p, newEcho(t).port(), func(c *Conn) error {
					err := tc.end(c)
					s, _ := p.Stats()
					load = s.Load
					p.Shutdown()
					return err
				})); err != nil {
					t.Fatal(err)
				}
				if err := k.Run(deadline(t)); err != nil || load != tc.want {
					t.Errorf("%+v, want %+v; Run: %v", load, tc.want, err)
				}
			})
		}
	}
}
