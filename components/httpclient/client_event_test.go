package httpclient

import (
	"errors"
	"net/http"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
	"github.com/usher-go/usher/session"
)

// TestByEvent: all that the methods do, posted to the alias.
func TestByEvent(t *testing.T) {
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/wait" {
			<-r.Context().Done()
		}
	})
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		u := newUser(t, newClient(t, k, Config{Alias: "ua"}))
		slow := get(t, s.URL+"/wait")
		call := func(c *kernel.Context, event string, args ...any) any {
			v, err := c.Call("ua", event, args...)
			if err != nil {
				t.Error(err)
			}
			return v
		}
		u.do(func(c *kernel.Context) error {
			return EvRequest.Post(c, "ua", Request{HTTP: get(t, s.URL), Event: evGot})
		})
		if r := u.take(); r.Err != nil || r.HTTP.StatusCode != 200 || r.ID == 0 {
			t.Fatalf("%+v", r)
		}
		u.do(func(c *kernel.Context) error {
			id := call(c, "request", Request{HTTP: slow, Event: evGot})
			if n := call(c, "pending_requests_count"); n != 1 || id == RequestID(0) {
				t.Errorf("%v pending, ID %v", n, id)
			}
			if v := call(c, "cancel", get(t, s.URL)); v != ErrNoRequest {
				t.Errorf("cancelling an unknown request: %v", v)
			}
			return c.Post("ua", "cancel", slow)
		})
		if r := u.take(); !errors.Is(r.Err, ErrCancelled) || r.Request != slow {
			t.Fatalf("%+v", r)
		}
		u.do(func(c *kernel.Context) error {
			st, _ := call(c, "stats").(Stats)
			if st.Requests != 2 || st.Ended["answered"] != 1 || st.Ended["cancelled"] != 1 {
				t.Errorf("%+v", st)
			}
			return c.Post("ua", "shutdown")
		})
		until(t, "the alias ends", func() bool { _, there := k.Resolve("ua"); return !there })
	})
}

// TestByEvent_Hold: a goroutine has a session answered, and keeps it until then.
func TestByEvent_Hold(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		gate := make(chan struct{})
		s := serve(t, func(http.ResponseWriter, *http.Request) { <-gate })
		newClient(t, k, Config{Alias: "ua"})
		got := make(chan Response, 1)
		stopped := make(chan struct{})
		lease, err := k.SpawnHeld(session.New(
			session.On(evGot, func(_ *kernel.Context, r Response) error { got <- r; return nil }),
			session.Handle("_stop", func(*kernel.Context) error { close(stopped); return nil }),
		))
		if err != nil {
			t.Fatal(err)
		}
		if err := EvRequest.PostFrom(k, "ua", Request{HTTP: get(t, s.URL), Event: evGot, Hold: lease}); err != nil {
			t.Fatal(err)
		}
		close(gate)
		if r := <-got; r.Err != nil {
			t.Error(r.Err)
		}
		<-stopped
	})
}

func TestByEvent_NobodyToAnswer(t *testing.T) {
	reported := make(chan error, 10)
	k := kernel.New(kernel.Config{Observer: &kernel.Observer{Reported: func(_, _ string, err error) { reported <- err }}})
	kerneltest.Start(t, k)
	c := newClient(t, k, Config{})
	for _, req := range []Request{{HTTP: get(t, "http://127.0.0.1/"), Event: evGot}, {}} {
		if err := EvRequest.PostFrom(k, c.Address(), req); err != nil {
			t.Fatal(err)
		}
		if err := <-reported; !errors.Is(err, ErrArgument) {
			t.Errorf("reported: %v", err)
		}
	}
	if n := c.Pending(); n != 0 {
		t.Errorf("%d are pending", n)
	}
}
