package keepalive

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
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
