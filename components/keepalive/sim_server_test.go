package keepalive

import (
	"bytes"
	"errors"
	"time"

	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/wheeltest"
)

// listen has a server at an address, which sees when a limit is passed.
func (w *town) listen(addr string) {
	ln, err := w.net.Listen(background, "tcp", addr)
	if err != nil {
		w.Fatal(err)
	}
	l := ln.(*wheeltest.Listener)
	w.listeners = append(w.listeners, l)
	accept := func() {
		for c, err := l.TryAccept(); err == nil; c, err = l.TryAccept() {
			w.open[addr]++
			w.note("%s accepts, has %d", addr, w.open[addr])
			w.checkServers(addr)
			s := &server{town: w, conn: c.(*wheeltest.Conn), addr: addr}
			s.conn.Notify(func() { w.net.After(0, s.read) }, nil)
			w.net.After(0, s.read)
			if w.rng.IntN(4) == 0 { // tires of it, used or idle
				w.net.After(w.upTo(2*time.Second), s.close)
			}
		}
	}
	l.Notify(func() { w.net.After(0, accept) })
}

func (w *town) checkServers(addr string) {
	keys, all := map[string]int{"10.0.0.1:80": 2, "10.0.0.3:80": 2}[addr], 0 // of this server
	for at, n := range w.open {
		if at != "10.0.0.4:80" { // which hears late of an end
			all += n
		}
	}
	if n := w.open[addr]; n > max(keys, 1)*townConfig.MaxPerHost || all > townConfig.MaxOpen {
		w.Errorf("%s has %d connections, all have %d: a limit is passed", addr, n, all)
	}
}

// server is one connection at its server, which answers lines, or does not.
type server struct {
	*town
	conn *wheeltest.Conn
	addr string
	got  []byte
	gone bool
}

func (s *server) close() {
	if !s.gone {
		s.gone = true
		s.open[s.addr]--
		s.conn.Close()
	}
}

func (s *server) read() {
	for buf := make([]byte, 100); !s.gone; {
		n, err := s.conn.TryRead(buf)
		switch {
		case errors.Is(err, wheel.ErrAgain):
			return
		case err != nil:
			s.close()
		default:
			s.got = append(s.got, buf[:n]...)
			for line, rest, ok := bytes.Cut(s.got, []byte("\n")); ok; line, rest, ok = bytes.Cut(s.got, []byte("\n")) {
				s.got = rest
				s.line(string(line))
			}
		}
	}
}

const unasked = "what nobody asked for"

func (s *server) line(line string) {
	switch s.rng.IntN(12) {
	case 0: // no answer, ever
	case 1:
		s.close()
	case 2:
		s.say(line)
		s.close()
	case 3:
		s.say(line)
		_ = s.conn.CloseWrite()
	case 4:
		s.conn.Reset()
	case 5:
		s.say(line)
		s.net.After(s.upTo(time.Second), func() { s.say(unasked) })
	case 6:
		s.net.After(s.upTo(time.Second), func() { s.say(line) })
	default:
		s.say(line)
	}
}

func (s *server) say(line string) {
	if !s.gone {
		_, _ = s.conn.TryWrite([]byte(line + "\n"))
	}
}
