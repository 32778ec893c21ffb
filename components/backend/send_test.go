package backend

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// TestB27_B28_WhatCannotBeSentIsItsSendersError, at once, and harms no other.
func TestB27_B28_WhatCannotBeSentIsItsSendersError(t *testing.T) {
	k := running(t, kernel.Parallel)
	s := doubler(t, k, ServerConfig{})
	c := connect(t, k, Config{Port: port(s), PingTimeout: -1})
	for want, m := range map[error]Message{
		filter.ErrTooLong:        {Name: "double", Args: []any{make([]byte, 2<<20)}},
		kernel.ErrNotEncodable:   {Name: "double", Args: []any{make(chan int)}},
		filter.ErrNotEncodable:   {Name: "\xff"},
		ErrArgument:              {},
		context.DeadlineExceeded: {Name: "hush"},
	} {
		within := 20 * time.Second
		if want == context.DeadlineExceeded {
			within = 50 * time.Millisecond
		}
		ctx, cancel := context.WithTimeout(context.Background(), within)
		if _, err := c.Request(ctx, m); !errors.Is(err, want) {
			t.Errorf("%.20v: %v, want %v", m.Name, err, want)
		}
		cancel()
	}
	if _, err := c.Request(deadline(t), Message{Name: "double", To: "x"}); !errors.Is(err, ErrArgument) {
		t.Errorf("a request to a service: %v", err)
	}
	if err := s.Send(Message{Name: "news", To: Everyone, Args: []any{make([]byte, 2<<20)}}); !errors.Is(err, filter.ErrTooLong) {
		t.Errorf("from the server: %v", err)
	}
	until(t, "the request whose context ended is forgotten", func() bool { st, err := c.State(); return err == nil && st.Asked == 0 })
	if st, _ := c.State(); st.Reconnects != 0 {
		t.Errorf("the connection was lost: %+v", st)
	}
}

// TestB28_OutputThatNobodyTakes: the sender hears of it, and the connection stays.
func TestB28_OutputThatNobodyTakes(t *testing.T) {
	k := running(t, kernel.Parallel)
	p, accepted := silent(t)
	c, err := Open(k, Config{Port: p, PingTimeout: -1})
	if err != nil {
		t.Fatal(err)
	}
	conn := &raw{t, <-accepted, filter.Event()}
	conn.welcome()
	until(t, "it is up", func() bool { st, _ := c.State(); return st.State == "ready" })
	for err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
		_, err = c.Request(ctx, Message{Name: "big", Args: []any{make([]byte, 1<<20)}})
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			err = nil
		}
	}
	if !errors.Is(err, ErrFull) {
		t.Fatalf("got %v", err)
	}
	if st, _ := c.State(); st.State != "ready" {
		t.Fatalf("state %+v", st)
	}
	conn.Close()
	c.Close()
}
