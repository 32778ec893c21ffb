// Package cluster lets an address reach a session on another machine.
//
//	node, err := cluster.Join(k, cluster.Config{
//		Name:      "node-1",
//		Directory: cluster.Static{"node-1": "127.0.0.1:7001", "node-2": "127.0.0.1:7002"},
//	})
//
// From then on nothing else changes in a handler:
//
//	c.Post("logger@node-2", "line", s)             // the session "logger" of node-2
//	v, err := c.Call("store@node-2", "get", key)   // with a deadline
//	c.Post(c.Sender(), "thanks")                   // wherever the sender is
//	c.Post("logger@*", "line", s)                  // every node that has a "logger"
//	c.Post(cluster.Place("user", 42), "greet")     // the one session for a key
//	c.Monitor("store@node-2", "store_gone")        // told once: it, or its node, has ended
//	node.Hold(c, "store@node-2", "store_gone")     // it stays while this session needs it
//	node.Subscribe(c, "prices", "got_price")
//	node.Publish("prices", "ACME", 7)
//	node.Watch(c, "node_changed")                  // nodes come, are lost, come back
//
// # What is promised
//
// A post that was accepted (nil) is handled at most once. It is handled, unless its
// node is lost or restarted, or refuses it; then the sender's observer is told, with
// the event's arguments (Observer.Dropped): [ErrUnknownOutcome] when it may have been
// handled, another reason when it was not. Connections that break in between lose
// nothing: what was not acknowledged is sent again, and taken once.
//
// Events from one session to one other are handled in the order in which they were
// posted, also across connections that break. Acknowledged means that the event stands
// in its receiver's queue; from there on the other kernel's promises hold.
//
// A call returns the handler's value, or its error as a *NodeError, or one of
// kernel.ErrNoNode (it was not sent), kernel.ErrTimeout and [ErrUnknownOutcome] (nobody
// knows), kernel.ErrNotEncodable, kernel.ErrNoSession, kernel.ErrNoHandler, or
// [ErrAnswer] (it was handled, and what its handler returned does not travel). While a
// handler waits in a call its session handles nothing else, and in a serial kernel no
// session does: two serial kernels that call each other wait until one gives up.
//
// Addresses, monitors and subscriptions keep no session alive on another node; Hold
// does.
//
// # What travels
//
// Basic Go types, time.Time and time.Duration, strings, byte slices, []string, lists and
// string-keyed maps of these, protobuf messages, and types that both sides have given to
// [Register]. Everything keeps its Go type. Anything else is kernel.ErrNotEncodable when
// it is posted, with the argument's position. The number of the event that caused one
// travels along, for observers: Record.From says on which node it was that number.
//
// # Bounds
//
// For each other node there is a limit to what is sent and not acknowledged
// (Config.MaxOutstanding, MaxOutstandingBytes): a post above it is kernel.ErrQueueFull,
// and Node.Watch tells when there is room again. A node whose sessions do not keep up
// asks the others to pause (MaxPending), so that queues grow at the sender, up to that
// limit, and not at the receiver.
//
// # Nodes
//
// A node is up while it answers. One that is silent for Config.LostAfter is lost: posts
// to it are kernel.ErrNoNode, monitors tell, holds end, keys move. When it comes back it
// is up again by itself. Each start of a node has an epoch; the ID of a session is good
// for one of them, and an answer to a session of an earlier start is kernel.ErrNoSession.
//
// # Security
//
// Without Config.TLS a node listens on, and talks to, loopback addresses only: whoever
// may open a connection there is trusted as far as Config.Expose and Config.Accept let
// him. With TLS a peer needs a certificate with the name of its node. Nobody can stop an
// actor, send the kernel's own events (those with a leading underscore), or use the node
// to reach a third one; what cannot be decoded is refused and reported.
package cluster
