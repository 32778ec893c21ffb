package httpd

import (
	"sync"
	"sync/atomic"
	"time"
)

// RecentRequest is one of the last requests of a process, as its status page shows it.
type RecentRequest struct {
	Time     time.Time     `json:"time"`
	IP       string        `json:"ip"`
	Method   string        `json:"method"`
	Path     string        `json:"path"`   // without the query, cut to 200 bytes
	Status   int           `json:"status"` // 0: it was closed without an answer
	Bytes    int64         `json:"bytes"`
	Duration time.Duration `json:"duration"` // in nanoseconds
}

// watched is set by StatusHandler: who has no status page need not remember anything.
var watched atomic.Bool

const (
	maxRecent = 20
	maxPath   = 200
	maxMethod = 20
)

// recent remembers the last requests.
type recent struct {
	mu   sync.Mutex
	ring [maxRecent]RecentRequest
	n    int // ever
}

func (r *recent) add(q RecentRequest) {
	q.Method, q.Path = q.Method[:min(len(q.Method), maxMethod)], q.Path[:min(len(q.Path), maxPath)]
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ring[r.n%maxRecent] = q
	r.n++
}

// list has the newest first.
func (r *recent) list() []RecentRequest {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]RecentRequest, 0, maxRecent)
	for i := r.n - 1; i >= max(0, r.n-maxRecent); i-- {
		all = append(all, r.ring[i%maxRecent])
	}
	return all
}

// remembers says whether somebody may want to see what this server has served.
func (s *Server) remembers() bool { return watched.Load() }

// remember keeps a request that is over.
func (p *printer) remember() {
	p.x.server.recent.add(RecentRequest{
		Time: p.began, IP: p.ip(), Method: p.req.Method, Path: p.req.URL.EscapedPath(),
		Status: p.code, Bytes: p.x.sent.Load(), Duration: time.Since(p.began),
	})
}
