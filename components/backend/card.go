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
	ID         uint64     `json:"id"` // counts the server's connections
	Addr       string     `json:"addr"`
	Name       string     `json:"name"` // "" until it has registered
	Identity   Identity   `json:"identity"`
	Serializer Serializer `json:"serializer"`
	Liveness   Liveness   `json:"liveness"`
	Since      time.Time  `json:"since"` // it came
	Last       time.Time  `json:"last"`  // it said something; when it went, for one that is gone
	Received   int        `json:"received"`
	Sent       int        `json:"sent"`
	Queued     int        `json:"queued"` // bytes that wait for it
	Tx         int        `json:"tx"`     // transactions open

	Asked         int           `json:"asked"` // its requests that are not answered
	ReceivedBytes int64         `json:"received_bytes"`
	SentBytes     int64         `json:"sent_bytes"`
	PingEvery     time.Duration `json:"ping_every"` // between its last two pings, in nanoseconds; 0 before
	RoundTrip     time.Duration `json:"round_trip"` // the least of its TCP connection in five minutes; 0 where the system does not say: only Linux does
}

// card is what a connection's session writes down, for others to read on any
// goroutine.
type card struct {
	conn    net.Conn
	traffic traffic

	mu sync.Mutex
	ConnStatus
}

func newCard(id uint64, conn net.Conn, now time.Time) *card {
	c := &card{conn: conn, ConnStatus: ConnStatus{ID: id, Liveness: LiveNew, Since: now, Last: now}}
	if addr := conn.RemoteAddr(); addr != nil {
		c.Addr = addr.String()
	}
	return c
}

func (c *card) note(f func(*ConnStatus)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f(&c.ConnStatus)
}

// sent counts a message to it; asked is how many requests it waits for now.
func (c *card) sent(asked int) {
	c.note(func(s *ConnStatus) { s.Asked = asked; s.Sent++ })
}

// said is what the connection did last, and how many requests it waits for now.
func (c *card) said(l Liveness, asked int, now time.Time) {
	c.note(func(s *ConnStatus) {
		s.Liveness, s.Last, s.Asked = l, now, asked
		s.Received++
	})
}

func (c *card) status(now time.Time) ConnStatus {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.ConnStatus
	t := c.traffic.read()
	s.ReceivedBytes, s.SentBytes = t.ReceivedBytes, t.SentBytes
	if s.Liveness != LiveDisconnected && now.Sub(s.Last) >= fading {
		s.Liveness = LiveInactive
	}
	return s
}
