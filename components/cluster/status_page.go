package cluster

import (
	"net/http"

	"github.com/usher-go/usher/components/internal/statuspage"
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
	if statuspage.Begin(w, r) && statuspage.Admit(w, r, p.cfg.AllowRemote, "StatusConfig.AllowRemote opens it") {
		statuspage.Show(w, r, p.n.Status(), statusTemplate, func() any { return newPage(p.n, r) })
	}
}
