package httpd

import (
	"crypto/subtle"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/usher-go/usher/components/internal/statuspage"
	"github.com/usher-go/usher/components/prefork"
)

// StatusConfig says who may see a status page, and what else is on it.
type StatusConfig struct {
	// AllowRemote lets everybody see it. Default false: only requests from this
	// machine, to a name of this machine, that no proxy has passed on.
	AllowRemote bool

	// Token has everybody, from wherever, show it: as "Authorization: Bearer …", or
	// as ?token=… in a browser. Default "": none is needed.
	Token string

	// Parts are shown by their names, with what the functions return, as JSON has it:
	// the Stats of a pool of components/keepalive, for instance. They are called for
	// each page, on its goroutine, and may return an error. Default none.
	Parts map[string]func() (any, error)
}

// Status is what a status page shows, with JSON names.
type Status struct {
	Time       time.Time `json:"time"`
	Server     string    `json:"server"` // Config.Alias
	PID        int       `json:"pid"`    // of the process that answers
	Master     int       `json:"master,omitempty"`
	Since      time.Time `json:"since"`
	Generation int       `json:"generation,omitempty"`

	// Letters is the scoreboard: one prefork.State.Letter for each worker there may be.
	Letters string                 `json:"letters"`
	Legend  map[string]string      `json:"legend"`
	Workers []prefork.WorkerStatus `json:"workers"` // those that live; without Config.Prefork this process

	Connections uint64  `json:"connections"` // accepted by the living workers
	Requests    uint64  `json:"requests"`    // finished by them
	PerSecond   float64 `json:"per_second"`  // requests of all workers, on average over
	Over        float64 `json:"over"`        // so many seconds: since the last page of this process, or since Since

	Limits *prefork.Limits `json:"limits,omitempty"`
	Recent []RecentRequest `json:"recent"` // of the process that answers, newest first, up to 20
	Parts  map[string]any  `json:"parts,omitempty"`
}

// StatusHandler is a page that shows a server at work, for Config.Handler at a path of
// your choice: HTML, or JSON for ?format=json and for who accepts that rather, or for
// ?format=prometheus, and for a scraper, metrics, with the numbers at the top of Parts.
// With Config.Prefork any worker shows all of them. It never answers others than StatusConfig
// allows: 403, or 401 without the token.
//
// It belongs before New. From then on the servers of this process remember their last
// requests, which costs each of them about a microsecond.
func StatusHandler(cfg StatusConfig) http.Handler {
	watched.Store(true)
	return &statusPage{cfg: cfg}
}

type statusPage struct {
	cfg   StatusConfig
	mu    sync.Mutex
	meter meter
}

var _ http.Handler = (*statusPage)(nil)

func (p *statusPage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Referrer-Policy", "no-referrer") // the token may be in the address
	c, ours := r.Context().Value(connKey{}).(*conn)
	switch {
	case !statuspage.Begin(w, r):
	case p.cfg.Token != "" && !p.shown(r):
		h.Set("WWW-Authenticate", "Bearer")
		http.Error(w, "show the token: Authorization: Bearer …, or ?token=…", http.StatusUnauthorized)
	case p.cfg.Token == "" && !statuspage.Admit(w, r, p.cfg.AllowRemote, "StatusConfig.AllowRemote or Token open it"):
	case !ours:
		http.Error(w, "this handler has to be reached through a server of package httpd", http.StatusInternalServerError)
	case wantsMetrics(r):
		serveMetrics(w, r, p.withParts(c.server.status()))
	default:
		st := p.status(c.server)
		statuspage.Show(w, r, st, statusTemplate, func() any { return newPage(st, r) })
	}
}

// shown compares in constant time.
func (p *statusPage) shown(r *http.Request) bool {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer {
		token = r.URL.Query().Get("token")
	}
	return subtle.ConstantTimeCompare([]byte(token), []byte(p.cfg.Token)) == 1
}

var legend = map[string]string{
	"_": "idle", "W": "busy", "S": "starting", "G": "finishing", "X": "being ended", ".": "no process",
}

// status is a reading.
func (p *statusPage) status(s *Server) Status {
	st := s.status()
	p.mu.Lock()
	st.PerSecond, st.Over = p.meter.read(st)
	p.mu.Unlock()
	return p.withParts(st)
}

func (p *statusPage) withParts(st Status) Status {
	for name, f := range p.cfg.Parts {
		if st.Parts == nil {
			st.Parts = map[string]any{}
		}
		v, err := f()
		if err != nil {
			v = map[string]string{"error": err.Error()}
		}
		st.Parts[name] = v
	}
	return st
}

func (s *Server) status() Status {
	st := Status{Time: time.Now(), Server: s.cfg.Alias, PID: os.Getpid(), Since: s.born, Legend: legend, Recent: s.recent.list()}
	if s.post == nil {
		st.Workers = []prefork.WorkerStatus{s.alone()}
		st.Letters, st.Connections, st.Requests = st.Workers[0].Letter, st.Workers[0].Connections, st.Workers[0].Requests
		return st
	}
	all := s.post.worker.Status()
	st.Master, st.Since, st.Generation = all.PID, all.Since, all.Generation
	st.Letters, st.Workers, st.Limits = all.Letters, all.Workers, &all.Limits
	st.Connections, st.Requests = all.Connections, all.Requests
	return st
}

// alone is one process as if it were a worker.
func (s *Server) alone() prefork.WorkerStatus {
	running := s.requests.Load()
	w := prefork.WorkerStatus{
		State: prefork.StateIdle, PID: os.Getpid(), Life: 1, Generation: 1,
		Connections: s.accepted.Load(), Requests: s.served.Load() - uint64(running),
		Started: s.born, Changed: s.born, Beat: time.Now(), RSS: prefork.ResidentMemory(os.Getpid()),
	}
	if running > 0 {
		w.State = prefork.StateBusy
		if at := s.current.Load(); at != nil {
			w.Request, w.Changed = at.what, at.since
		}
	}
	w.Letter = string(w.State.Letter())
	return w
}

// current is the request that has begun last.
type current struct {
	what  string
	since time.Time
}
