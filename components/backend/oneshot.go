package backend

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"github.com/usher-go/usher/wheel/filter"
)

// Oneshot connects, registers, sends one message that wants no answer, and closes
// (B19). It needs no kernel, and waits until the server has taken everything and
// closed its end, until ctx ends, and for at most Config.Timeout. What the server
// has against the message is a *RemoteError.
func Oneshot(ctx context.Context, cfg Config, m Message) error {
	cfg, err := cfg.complete(os.Getpid())
	if err != nil {
		return err
	}
	d, err := newDialect(cfg.Serializer, cfg.MaxFrame, true)
	if err != nil {
		return err
	}
	out, err := d.encode(filter.Frame{Name: cmdRegister, Args: []any{cfg.Name, 0}})
	if err != nil {
		return err
	}
	o, err := (&Conn{cfg: cfg, dialect: d}).outgoing(m, nil)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, cfg.Timeout)
	defer cancel()
	conn, err := dialPlain(ctx, &cfg)
	if err != nil {
		return fmt.Errorf("backend: oneshot to %s: %w", cfg.address(), err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	if err := shoot(conn, &cfg, d, append(out, o.encoded...)); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return fmt.Errorf("backend: oneshot to %s: %w", cfg.address(), err)
	}
	return nil
}

func dialPlain(ctx context.Context, cfg *Config) (net.Conn, error) {
	if cfg.TLS == nil {
		return new(net.Dialer).DialContext(ctx, cfg.Network, cfg.address())
	}
	t := cfg.TLS
	if t.ServerName == "" && cfg.Network == "tcp" {
		t = t.Clone()
		t.ServerName = cfg.Host
	}
	return (&tls.Dialer{Config: t}).DialContext(ctx, cfg.Network, cfg.address())
}

// shoot says all there is to say, and reads to the end.
func shoot(conn net.Conn, cfg *Config, d dialect, out []byte) error {
	in := bufio.NewReaderSize(conn, maxHello)
	if cfg.Serializer != Storable {
		if err := greetPlain(conn, in, cfg); err != nil {
			return err
		}
	}
	if _, err := conn.Write(out); err != nil {
		return err
	}
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		if err := half.CloseWrite(); err != nil {
			return err
		}
	}
	return readRefusal(in, d)
}

// greetPlain exchanges the hellos.
func greetPlain(conn net.Conn, in *bufio.Reader, cfg *Config) error {
	g, err := newClientGreeting(cfg, conn)
	if err != nil {
		return err
	}
	for send, done := g.begin(), false; ; {
		if _, err := conn.Write(send); err != nil {
			return err
		}
		l, err := in.ReadSlice('\n')
		if err != nil {
			return fmt.Errorf("%w: no hello: %w", ErrRefused, err)
		}
		send, done, err = g.take(append([]byte(nil), l[:len(l)-1]...))
		if err != nil || done {
			return err
		}
	}
}

// readRefusal reads to the end, and returns the first thing that the server has
// against what was sent. What else it sends to a connection that has registered
// is not for it.
func readRefusal(in io.Reader, d dialect) error {
	f, err := d.filter()
	if err != nil {
		return err
	}
	buf := make([]byte, 16<<10)
	for {
		n, err := in.Read(buf)
		f.Feed(buf[:n])
		for {
			frame, ok, err := f.Next()
			if errors.Is(err, filter.ErrUnusable) {
				return err
			}
			if !ok && err == nil {
				break
			}
			if ok && frame.Name == evError {
				return asReply(frame).Err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
