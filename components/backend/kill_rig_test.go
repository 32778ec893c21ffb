//go:build unix

package backend

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// heardItem is a message of a transaction.
type heardItem struct {
	name string
	n    int
}

// ending is how a transaction ended, for who committed it.
type ending struct {
	life      int
	err       error
	receivers []int
	outcome   Outcome // when it was asked for
}

// killRig is clients under load, and what they see.
type killRig struct {
	*testing.T
	k     *kernel.Kernel
	conns []*Conn // the first is the sink's
	txs   sync.WaitGroup

	mu      sync.Mutex
	turn    *sync.Cond
	stop    bool
	life    int // of the server
	good    int // answers and commits
	asked   int
	did     map[string]int      // requests that a server carried out
	replies map[string][]Reply  // by request
	ended   map[string]ending   // transactions
	heard   [][]heardItem       // what the sink got, over each connection
	ready   map[*Conn]time.Time // since when, of those that are
	closed  int

	attempts map[*Conn]int // to come back
}

func newKillRig(t *testing.T) *killRig {
	r := &killRig{
		T: t, k: running(t, kernel.Parallel), heard: [][]heardItem{nil},
		did: map[string]int{}, replies: map[string][]Reply{}, ended: map[string]ending{},
		ready: map[*Conn]time.Time{}, attempts: map[*Conn]int{},
	}
	r.turn = sync.NewCond(&r.mu)
	return r
}

func (r *killRig) note(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
	r.turn.Broadcast()
}

// wait returns when ok, which is asked after each note.
func (r *killRig) wait(what string, ok func() bool) {
	r.Helper()
	late := false
	timer := time.AfterFunc(time.Minute, func() { r.note(func() { late = true }) })
	defer timer.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	for !ok() {
		if late {
			r.Fatalf("in vain: %s", what)
		}
		r.turn.Wait()
	}
}

// back waits until everybody is back, and looks how long that took.
func (r *killRig) back(s *killedServer) {
	r.Helper()
	for _, c := range r.conns {
		r.wait(c.Alias()+" is back", func() bool { return !r.ready[c].IsZero() })
		r.note(func() {
			const scheduling = 10 * time.Second // of a machine that does much else
			if d := r.ready[c].Sub(s.since); d > killBackoff*6/5+scheduling {
				r.Errorf("%s was back after %v", c.Alias(), d)
			}
		})
	}
}

func (r *killRig) underLoad() {
	r.Helper()
	r.mu.Lock()
	before := r.good
	r.mu.Unlock()
	r.wait("a life's work", func() bool { return r.good >= before+killLoad })
}

// connect has the clients begin.
func (r *killRig) connect(port int) {
	cfg := Config{Port: port, MinBackoff: killBackoff / 4, MaxBackoff: killBackoff, PingTimeout: -1}
	sink := cfg
	sink.Alias, sink.Name = "sink", "sink"
	sink.Events = []kernel.Event[Message]{news}
	sink.Deliver = r.spawn(session.On(news, func(_ *kernel.Context, m Message) error {
		r.note(func() {
			last := &r.heard[len(r.heard)-1]
			*last = append(*last, heardItem{text(m.Args, 0), number(m.Args, 1)})
		})
		return nil
	}))
	r.open(sink, sink.Deliver)
	r.wait("the sink is there", func() bool { return len(r.ready) == 1 })
	for i := range killClients {
		cfg.Alias = fmt.Sprint("client", i)
		cfg.PingTimeout = time.Duration(i%2 - 1) // never, and always
		l := &load{r: r}
		at := r.spawn(session.On(evRun, func(c *kernel.Context, f func(*kernel.Context) error) error { return f(c) }))
		l.conn = r.open(cfg, at)
		if err := evRun.PostFrom(r.k, at, l.begin); err != nil {
			r.Fatal(err)
		}
		for n := range killTxs {
			r.txs.Go(func() { l.transact(n) })
		}
	}
}

