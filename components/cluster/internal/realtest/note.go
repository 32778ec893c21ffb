//go:build linux

package realtest

import (
	"encoding/json"
	"time"

	"golang.org/x/sys/unix"
)

// Note is a line that a node's process writes about what it does.
type Note struct {
	What  What   `json:"what"`
	ID    string `json:"id,omitempty"`    // of an event, a call, a monitor
	From  string `json:"from,omitempty"`  // who sent an event: one life of a node
	To    string `json:"to,omitempty"`    // an address, or a node
	N     int64  `json:"n,omitempty"`     // the number of an event of From's; or a measure
	Epoch uint64 `json:"epoch,omitempty"` // of a key
	At    int64  `json:"at"`              // CLOCK_MONOTONIC, in ns
	Text  string `json:"text,omitempty"`

	// Who wrote it; the reader knows.
	Node string `json:"-"`
	Life int    `json:"-"`
	PID  int    `json:"-"`
}

// What a note says.
type What string

const (
	Joined    What = "joined"     // the node is one
	Tried     What = "tried"      // a post is about to be made
	Refused   What = "refused"    // it was not accepted
	Handled   What = "handled"    // an event was begun: At is before its handler was asked for
	Lost      What = "lost"       // an observer heard that an event will not be handled; Text says why
	Answered  What = "answered"   // a call has its answer
	NotBegun  What = "not begun"  // a call has an error that says that it was not handled
	Failed    What = "failed"     // a call has another error
	Monitored What = "monitored"  // Monitor was asked for
	Told      What = "told"       // and has told
	Changed   What = "changed"    // another node's state
	Reported  What = "reported"   // by the kernel, for people
	Memory    What = "memory"     // N bytes in use
	GoneOut   What = "has left"   // Leave has returned
	Working   What = "working"    // sessions of keys have much to do
	Silenced  What = "silenced"   // no more posts are made
	Unread    What = "unreadable" // not a note
)

// Setup is what a node's process is told.
type Setup struct {
	Name, Listen, Advertise string
	Life                    int
	Keys                    int
	Every                   time.Duration // between two posts
	Shards                  int
	Heartbeat, LostAfter    time.Duration // 0: the defaults
	CallTimeout             time.Duration
	Others                  []string
	Directory               json.RawMessage // for the function that Main was given
	CA, Cert, Key           string          // PEM; empty: no TLS
}

// variable has the Setup in a process's environment.
const variable = "USHER_CLUSTER_NODE"

// now is a time that processes of one machine agree on.
func now() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // EINVAL only
	return t.Nano()
}
