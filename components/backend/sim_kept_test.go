package backend

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"
)

// TestWhatSendAcceptedWaitsThroughARefusal: a request that waits hears of it, any other
// message goes to the server that takes us.
func TestWhatSendAcceptedWaitsThroughARefusal(t *testing.T) {
	simulating(t, ServerConfig{Serializers: []Serializer{JSON}}, func(w *world) {
		w.client("ears", Config{Serializer: JSON, PingTimeout: -1})
		c := w.client("a", Config{PingTimeout: -1, MinBackoff: time.Second})
		w.double(c, 1)
		if err := c.Send(item(1)); err != nil {
			w.Fatal(err)
		}
		w.pass(100 * time.Millisecond)
		if r := w.reply(); !errors.Is(r.Err, ErrRefused) {
			w.Errorf("the request: %+v", r)
		}
		if s := w.state(c); s.State != Reconnecting || s.Waiting != 1 {
			w.Errorf("refused: %+v", s)
		}
		w.server.Shutdown()
		w.pass(200 * time.Millisecond)
		w.serve(ServerConfig{})
		w.pass(10 * time.Second)
		w.is(c, Ready)
		w.heard("ears [1]")
	})
}

// TestAsMuchGoesAsMayWait: all that Send has accepted reaches the server, how much that
// ever was: what waited for a connection, and what the connection is slow to take. What
// is too much Send refuses.
func TestAsMuchGoesAsMayWait(t *testing.T) {
	if raceEnabled {
		t.Skip("one goroutine copies 40 MB")
	}
	w := newWorld(t, 1, ServerConfig{})
	w.net.FailDial(fmt.Sprintf("127.0.0.1:%d", simPort), syscall.ECONNREFUSED)
	c := w.client("a", Config{PingTimeout: -1, IdlePing: -1, MaxQueuedBytes: 20 << 20, MinBackoff: time.Second})
	w.pass(100 * time.Millisecond)
	w.is(c, Reconnecting)
	accepted := 0
	for range 2 { // before there is a connection, and when it takes nothing
		var err error
		for n := 0; err == nil && n < 60; n++ {
			if err = c.Send(Message{Name: "hush", Args: []any{make([]byte, 1e6)}}); err == nil {
				accepted++
			}
		}
		if !errors.Is(err, ErrFull) {
			w.Fatal(err)
		}
		w.pass(10 * time.Second)
		w.is(c, Ready)
		list, err := w.server.Status()
		if err != nil || len(list) != 1 || list[0].Received != 1+accepted {
			w.Errorf("%d were accepted, and the server has %+v, %v", accepted, list, err)
		}
		w.clientEnd().Stall(5 * time.Second)
	}
	if accepted < 40 {
		w.Errorf("only %d were accepted", accepted)
	}
	w.end()
}
