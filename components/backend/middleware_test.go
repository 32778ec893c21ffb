package backend

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/usher-go/usher/kernel"
)

// TestB18_WhatARequestLeavesIsRolledBack, also when its handler panics; what it
// has committed stays.
func TestB18_WhatARequestLeavesIsRolledBack(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		s := doubler(t, k, ServerConfig{MaxTx: 2})
		got := make(chan Message, 10)
		connect(t, k, Config{Port: port(s), Alias: "ears", Name: "ears", Deliver: listener(t, k, got), Events: []kernel.Event[Message]{news}})
		conn := connect(t, k, Config{Port: port(s), PingTimeout: -1})
		var left *Tx
		begin := func(r *http.Request) *Tx {
			tx, err := BeginIn(r.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := tx.Send(Message{Name: "news", To: "ears", Args: []any{r.URL.Path}}); err != nil {
				t.Fatal(err)
			}
			return tx
		}
		mux := http.NewServeMux()
		mux.HandleFunc("/commit", func(_ http.ResponseWriter, r *http.Request) {
			if ConnFrom(r.Context()) != conn {
				t.Error("another connection")
			}
			if err := begin(r).Commit(r.Context()); err != nil {
				t.Error(err)
			}
		})
		mux.HandleFunc("/leave", func(_ http.ResponseWriter, r *http.Request) { left = begin(r) })
		mux.HandleFunc("/panic", func(_ http.ResponseWriter, r *http.Request) { left = begin(r); panic("oops") })
		mux.HandleFunc("/rollback", func(_ http.ResponseWriter, r *http.Request) {
			tx := begin(r)
			for range 2 {
				if err := tx.Rollback(r.Context()); err != nil {
					t.Error(err)
				}
			}
		})
		for _, h := range []http.Handler{Middleware(conn)(mux), MiddlewareAlias(k, "")(mux)} {
			for range 3 { // more than MaxTx: what is left does not stay
				for _, path := range []string{"/leave", "/panic", "/rollback"} {
					left = nil
					func() {
						defer func() {
							if v := recover(); (v != nil) != (path == "/panic") {
								t.Errorf("%s: recovered %v", path, v)
							}
						}()
						h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil))
					}()
					if left != nil && !errors.Is(left.Commit(deadline(t)), ErrEnded) {
						t.Errorf("%s: the transaction goes on", path)
					}
				}
			}
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/commit", nil))
			if m := <-got; m.Args[0] != "/commit" {
				t.Errorf("delivered %v", m)
			}
		}
		Middleware(conn)(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			left := begin(r)
			for range 3 {
				if err := begin(r).Rollback(r.Context()); err != nil {
					t.Error(err)
				}
			}
			if s := r.Context().Value(scopeKey{}).(*scope); len(s.txs) != 2 || s.txs[0] != left {
				t.Errorf("a request that goes on keeps %d transactions; want the open one and the last", len(s.txs))
			}
		})).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
		alone := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if _, err := BeginIn(r.Context()); !errors.Is(err, ErrNoConn) || ConnFrom(r.Context()) != nil {
				t.Errorf("without a connection: %v", err)
			}
		})
		for _, m := range []func(http.Handler) http.Handler{Middleware(nil), MiddlewareAlias(k, "nobody")} {
			m(alone).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
		}
		if _, err := BeginIn(deadline(t)); !errors.Is(err, ErrNoConn) {
			t.Errorf("without Middleware: %v", err)
		}
		select {
		case m := <-got:
			t.Errorf("delivered %v", m)
		default:
		}
	})
}
