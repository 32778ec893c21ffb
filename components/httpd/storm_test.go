package httpd_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
)

// Whatever several owners of a Response do at once, its client gets one answer or
// none, never that of another, and the server stays well.
func TestH44_H45_H49_H57_Storm(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		r := newRig(t, m, kerneltest.AllowGoroutines())
		quarrel := []func(*httpd.Response){(*httpd.Response).Done, (*httpd.Response).Send, (*httpd.Response).Close, (*httpd.Response).Done,
			func(a *httpd.Response) { _ = httpd.Done.PostFrom(r.k, "web", a) }}
		s := r.serve(r.logs(httpd.Config{Alias: "web", KeepAlive: true}), pages{"storm": func(_ *kernel.Context, q *httpd.Request, a *httpd.Response) error {
			n := 0
			fmt.Sscan(q.URL.RawQuery, &n)
			a.WriteString(q.URL.RawQuery)
			if n&1 != 0 {
				a.Stream("", "", true)
			}
			var one sync.Mutex // the fields have one owner at a time
			for i := range 3 {
				go func() {
					one.Lock()
					defer one.Unlock()
					quarrel[(n>>1+i)%len(quarrel)](a)
				}()
			}
			return nil
		}})
		tr := &http.Transport{}
		defer tr.CloseIdleConnections()
		client := &http.Client{Transport: tr, Timeout: patience}
		var all sync.WaitGroup
		for who := range 4 {
			all.Go(func() {
				for i := range 50 {
					text := fmt.Sprint(100*who + i)
					a, err := client.Get("http://" + s.Addrs()[0].String() + "/storm?" + text)
					if err != nil {
						continue // closed
					}
					b, err := io.ReadAll(a.Body)
					a.Body.Close()
					if err == nil && string(b) != text && string(b) != "" || !strings.HasPrefix(text, string(b)) || a.StatusCode != 200 {
						t.Errorf("%s: %d %q, %v", text, a.StatusCode, b, err)
					}
				}
			})
		}
		all.Wait()
		tr.CloseIdleConnections()
		r.until("nothing is left", func() bool { st := s.Stats(); return st.Requests == 0 && st.Connections == 0 })
		if n := r.count("error malformed") + r.count("error handler"); n > 0 {
			t.Errorf("%q", r.entries())
		}
	})
}
