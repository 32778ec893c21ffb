//go:build unix

package backend

import (
	"errors"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"
)

const (
	kills        = 3
	killClients  = 4
	killRequests = 8 // under way for each client
	killTxs      = 2
	killTxSize   = 5
	killBackoff  = 100 * time.Millisecond // at most, and a quarter of it at first
	killLoad     = 200                    // answers and commits in each life
)

// TestKilledServer is kill -9 of a server under load, three times. Every client is
// back within its back-off; every request is answered or fails, once, and is carried
// out at most once; the sink hears of each transaction all or nothing, in order and
// unmixed, where only the connection's own break may cut the very last one short.
func TestKilledServer(t *testing.T) {
	r := newKillRig(t)
	s := r.begin("127.0.0.1:0")
	_, at, _ := net.SplitHostPort(s.addr)
	port, err := strconv.Atoi(at)
	if err != nil {
		t.Fatal(err)
	}
	r.connect(port)
	for range kills {
		r.back(s)
		r.underLoad()
		s.kill()
		r.wait("everybody has tried to come back", func() bool {
			return len(r.ready) == 0 && !slices.ContainsFunc(r.conns, func(c *Conn) bool { return r.attempts[c] < 3 })
		})
		r.note(func() { r.life++ })
		s = r.begin(s.addr)
	}
	r.back(s)
	r.underLoad()

	r.note(func() { r.stop = true })
	r.wait("every request has an outcome", func() bool { return len(r.replies) == r.asked })
	r.txs.Wait()
	if err := r.conns[1].Send(Message{Name: "news", To: "sink", Args: []any{"end", 0}}); err != nil {
		t.Fatal(err)
	}
	r.wait("the sink has heard all", func() bool { l := r.heard[len(r.heard)-1]; return len(l) > 0 && l[len(l)-1].name == "end" })
	for _, c := range r.conns {
		c.Close()
	}
	r.wait("all are closed", func() bool { return r.closed == len(r.conns) })
	s.kill() // now all that it said is read

	r.mu.Lock()
	defer r.mu.Unlock()
	r.checkRequests()
	r.checkTransactions()
}

func (r *killRig) checkRequests() {
	lost := 0
	for name, replies := range r.replies {
		reply, did := replies[0], r.did[name]
		switch {
		case len(replies) != 1:
			r.Errorf("%s has %d outcomes: %v", name, len(replies), replies)
		case reply.Err == nil && (did != 1 || text(reply.Args, 0) != name):
			r.Errorf("%s was answered with %v, and carried out %d times", name, reply.Args, did)
		case reply.Err != nil && (!errors.Is(reply.Err, ErrLost) || did > 1):
			r.Errorf("%s failed with %v, and was carried out %d times", name, reply.Err, did)
		}
		if reply.Err != nil {
			lost++
		}
	}
	if most := kills * killClients * killRequests; lost == 0 || lost > most {
		r.Errorf("%d requests were lost with their connections; want some, at most %d", lost, most)
	}
	r.Logf("%d requests, %d lost with the server", len(r.replies), lost)
}

func (r *killRig) checkTransactions() {
	whole, cut := map[string]int{}, map[string]bool{}
	for life, got := range r.heard {
		for len(got) > 0 {
			name, n := got[0].name, 0
			for n < len(got) && n < killTxSize && got[n] == (heardItem{name, n}) {
				n++
			}
			got = got[max(n, 1):]
			switch {
			case name == "end":
			case n == killTxSize:
				whole[name]++
			case n > 0 && len(got) == 0 && life < len(r.heard)-1:
				cut[name] = true
			default:
				r.Fatalf("life %d: %d messages of %s, followed by %v", life, n, name, got[:min(len(got), 3)])
			}
		}
	}
	committed, unknown := 0, 0
	for name, e := range r.ended {
		heard := whole[name] > 0 || cut[name]
		switch {
		case whole[name] > 1 || whole[name] == 1 && cut[name]:
			r.Errorf("%s came %d times", name, whole[name])
		case e.err == nil:
			committed++
			there := e.receivers[0] == 1 // the sink, when the registry took it
			if there && e.life == r.life && !heard || !there && heard || !slices.Equal(e.receivers, slices.Repeat(e.receivers[:1], killTxSize)) {
				r.Errorf("%s was committed in life %d for %v, and heard is %v", name, e.life, e.receivers, heard)
			}
		case errors.Is(e.err, ErrUnknownOutcome):
			unknown++
			if e.outcome == Committed || e.outcome == RolledBack && heard {
				r.Errorf("%s: %q says a server that does not know, and heard is %v", name, e.outcome, heard)
			}
		case !errors.Is(e.err, ErrRolledBack) || heard:
			r.Errorf("%s ended with %v, and heard is %v", name, e.err, heard)
		}
		delete(whole, name)
	}
	if len(whole) > 0 {
		r.Errorf("heard, but never committed: %v", whole)
	}
	r.Logf("%d transactions: %d committed, %d of unknown outcome; %d cut by the break of the sink's own connection", len(r.ended), committed, unknown, len(cut))
}
