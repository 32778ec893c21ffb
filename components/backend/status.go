package backend

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/usher-go/usher/kernel"
)

// ServerState is a glimpse of a server.
type ServerState struct {
	Connections int            `json:"connections"`
	Refused     int            `json:"refused"`
	Reconnects  int            `json:"reconnects"` // clients that came back after their connection broke
	Services    map[string]int `json:"services"`   // connections by service name
	Queued      int64          `json:"queued"`     // bytes that wait for clients
	Draining    bool           `json:"draining"`
}

// State returns a glimpse of the server, ErrClosed when it has ended.
func (s *Server) State() (ServerState, error) {
	v, err := s.k.Call(background, s.self, evState.Name())
	if err != nil {
		return ServerState{}, ended(err)
	}
	return v.(ServerState), nil
}

// Status returns what is known of each connection, oldest first, and of those
// that have gone within the last 10 s (B35). ErrClosed when the server has ended.
func (s *Server) Status() ([]ConnStatus, error) {
	v, err := s.k.Call(background, s.self, evStatus.Name())
	if err != nil {
		return nil, ended(err)
	}
	return v.([]ConnStatus), nil
}

// ServerChange is what those who watch a server get.
type ServerChange struct {
	What What
	Conn ConnStatus
}

// What has happened to a connection.
type What string

const (
	Came       What = "came"
	Registered What = "registered"
	Went       What = "went"
)

type serverWatcher struct {
	who   kernel.Address
	event kernel.Event[ServerChange]
}

// Watch has event posted to the current session when a client comes, registers a
// service name and goes, until the session's or the server's end, or a Watch with
// an empty event. It holds neither. Clients come and go as they like: one that may
// be slower than they should have a kernel.QueueLimit; what is over it is dropped
// and reported.
func (s *Server) Watch(c *kernel.Context, event kernel.Event[ServerChange]) error {
	if c.Kernel() != s.k {
		return fmt.Errorf("%w: Watch by a session of another kernel; use Status", ErrArgument)
	}
	_, err := evWatchServer.Call(c, s.self, event)
	return ended(err)
}

func (d *desk) watch(c *kernel.Context, event kernel.Event[ServerChange]) error {
	d.watchers = slices.DeleteFunc(d.watchers, func(w serverWatcher) bool { return w.who == c.Sender() })
	if event != "" {
		d.watchers = append(d.watchers, serverWatcher{c.Sender(), event})
	}
	return nil
}

func (d *desk) tell(c *kernel.Context, what What, card *card) {
	d.watchers = slices.DeleteFunc(d.watchers, func(w serverWatcher) bool {
		err := w.event.Post(c, w.who, ServerChange{what, card.status(c.Now())})
		if errors.Is(err, kernel.ErrQueueFull) {
			c.Kernel().Report("backend", "change not told: the queue of one who watches the server is full", err)
			return false
		}
		return err != nil
	})
}

// maxFading bounds how many that are gone are shown.
const maxFading = 1024

// fade notes that a connection is gone.
func (d *desk) fade(c *kernel.Context, card *card) {
	now := c.Now()
	card.note(func(s *ConnStatus) { s.Liveness, s.Last, s.Queued, s.Tx, s.Asked = LiveDisconnected, now, 0, 0, 0 })
	card.conn = nil // only the desk asks for it
	d.faded(now)
	d.gone = append(d.gone, card)
	d.gone = d.gone[max(0, len(d.gone)-maxFading):]
	d.tell(c, Went, card)
}

func (d *desk) faded(now time.Time) {
	d.gone = slices.DeleteFunc(d.gone, func(c *card) bool { return now.Sub(c.status(now).Last) >= fading })
}

func (d *desk) state(c *kernel.Context, _ struct{}) error {
	c.Return(ServerState{len(d.reg.names), d.refused, d.reconnects, d.reg.services(), d.srv.queued.Load(), d.draining})
	return nil
}

func (d *desk) status(c *kernel.Context, _ struct{}) error {
	now := c.Now()
	d.faded(now)
	all := make([]ConnStatus, 0, len(d.cards)+len(d.gone))
	for _, card := range d.cards {
		s := card.status(now)
		s.RoundTrip = roundTrip(card.conn)
		all = append(all, s)
	}
	for _, card := range d.gone {
		all = append(all, card.status(now))
	}
	slices.SortFunc(all, func(a, b ConnStatus) int { return cmp.Compare(a.ID, b.ID) })
	c.Return(all)
	return nil
}

// newInstance names a server, so that another one in its place is known as such.
func newInstance(c *kernel.Context) string {
	r := rand.New(c.Kernel().Chance("backend server " + string(c.Self())))
	return fmt.Sprintf("%016x", r.Uint64())
}
