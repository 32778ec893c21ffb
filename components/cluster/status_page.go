package cluster

import (
	"encoding/json"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// StatusConfig says to whom a status page is shown.
type StatusConfig struct {
	// AllowRemote lets everybody see the page. Default false: only requests from
	// this machine, to a name of this machine, that no proxy has passed on. Set it
	// behind a handler that knows who asks.
	AllowRemote bool
}

// StatusHandler is a page about a node: the other nodes, the links to them and what
// waits there, round trips, aliases and topics, and the sessions that run here for
// their keys. It answers GET with HTML, or with a Status as JSON for ?format=json and
// for who accepts that rather; ?refresh=2 has a browser load it again every two
// seconds. Others than StatusConfig allows get 403. What other nodes call their
// aliases, topics and keys is shown as text, whatever it is.
//
// Use it with any HTTP server; with components/httpd as Config.Handler. Two of its
// pages say more than one: a link that works one way only looks different from its
// ends. A node that has left shows what it knew.
func StatusHandler(n *Node, cfg StatusConfig) http.Handler { return &statusPage{n, cfg} }

type statusPage struct {
	n   *Node
	cfg StatusConfig
}

var _ http.Handler = (*statusPage)(nil)

func (p *statusPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "use GET", http.StatusMethodNotAllowed)
	case !p.cfg.AllowRemote && !local(r):
		http.Error(w, "only from this machine; StatusConfig.AllowRemote opens it", http.StatusForbidden)
	case wantsJSON(r):
		h.Set("Content-Type", "application/json")
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		_ = e.Encode(p.n.Status())
	default:
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		_ = statusTemplate.Execute(w, newPage(p.n, r))
	}
}

// wantsJSON goes by what a client names first.
func wantsJSON(r *http.Request) bool {
	if f := r.URL.Query().Get("format"); f != "" {
		return f == "json"
	}
	accept := r.Header.Get("Accept")
	at := strings.Index(accept, "application/json")
	html := strings.Index(accept, "text/html")
	return at >= 0 && (html < 0 || at < html)
}

// local says whether a request comes from this machine and means it: a page
// elsewhere whose name leads here (DNS rebinding) has another Host, and a proxy says
// that it is one.
func local(r *http.Request) bool {
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Real-Ip", "Via"} {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil { // a unix socket, whose permissions say who may
		return !strings.Contains(r.RemoteAddr, ":")
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	at, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return peer.Addr().Unmap().IsLoopback() && (err == nil && at.Unmap().IsLoopback() || strings.EqualFold(host, "localhost"))
}
