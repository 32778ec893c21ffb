package main

import (
	"encoding/binary"
	"net"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

func init() {
	for peer, mode := range usherModes {
		streams.serve(peer, map[string]Server{
			"stream-send":    {Serve: usherServer(mode, func(conn net.Conn) kernel.Receiver { return new(usherSource).session(conn) })},
			"stream-receive": {Serve: usherServer(mode, func(conn net.Conn) kernel.Receiver { return new(usherSink).session(conn) })},
		})
	}
}

const (
	usherGotBytes kernel.Event[[]byte]   = "got_bytes"
	usherLow      kernel.Event[struct{}] = "low"
)

// usherSource sends chunks while less than its high mark waits.
type usherSource struct {
	rw      *wheel.ReadWrite[[]byte, []byte]
	request []byte
	left    int
}

func (u *usherSource) session(conn net.Conn) *session.Session {
	return session.New(
		session.Handle("_start", func(c *kernel.Context) (err error) {
			u.rw, err = wheel.NewReadWrite(c, conn, wheel.ReadWriteConfig[[]byte, []byte]{
				Filter: &filter.StreamFilter{Reuse: true}, InputEvent: usherGotBytes, LowEvent: usherLow,
				HighMark: 4 * len(chunk), LowMark: len(chunk),
			})
			return err
		}),
		session.On(usherGotBytes, func(_ *kernel.Context, p []byte) error {
			if u.request = append(u.request, p...); len(u.request) < requestSize {
				return nil
			}
			u.left, u.request = int(binary.BigEndian.Uint64(u.request)), nil
			return u.send()
		}),
		session.On(usherLow, func(*kernel.Context, struct{}) error { return u.send() }),
	)
}

func (u *usherSource) send() error {
	for u.left > 0 && !u.rw.High() {
		u.left--
		if err := u.rw.Put(chunk); err != nil {
			return err
		}
	}
	return nil
}

// usherSink counts what comes.
type usherSink struct {
	rw      *wheel.ReadWrite[[]byte, []byte]
	request []byte
	left    int // bytes, once the request is there
}

func (u *usherSink) session(conn net.Conn) *session.Session {
	return session.New(
		session.Handle("_start", func(c *kernel.Context) (err error) {
			u.rw, err = wheel.NewReadWrite(c, conn, wheel.ReadWriteConfig[[]byte, []byte]{
				Filter: &filter.StreamFilter{Reuse: true}, InputEvent: usherGotBytes,
			})
			return err
		}),
		session.On(usherGotBytes, func(_ *kernel.Context, p []byte) error { return u.take(p) }),
	)
}

func (u *usherSink) take(p []byte) error {
	if missing := requestSize - len(u.request); missing > 0 {
		n := min(missing, len(p))
		u.request = append(u.request, p[:n]...)
		p = p[n:]
		if len(u.request) < requestSize {
			return nil
		}
		u.left = int(binary.BigEndian.Uint64(u.request)) * len(chunk)
	}
	if u.left -= len(p); u.left > 0 {
		return nil
	}
	request := u.request
	u.request = nil
	return u.rw.Put(request)
}
