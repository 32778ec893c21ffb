// Package statuspage is what the status pages of components have in common: whom they show
// themselves to, and in which form.
package statuspage

import (
	"encoding/json"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Begin sets the headers of any answer. It reports false when it has answered: a page is
// only looked at.
func Begin(w http.ResponseWriter, r *http.Request) bool {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	h.Set("Allow", "GET, HEAD")
	http.Error(w, "use GET", http.StatusMethodNotAllowed)
	return false
}

// Admit reports whether the page may be shown, and answers if not: to this machine, or to
// others, too. remedy is what opens it.
func Admit(w http.ResponseWriter, r *http.Request, allowRemote bool, remedy string) bool {
	if allowRemote || local(r) {
		return true
	}
	http.Error(w, "only from this machine; "+remedy, http.StatusForbidden)
	return false
}

// Show answers with JSON of status, or with the template for what html returns, as the
// client likes. Nothing on the page is loaded from elsewhere, and nobody frames it.
func Show(w http.ResponseWriter, r *http.Request, status any, t *template.Template, html func() any) {
	h := w.Header()
	if wantsJSON(r) {
		h.Set("Content-Type", "application/json")
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		_ = e.Encode(status)
		return
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	_ = t.Execute(w, html())
}

// local says whether a request comes from this machine and means it: a page elsewhere
// whose name leads here (DNS rebinding) has another Host, and a proxy says that it is
// one.
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
