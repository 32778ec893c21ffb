package backend

import (
	"net"
	"sync"
	"time"
)

// Liveness is what a connection has shown of itself lately (B35).
type Liveness string

const (
	LiveNew          Liveness = "new"      // it has said nothing but its hello
	LivePing         Liveness = "ping"     // its last word was a ping
	LiveActive       Liveness = "active"   // its last word was a command or message that was understood
	LiveUnknown      Liveness = "unknown"  // its last word was not
	LiveInactive     Liveness = "inactive" // it has said nothing for 10 s
	LiveDisconnected Liveness = "disconnected"
)

// fading is when a connection counts as inactive, and how long one that is gone
// is still shown.
const fading = 10 * time.Second

// ConnStatus is a glimpse of one of a server's connections.
type ConnStatus struct {
	ID         uint64 // counts the server's connections
	Addr       string
	Name       string // "" until it has registered
	Identity   Identity
	Serializer Serializer
	Liveness   Liveness
	Since      time.Time // it came
	Last       time.Time // it said something; when it went, for one that is gone
	Received   int       // messages
	Sent       int
	Queued     int // bytes that wait for it
	Tx         int // transactions open
}

// card is what a connection's session writes down, for others to read on any
// goroutine.
type card struct {
	mu sync.Mutex
	ConnStatus
}

func newCard(id uint64, addr net.Addr, now time.Time) *card {
	c := &card{ConnStatus: ConnStatus{ID: id, Liveness: LiveNew, Since: now, Last: now}}
	if addr != nil {
		c.Addr = addr.String()
	}
	return c
}

func (c *card) note(f func(*ConnStatus)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(&c.ConnStatus)
}

func (c *card) sent() { c.note(func(s *ConnStatus) { s.Sent++ }) }

// said is what the connection did last.
func (c *card) said(l Liveness, now time.Time) {
	c.note(func(s *ConnStatus) {
		s.Liveness, s.Last = l, now
		s.Received++
	})
}

func (c *card) status(now time.Time) ConnStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.ConnStatus
	if s.Liveness != LiveDisconnected && now.Sub(s.Last) >= fading {
		s.Liveness = LiveInactive
	}
	return s
}