// spawn makes a session that also watches a connection, once it is told to.
func (r *killRig) spawn(more session.State) kernel.Address {
	l, err := r.k.SpawnHeld(session.New(more,
		session.On(kernel.Event[*Conn]("watch"), func(c *kernel.Context, conn *Conn) error { return conn.Watch(c, evChanged) }),
		session.On(evChanged, func(_ *kernel.Context, ch Change) error {
			r.note(func() { r.changed(ch) })
			return nil
		})))
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(l.Release)
	return l.Address()
}

func (r *killRig) open(cfg Config, watcher kernel.Address) *Conn {
	conn, err := Open(r.k, cfg)
	if err != nil {
		r.Fatal(err)
	}
	r.note(func() { r.conns = append(r.conns, conn) })
	if err := r.k.Post(watcher, "watch", conn); err != nil {
		r.Fatal(err)
	}
	return conn
}

func (r *killRig) changed(ch Change) {
	switch ch.To {
	case Closed:
		r.closed++
	case Ready:
		if r.ready[ch.Conn].IsZero() {
			r.ready[ch.Conn] = time.Now()
		}
		r.attempts[ch.Conn] = 0
	case Reconnecting:
		delete(r.ready, ch.Conn)
		want := min(killBackoff, killBackoff/4<<r.attempts[ch.Conn])
		if ch.Wait < want*4/5 || ch.Wait > want*6/5 {
			r.Errorf("%s waits for %v before attempt %d; want %v and a fifth more or less", ch.Conn.Alias(), ch.Wait, r.attempts[ch.Conn], want)
		}
		r.attempts[ch.Conn]++
		if ch.Conn == r.conns[0] && len(r.heard[len(r.heard)-1]) > 0 {
			r.heard = append(r.heard, nil)
		}
	}
}

// load is what one client has to do.
type load struct {
	r    *killRig
	conn *Conn
	n    int
}

func (l *load) begin(c *kernel.Context) error {
	for range killRequests {
		l.ask(c)
	}
	return nil
}

// ask sends a request, and another one when that has its outcome. Each has an event
// of its own, so that a second outcome would be seen.
func (l *load) ask(c *kernel.Context) {
	stop := false
	l.r.note(func() {
		if stop = l.r.stop; !stop {
			l.r.asked++
		}
	})
	if stop {
		return
	}
	l.n++
	name := fmt.Sprintf("%s/%d", l.conn.Alias(), l.n)
	outcome := kernel.Event[Reply](name)
	c.State(name, func(c *kernel.Context) error {
		reply := c.Arg(0).(Reply)
		l.r.note(func() {
			l.r.replies[name] = append(l.r.replies[name], reply)
			if reply.Err == nil {
				l.r.good++
			}
		})
		l.ask(c)
		return nil
	})
	if err := l.conn.Ask(c, Message{Name: "work", Args: []any{name}}, outcome); err != nil {
		l.r.Errorf("%s: %v", name, err)
	}
}

// transact commits one transaction after the other.
func (l *load) transact(worker int) {
	for n := 0; ; n++ {
		life, stop := 0, false
		tx, err := l.conn.Begin(deadline(l.r.T))
		l.r.note(func() { life, stop = l.r.life, l.r.stop })
		switch {
		case stop:
			return // what was begun is rolled back with the connection
		case errors.Is(err, ErrLost) || errors.Is(err, ErrRolledBack):
			continue
		case err != nil:
			l.r.Errorf("Begin: %v", err)
			return
		}
		name := fmt.Sprintf("%s/tx%d/%d", l.conn.Alias(), worker, n)
		for i := range killTxSize {
			if err = tx.Send(Message{Name: "news", To: "sink", Args: []any{name, i}}); err != nil {
				break
			}
		}
		e := ending{life: life}
		e.err = tx.Commit(deadline(l.r.T))
		e.receivers = tx.Receivers()
		if errors.Is(e.err, ErrUnknownOutcome) {
			for e.outcome == "" {
				o, err := l.conn.Outcome(deadline(l.r.T), tx.ID())
				if err == nil {
					e.outcome = o
				} else if !errors.Is(err, ErrLost) {
					l.r.Errorf("Outcome: %v", err)
					return
				}
			}
		}
		l.r.note(func() {
			l.r.ended[name] = e
			if e.err == nil {
				l.r.good++
			}
		})
	}
}
