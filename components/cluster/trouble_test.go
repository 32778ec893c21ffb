package cluster

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// A node that cannot be reached says why: in its Status, and to who posts. One whose
// certificate is another's gets nothing that is not for it.
func TestTroubleIsSaid(t *testing.T) {
	authority := newRemoteAuthority(t)
	impostor := startRemote(t, remoteConfig{TLS: authority.config("c")})
	reported := make(chan string, 100)
	k := kernel.New(kernel.Config{Observer: &kernel.Observer{Reported: func(_, cause string, err error) {
		if cause == "link refused" {
			reported <- err.Error()
		}
	}}})
	n, err := Join(k, Config{
		Name: "a", TLS: authority.config("a"), Heartbeat: 50 * time.Millisecond, LostAfter: 500 * time.Millisecond,
		Directory: Static{"a": "127.0.0.1:0", "b": impostor.address, "d": "127.0.0.1:1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	changed := make(chan Change, 100)
	watch, err := k.SpawnHeld(receiver(func(c *kernel.Context) error {
		switch c.Event() {
		case "_start":
			return n.Watch(c, "change")
		case "change":
			changed <- c.Arg(0).(Change)
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer watch.Release()
	end := make(chan error, 1)
	go func() { end <- k.Run(context.Background()) }()
	for lost := 0; lost < 2; {
		if await(t, changed).State == Lost {
			lost++
		}
	}
	if got := await(t, reported); !strings.Contains(got, `node b: refused: a packet for node b, to `+impostor.address+`, whose certificate is for ["c"]`) {
		t.Errorf("reported is %s", got)
	}
	for name, want := range map[string]string{"b": `["c"]`, "d": "connection refused"} {
		p := n.peer(name)
		late := time.Now().Add(limit)
		for p.status().Trouble == "" && time.Now().Before(late) {
			_ = n.pause(t.Context(), time.Millisecond) // between two attempts
		}
		if got := p.status().Trouble; !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		if err := k.Post(kernel.Address("x@"+name), "line"); !errors.Is(err, kernel.ErrNoNode) || name == "d" && !strings.Contains(err.Error(), want) {
			t.Errorf("a post to %s: %v", name, err)
		}
	}
	if len(reported) > 0 {
		t.Errorf("it is reported again: %s", <-reported)
	}
	for len(impostor.news) > 0 {
		if got := <-impostor.news; got.what == "received" {
			t.Errorf("the impostor gets a packet of %s", got.who)
		}
	}
	k.Stop()
	if err := await(t, end); err != nil {
		t.Error(err)
	}
}
