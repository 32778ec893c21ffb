package keepalive

import (
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// TestConn_OpenedAndAge are by the kernel's clock, and the connection's own.
func TestConn_OpenedAndAge(t *testing.T) {
	inBubbles(t, Config{}, func(b *bubble) {
		c := b.get()
		opened := c.Opened()
		if got, want := opened.Sub(b.start), 20*time.Millisecond; got != want {
			b.Errorf("opened after %v, want %v", got, want)
		}
		b.after(5 * time.Second)
		b.release(c)
		c = b.get()
		if got, want := c.Age(), 5*time.Second+20*time.Millisecond; got != want || !c.Opened().Equal(opened) {
			b.Errorf("age %v of %v, want %v", got, c.Opened(), want)
		}
		if c.Protocol() != "" {
			b.Errorf("protocol %q without TLS", c.Protocol())
		}
		b.release(c)
	})
}

// TestConn_Protocol is what TLS negotiated.
func TestConn_Protocol(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		port, cfg := secure(t)
		for _, want := range []string{"http/1.1", ""} {
			cfg.TLS = cfg.TLS.Clone()
			cfg.TLS.NextProtos = nil
			if want != "" {
				cfg.TLS.NextProtos = []string{"unheard-of", want}
			}
			u := newUser(t, k, startPool(t, k, cfg))
			r := u.secure(port)
			if r.Err != nil {
				t.Fatal(r.Err)
			}
			if got := r.Conn.Protocol(); got != want {
				t.Errorf("protocol %q, want %q", got, want)
			}
			if err := r.Conn.Release(); err != nil {
				t.Error(err)
			}
		}
	})
}
