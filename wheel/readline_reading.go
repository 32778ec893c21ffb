package wheel

import "sync"

// lineReader reads lines, with or without editing. readLine is for a Get's
// goroutine, the rest for the owner's turn, at any time.
type lineReader interface {
	readLine(g *reading) (string, error)
	setPrompt(prompt string)
	above(text []byte) // shows text, above the line if there is one
	resize(width, height int)
}

// reading is one Get, on a goroutine of its own: between Gets there is none.
type reading struct {
	secret bool

	mu      sync.Mutex
	answer  *ReadLineInput
	asked   *Completion
	replied chan struct{} // closed when asked has its answer
	givenUp bool          // nobody will answer any more
}

func (g *reading) run(r *ReadLine) {
	var in ReadLineInput
	in.Text, in.Err = r.read.readLine(g)
	g.mu.Lock()
	g.answer = &in
	g.mu.Unlock()
	r.src.Wake()
}

func (g *reading) answered() *ReadLineInput {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.answer
}

// ask waits until the owner has answered a question; false: it never will, and q
// may still be its handler's.
func (g *reading) ask(q *Completion, wake func()) bool {
	g.mu.Lock()
	if g.givenUp {
		g.mu.Unlock()
		return false
	}
	replied := make(chan struct{})
	g.asked, g.replied = q, replied
	g.mu.Unlock()
	wake()
	<-replied
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.givenUp
}

// question returns what the owner is asked.
func (g *reading) question() *Completion {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.asked
}

// reply lets ask return.
func (g *reading) reply() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.letGo()
}

func (g *reading) letGo() {
	if g.asked != nil {
		g.asked = nil
		close(g.replied)
	}
}

func (g *reading) giveUp() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.givenUp = true
	g.letGo()
}
