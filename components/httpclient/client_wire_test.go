package httpclient

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// TestA114_A115_WhichConnectionsAreUsedAgain: only after a whole answer that did not say
// close. What was cut short is closed.
func TestA114_A115_WhichConnectionsAreUsedAgain(t *testing.T) {
	large := strings.Repeat("x", 1<<20)
	asked := make(chan struct{}, 1)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-From", r.RemoteAddr)
		switch r.URL.Path {
		case "/close":
			w.Header().Set("Connection", "close")
		case "/large":
			_, _ = io.WriteString(w, large)
		case "/hang":
			asked <- struct{}{}
			<-r.Context().Done()
		case "/moved":
			w.Header().Set("Location", "/")
			w.WriteHeader(http.StatusFound)
		case "/movedWithBody":
			w.Header().Set("Location", "/")
			w.WriteHeader(http.StatusFound)
			_, _ = io.WriteString(w, large)
		}
	})
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		u := newUser(t, newClient(t, k, Config{MaxSize: 100, FollowRedirects: 1}))
		from := func(path string) string {
			r := u.ask(get(t, s.URL+path))
			if r.Err != nil {
				t.Fatal(r.Err)
			}
			return r.HTTP.Header.Get("X-From")
		}
		for path, again := range map[string]bool{
			"/": true, "/close": false, "/large": false, "/hang": false, "/moved": true, "/movedWithBody": false,
		} {
			before := from("/")
			switch path {
			case "/hang":
				id := u.request(Request{HTTP: get(t, s.URL+path)})
				<-asked
				if err := u.client.Cancel(id); err != nil {
					t.Fatal(err)
				}
				mustFail(t, u, u.take(), ErrCancelled, 408)
			case "/large":
				mustFail(t, u, u.ask(get(t, s.URL+path)), ErrTooLarge, 406)
			default:
				from(path)
			}
			if after := from("/"); after == before != again {
				t.Errorf("%s: from %s, then from %s", path, before, after)
			}
		}
	})
}

// TestMaxRequests: so many at a time, in the order in which they came.
func TestMaxRequests(t *testing.T) {
	eachBubble(t, func(t *testing.T, k *kernel.Kernel) {
		began, next := make(chan string, 10), make(chan struct{})
		u := newUser(t, newClient(t, k, Config{MaxRequests: 1, Transport: tripper(func(req *http.Request) (*http.Response, error) {
			began <- req.URL.Path
			<-next
			return answerWith(req, http.NoBody), nil
		})}))
		for i := range 4 {
			u.request(Request{HTTP: get(t, fmt.Sprintf("http://x/%d", i))})
		}
		for i := range 4 {
			if got := <-began; got != fmt.Sprintf("/%d", i) || len(began) > 0 {
				t.Errorf("request %d: %s is asked, %d more", i, got, len(began))
			}
			if s, _ := u.client.Stats(); s.Running != 1 || s.Waiting != 3-i || u.client.Pending() != 4-i {
				t.Errorf("request %d: %+v", i, s)
			}
			next <- struct{}{}
			u.take()
		}
	})
}

// TestMaxRequests_StuckTransport: what was given up keeps its place until it ends.
func TestMaxRequests_StuckTransport(t *testing.T) {
	eachBubble(t, func(t *testing.T, k *kernel.Kernel) {
		began, stuck := make(chan struct{}, 10), make(chan struct{})
		u := newUser(t, newClient(t, k, Config{MaxRequests: 1, Transport: tripper(func(req *http.Request) (*http.Response, error) {
			began <- struct{}{}
			<-stuck // whatever the context says
			return answerWith(req, http.NoBody), nil
		})}))
		first := u.request(Request{HTTP: get(t, "http://x/")})
		<-began
		if err := u.client.Cancel(first); err != nil {
			t.Fatal(err)
		}
		mustFail(t, u, u.take(), ErrCancelled, 408)
		u.request(Request{HTTP: get(t, "http://x/")})
		if s, _ := u.client.Stats(); s.Running != 1 || s.Waiting != 1 || len(began) != 0 {
			t.Errorf("%+v, %d began", s, len(began))
		}
		close(stuck)
		if r := u.take(); r.Err != nil {
			t.Error(r.Err)
		}
		u.quiet()
	})
}
