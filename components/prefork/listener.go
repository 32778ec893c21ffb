//go:build unix

package prefork

import (
	"net"

	"github.com/usher-go/usher/components/internal/gate"
)

// Listener is for servers that are no sessions: what the worker accepts, on all of the
// pool's listeners, comes from its Accept. It is Serve's other form, and belongs in
// Config.Server as well:
//
//	Server: func(_ *kernel.Context, w *prefork.Worker) error {
//		server, ln := &http.Server{Handler: mux}, w.Listener()
//		go func() {
//			_ = server.Serve(ln)              // until the worker is to leave
//			server.SetKeepAlivesEnabled(false) // closes what is idle
//		}()
//		return nil
//	},
//
// (Not Shutdown: it drops a request that comes in just then. Package httpd does all of
// this for an http.Handler, and more gently.)
//
// Accept returns net.ErrClosed when the worker drains and has handed over its last
// connection; when all of them are closed the worker leaves. Close has it drain by
// itself, and closes what Accept has not returned yet. Addr is that of the pool's first
// listener.
func (w *Worker) Listener() net.Listener {
	if w.gate == nil {
		var at net.Addr
		if all := w.Addrs(); len(all) > 0 {
			at = all[0]
		}
		w.gate = gate.New(at)
	}
	return &listener{w.gate, w}
}

type listener struct {
	*gate.Gate
	w *Worker
}

// Close has the worker replaced: who closes its listener serves no more.
func (l *listener) Close() error {
	l.w.Retire()
	return l.Gate.Close()
}
