package main

// rings is the shape of the rows in which tokens go round: so many independent
// rings of so many members, with one token each.
type rings struct {
	rings   int
	members int // of one ring; a ring of one sends to itself
	hops    int // that are one operation
}

var (
	oneYield = rings{rings: 1, members: 1, hops: 1}
	pingPong = rings{rings: 1, members: 2, hops: 2}
)

// runRings has each peer pass its tokens on until they have made ops operations
// together.
var runRings = map[string]func(r rings, ops int) (Sample, error){
	usher:       usherRings(usher),
	usherSerial: usherRings(usherSerial),
	protoactor:  protoactorRings,
	channel:     channelRings,
}

func init() {
	for peer := range runRings {
		messaging.register(peer, map[string]Runner{
			"yield":     oneYield.runner(peer),
			"ping-pong": pingPong.runner(peer),
			"ring":      rings{rings: 1, members: ringSize, hops: 1}.runner(peer),
		})
	}
}

// runner makes a row of it.
func (r rings) runner(peer string) Runner {
	return func(ops int) (Sample, error) { return runRings[peer](r, ops) }
}

// tokens share ops evenly, one for each ring; rings that nothing is left for
// have none.
func (r rings) tokens(ops int) []*token {
	ts := make([]*token, min(r.rings, ops))
	for i := range ts {
		ts[i] = newToken(share(ops, r.rings, i) * r.hops)
	}
	return ts
}

// share is the part of the i-th of n.
func share(ops, n, i int) int { return (ops + n - 1 - i) / n }

// token is the event of every row, and its counter where one member handles it
// at a time: that member may change it.
type token struct {
	left int           // times still to be handled
	done chan struct{} // closed by the handler of the last
}

func newToken(n int) *token {
	return &token{left: n, done: make(chan struct{})}
}

// step counts one time and reports whether there are more to do.
func (t *token) step() bool {
	t.left--
	if t.left == 0 {
		close(t.done)
	}
	return t.left > 0
}

func waitFor(ts []*token) {
	for _, t := range ts {
		<-t.done
	}
}
