package backend

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// TestB19_Oneshot: what it sends arrives, also large and with TLS and a secret;
// what is refused is an error; a silent server costs no more than its time.
func TestB19_Oneshot(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		a := newAuthority(t)
		s := doubler(t, k, ServerConfig{
			Secrets: secrets, TLS: &tls.Config{Certificates: []tls.Certificate{a.certificate("server", time.Hour)}},
			Allow: func(_ Identity, _ Action, name string) bool { return name != "forbidden" },
		})
		cfg := knows
		cfg.Port, cfg.TLS = port(s), &tls.Config{RootCAs: a.pool}
		got := make(chan Message, 1)
		ears := cfg
		ears.Name, ears.Deliver, ears.Events = "ears", listener(t, k, got), []kernel.Event[Message]{news}
		connect(t, k, ears)
		cfg.Name = "once"
		for _, serializer := range []Serializer{Protobuf, JSON} {
			cfg.Serializer = serializer
			if err := Oneshot(deadline(t), cfg, Message{Name: "news", To: "ears", Args: []any{strings.Repeat("x", 500<<10)}}); err != nil {
				t.Fatal(err)
			}
			if m := <-got; len(m.Args[0].(string)) != 500<<10 || m.From != "once" {
				t.Errorf("got %d bytes from %q", len(m.Args[0].(string)), m.From)
			}
		}
		if err := Oneshot(deadline(t), cfg, Message{Name: "news", To: "forbidden"}); !errors.Is(err, ErrDenied) {
			t.Errorf("refused: %v", err)
		}
		until(t, "it is gone", func() bool { st, err := s.State(); return err == nil && st.Connections == 1 })
		bad := cfg
		bad.Secret = []byte("guess")
		if err := Oneshot(deadline(t), bad, Message{Name: "x"}); !errors.Is(err, ErrRefused) {
			t.Errorf("wrong secret: %v", err)
		}
	})
	p, _ := silent(t)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if err := Oneshot(ctx, Config{Port: p}, Message{Name: "x"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a silent server: %v", err)
	}
	if err := Oneshot(ctx, Config{}, Message{Name: "x"}); !errors.Is(err, ErrArgument) {
		t.Errorf("no port: %v", err)
	}
}
