package backend

import (
	"net/http"
	"os"
	"time"

	"github.com/usher-go/usher/components/internal/statuspage"
	"github.com/usher-go/usher/kernel"
)

// StatusConfig says what a status page shows, and to whom.
type StatusConfig struct {
	// Servers are shown beside the kernel's connections, whatever their kernels.
	// Default none.
	Servers []*Server

	// AllowRemote lets everybody see the page. Default false: only requests from
	// this machine, to a name of this machine, that no proxy has passed on. Set it
	// behind a handler that knows who asks.
	AllowRemote bool
}

// Status is what a status page shows, with JSON names; durations are in
// nanoseconds.
type Status struct {
	Time        time.Time          `json:"time"`
	PID         int                `json:"pid"`
	Connections []ConnectionStatus `json:"connections"` // of the kernel, by alias
	Servers     []ServerStatus     `json:"servers"`
}

// ConnectionStatus is a Conn and its ConnState.
type ConnectionStatus struct {
	Alias      string     `json:"alias"`
	Name       string     `json:"name"` // that it registers
	Network    string     `json:"network"`
	Addr       string     `json:"addr"`
	Serializer Serializer `json:"serializer"`
	TLS        bool       `json:"tls"`
	User       string     `json:"user,omitempty"`

	State        State         `json:"state"`
	Since        time.Time     `json:"since"`
	Access       time.Time     `json:"access,omitzero"`
	Heard        time.Time     `json:"heard,omitzero"`
	PingTimeout  time.Duration `json:"ping_timeout"` // 0: before every message; less than 0: never
	IdlePing     time.Duration `json:"idle_ping"`
	RoundTrip    time.Duration `json:"round_trip"`
	Waiting      int           `json:"waiting"`
	WaitingBytes int           `json:"waiting_bytes"`
	Asked        int           `json:"asked"`
	Calls        int           `json:"calls"`
	Tx           int           `json:"tx"`
	Reconnects   int           `json:"reconnects"`
	Dropped      int           `json:"dropped"`
	Error        string        `json:"error,omitempty"`
	Traffic      Traffic       `json:"traffic"`
}

// ServerStatus is a Server, its ServerState and its connections.
type ServerStatus struct {
	Alias   string        `json:"alias"`
	Addr    string        `json:"addr"`
	MinPing time.Duration `json:"min_ping"`
	Closed  bool          `json:"closed"` // it has ended; what follows is empty
	State   ServerState   `json:"state"`
	Clients []ConnStatus  `json:"clients"`
}

// ReadStatus is what a status page shows, for one of your own, such as a part of
// httpd's:
//
//	httpd.StatusConfig{Parts: map[string]func() (any, error){
//		"Backend connections": func() (any, error) { return backend.ReadStatus(k), nil },
//	}}
//
// It calls each connection's and server's session, and waits for them.
func ReadStatus(k *kernel.Kernel, servers ...*Server) Status {
	s := Status{Time: k.Now(), PID: os.Getpid(), Connections: []ConnectionStatus{}, Servers: []ServerStatus{}}
	for _, c := range All(k) {
		s.Connections = append(s.Connections, c.status())
	}
	for _, srv := range servers {
		s.Servers = append(s.Servers, srv.page())
	}
	return s
}

func (c *Conn) status() ConnectionStatus {
	s, _ := c.State() // one that has just ended is Closed
	p := ConnectionStatus{
		Alias: c.cfg.Alias, Name: c.cfg.Name, Network: c.cfg.Network, Addr: c.cfg.address(),
		Serializer: c.cfg.Serializer, TLS: c.cfg.TLS != nil, User: c.cfg.User,
		State: s.State, Since: s.Since, Access: s.Access, Heard: s.Heard,
		PingTimeout: s.PingTimeout, IdlePing: s.IdlePing, RoundTrip: s.RoundTrip,
		Waiting: s.Waiting, WaitingBytes: s.WaitingBytes, Asked: s.Asked, Calls: s.Calls, Tx: s.Tx,
		Reconnects: s.Reconnects, Dropped: s.Dropped, Traffic: s.Traffic,
	}
	if s.Err != nil {
		p.Error = s.Err.Error()
	}
	return p
}

func (s *Server) page() ServerStatus {
	p := ServerStatus{Alias: s.cfg.Alias, Addr: s.addr.String(), MinPing: s.cfg.MinPing, Clients: []ConnStatus{}}
	state, err := s.State()
	clients, err2 := s.Status()
	if err != nil || err2 != nil {
		p.Closed = true
		return p
	}
	p.State, p.Clients = state, clients
	return p
}

// StatusHandler is the page "Backend connections" of a program (B16): the kernel's
// connections to backend servers and, with StatusConfig.Servers, who is connected
// to those. It answers GET with HTML, or with a Status as JSON for ?format=json and
// for who accepts that rather; ?refresh=2 has a browser load it again every two
// seconds. Others than StatusConfig allows get 403. What peers chose to be called
// is shown as text, whatever it is.
//
// Use it with any HTTP server; with components/httpd as Config.Handler. It shows the
// process that answers. Each page waits for the sessions that it shows.
func StatusHandler(k *kernel.Kernel, cfg StatusConfig) http.Handler {
	return &statusPage{k, cfg}
}

type statusPage struct {
	k   *kernel.Kernel
	cfg StatusConfig
}

var _ http.Handler = (*statusPage)(nil)

func (p *statusPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if statuspage.Begin(w, r) && statuspage.Admit(w, r, p.cfg.AllowRemote, "StatusConfig.AllowRemote opens it") {
		st := ReadStatus(p.k, p.cfg.Servers...)
		statuspage.Show(w, r, st, statusTemplate, func() any { return newPage(st, r) })
	}
}
