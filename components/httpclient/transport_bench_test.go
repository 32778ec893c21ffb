package httpclient_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/usher-go/usher/components/keepalive"
)

// BenchmarkGET compares this Transport with http.Transport on one server: one
// request after the other, and by 64 goroutines on up to 64 connections.
func BenchmarkGET(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "hello")
	}))
	defer server.Close()
	rig := newTransportRig(b, keepalive.Config{MaxPerHost: 64}, nil)
	theirs := &http.Transport{MaxIdleConnsPerHost: 64}
	defer theirs.CloseIdleConnections()

	for _, c := range []struct {
		name string
		rt   http.RoundTripper
	}{{"ours", rig.Transport}, {"net-http", theirs}} {
		client := &http.Client{Transport: c.rt}
		get := func() {
			resp, err := client.Get(server.URL)
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
		b.Run("one/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				get()
			}
		})
		b.Run("64/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			var all sync.WaitGroup
			for g := range 64 {
				all.Go(func() {
					for i := g; i < b.N; i += 64 {
						get()
					}
				})
			}
			all.Wait()
		})
	}
}
