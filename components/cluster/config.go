package cluster

import (
	"crypto/tls"
	"fmt"
	"time"

	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/usher-go/usher/kernel"
)

// Config is what Join needs to know. Only Name has no default.
type Config struct {
	// Name is how others address this node: "logger@NAME". Letters, digits, '.', '_'
	// and '-', at most 64.
	Name string

	// Listen is where other nodes connect, host:port. Default: the node's address in
	// a Static directory, else "127.0.0.1:0". An address that is not a loopback one
	// needs TLS.
	Listen string

	// Advertise is what others are to dial, where that is not Listen: behind NAT, or
	// when Listen is a wildcard.
	Advertise string

	// TLS has this node's certificate, for both directions, and the authorities that
	// it trusts, as RootCAs, ClientCAs or both. Peers without a certificate of these
	// are not let in, and a peer speaks only for nodes whose names are in its
	// certificate (as DNS names, or the common name where there are none). Nil: plain
	// connections, from this machine alone.
	TLS *tls.Config

	// Directory says which nodes there are. Default: Static{}, this one alone.
	Directory Directory

	// Transport carries packets. Default: Proto.Actor's remote over gRPC.
	Transport Transport

	// Kinds are the sorts of sessions that this node offers to run for keys; see Place.
	Kinds []Kind

	// Shards is how many parts the keys are spread in: the same on all nodes. Default 64.
	Shards int

	// Expose lists the aliases that other nodes may post to and call. Default: all of
	// them. IDs are not looked at, so that answers can come back, nor are keys; Accept
	// may look at both.
	Expose []string

	// Accept decides about each event, call, monitor and hold of another node, after
	// Expose: an error refuses it, and is what the sender hears. What comes by a topic
	// is an event for each session here that subscribes; a refusal is told to this
	// node's observer. It runs for every event, on the transport's goroutines: it must
	// be quick and must not block. A panic refuses, and is reported.
	Accept func(Arrival) error

	// MaxEvent is the longest event, in bytes on the wire. Default 4 MiB; at least
	// 1 KiB and at most 1 GiB less 128 KiB; the same on all nodes.
	MaxEvent int

	// MaxOutstanding and MaxOutstandingBytes bound, for each node, what is sent or
	// waits to be sent and is not acknowledged. A post above is ErrQueueFull. While
	// the owner of a key is not known, or does not take it, the first bounds what
	// waits in the key's shard, the second what waits in all.
	// Defaults: 100,000 and 16 MiB, but at least MaxEvent.
	MaxOutstanding      int
	MaxOutstandingBytes int

	// MaxPending is how many events from one node may wait in queues here, before
	// that node is asked to pause. Default 10,000.
	MaxPending int

	// MaxCalls is how many calls of one node may run here at a time; more are refused
	// with kernel.ErrQueueFull. Default 1,000.
	MaxCalls int

	// Heartbeat is how often a node that is silent is asked for a sign of life.
	// Default 1 s; at least 1 ms.
	Heartbeat time.Duration

	// LostAfter is how long a node may give no answer before it counts as lost.
	// Default 5 s; at least twice Heartbeat.
	LostAfter time.Duration

	// CallTimeout is for calls to other nodes. Default: kernel.Config.CallTimeout, or
	// 30 s where that is 0. A context may end a call before.
	CallTimeout time.Duration

	// Types finds the Go types of protobuf messages by name: what other nodes may
	// send. Default protoregistry.GlobalTypes: every type linked into the program.
	Types protoregistry.MessageTypeResolver
}

// Arrival is what Config.Accept decides about.
type Arrival struct {
	Node  string         // who sends
	From  kernel.Address // which session there
	To    kernel.Address // without this node's name
	Event string         // empty for a monitor or a hold
	Call  bool
	Args  []any // not to be changed
}

const (
	defaultMaxEvent  = 4 << 20
	minEvent         = 1 << 10 // nodes have to say something, too
	longestEvent     = 1<<30 - maxPacket
	defaultBytes     = 16 << 20
	defaultShards    = 64
	maxShards        = 4096
	maxNameLength    = 64
	defaultHeartbeat = time.Second
	minHeartbeat     = time.Millisecond
	defaultLostAfter = 5 * time.Second
)

func bad(field, format string, args ...any) error {
	return fmt.Errorf("cluster: %w: Config.%s %s", ErrConfig, field, fmt.Sprintf(format, args...))
}

// complete checks a Config and puts in the defaults.
func (c Config) complete() (Config, error) {
	if err := checkName(c.Name); err != nil {
		return c, bad("Name", "is %q; want 1 to %d letters, digits, '.', '_' and '-', other than %q", c.Name, maxNameLength, ownerNode)
	}
	for _, n := range []struct {
		field string
		v     *int
		std   int
	}{
		{"Shards", &c.Shards, defaultShards},
		{"MaxEvent", &c.MaxEvent, defaultMaxEvent},
		{"MaxOutstanding", &c.MaxOutstanding, 100_000},
		{"MaxOutstandingBytes", &c.MaxOutstandingBytes, max(defaultBytes, c.MaxEvent)},
		{"MaxPending", &c.MaxPending, 10_000},
		{"MaxCalls", &c.MaxCalls, 1_000},
	} {
		if *n.v < 0 {
			return c, bad(n.field, "is %d; want 0 for %d, or more", *n.v, n.std)
		}
		if *n.v == 0 {
			*n.v = n.std
		}
	}
	for _, d := range []struct {
		field string
		v     *time.Duration
		std   time.Duration
	}{
		{"Heartbeat", &c.Heartbeat, defaultHeartbeat},
		{"LostAfter", &c.LostAfter, max(defaultLostAfter, 5*c.Heartbeat)},
		{"CallTimeout", &c.CallTimeout, 30 * time.Second},
	} {
		if *d.v < 0 {
			return c, bad(d.field, "is %v; want 0 for %v, or more", *d.v, d.std)
		}
		if *d.v == 0 {
			*d.v = d.std
		}
	}
	switch {
	case c.MaxEvent < minEvent, c.MaxEvent > longestEvent:
		return c, bad("MaxEvent", "is %d; want 0 for %d, or %d to %d", c.MaxEvent, defaultMaxEvent, minEvent, longestEvent)
	case c.Heartbeat < minHeartbeat:
		return c, bad("Heartbeat", "is %v; want 0 for %v, or at least %v", c.Heartbeat, defaultHeartbeat, minHeartbeat)
	case c.Shards > maxShards:
		return c, bad("Shards", "is %d; want at most %d", c.Shards, maxShards)
	case c.MaxOutstandingBytes < c.MaxEvent:
		return c, bad("MaxOutstandingBytes", "is %d, less than Config.MaxEvent, %d; raise it", c.MaxOutstandingBytes, c.MaxEvent)
	case c.LostAfter < 2*c.Heartbeat:
		return c, bad("LostAfter", "is %v; want at least twice Config.Heartbeat, %v", c.LostAfter, 2*c.Heartbeat)
	}
	if c.Directory == nil {
		c.Directory = Static{}
	}
	if c.Types == nil {
		c.Types = protoregistry.GlobalTypes
	}
	return c, nil
}
