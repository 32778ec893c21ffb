//go:build linux

package realtest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/usher-go/usher/components/cluster"
)

// Death is a kill -9.
type Death struct {
	Node  string
	Life  int
	Since int64 // what was posted before had its fate, and was noted
	At    int64
}

// Sum is how many of what there were.
type Sum struct {
	Posts, Handled, Lost, Unknown, Killed int // posts
	Asked, Answered                       int // calls
	Owners                                int // that acted, over all keys
	Monitors, Told                        int
}

func (s Sum) String() string {
	return fmt.Sprintf("%d posts: %d handled, %d reported as lost, %d of these unknown, %d gone with a process; %d calls, %d answered; %d owners of keys; %d monitors, %d told",
		s.Posts, s.Handled, s.Lost, s.Unknown, s.Killed, s.Asked, s.Answered, s.Owners, s.Monitors, s.Told)
}

// excused reports whether nobody may know what became of a post: its sender or its
// receiver was killed soon after.
func excused(n Note, deaths []Death) bool {
	return slices.ContainsFunc(deaths, func(d Death) bool {
		return n.At > d.Since && n.At <= d.At
	})
}

// Check looks for what must not be in what processes have noted.
func Check(notes []Note, deaths []Death) (faults []string, sum Sum) {
	c := checker{posts: map[string]*post{}, deaths: deaths, told: map[string]int{}}
	notes = slices.Clone(notes)
	slices.SortStableFunc(notes, func(a, b Note) int { return cmp.Compare(a.At, b.At) })
	for _, n := range notes {
		c.look(n)
	}
	c.owners(notes)
	c.order(notes)
	for id, p := range c.posts {
		c.fate(id, p)
	}
	slices.Sort(c.faults)
	return c.faults, c.sum
}

type checker struct {
	posts  map[string]*post // and calls
	told   map[string]int
	deaths []Death
	faults []string
	sum    Sum
}

type post struct {
	tried   *Note
	refused bool
	handled int
	lost    []Note
	begun   *Note // the error of its call that says that it was not begun
}

func (c *checker) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Sprintf(format, args...))
}

func (c *checker) post(id string) *post {
	if c.posts[id] == nil {
		c.posts[id] = &post{}
	}
	return c.posts[id]
}

func (c *checker) look(n Note) {
	switch n.What {
	case Tried:
		c.post(n.ID).tried = &n
		c.sum.Posts++
	case Refused:
		c.post(n.ID).refused = true
	case Handled:
		c.post(n.ID).handled++
	case Lost:
		p := c.post(n.ID)
		p.lost = append(p.lost, n)
	case Answered:
		c.sum.Asked++
		c.sum.Answered++
	case Failed:
		c.sum.Asked++
		if strings.HasPrefix(n.Text, "the answer is") {
			c.fault("call %s: %s", n.ID, n.Text)
		}
	case NotBegun:
		c.sum.Asked++
		c.post(n.ID).begun = &n
	case Monitored:
		c.sum.Monitors++
	case Told:
		c.sum.Told++
		if c.told[n.ID]++; c.told[n.ID] > 1 {
			c.fault("%s told %d times", n.ID, c.told[n.ID])
		}
	case Unread:
		c.fault("%s wrote %q", n.Node, n.Text)
	}
}

// owners looks at who acted for each key, in the order of time.
func (c *checker) owners(notes []Note) {
	type tenure struct {
		key   string
		epoch uint64
	}
	latest, actor := map[string]Note{}, map[tenure]Note{}
	for _, n := range notes {
		if n.What != Handled || n.Epoch == 0 {
			continue
		}
		if l := latest[n.To]; l.Epoch > n.Epoch {
			c.fault("key %s: %s/%d begins %s under epoch %d, %v after %s/%d under epoch %d", n.To, n.Node, n.Life, n.ID, n.Epoch, time.Duration(n.At-l.At), l.Node, l.Life, l.Epoch)
		} else {
			latest[n.To] = n
		}
		t := tenure{n.To, n.Epoch}
		if a, ok := actor[t]; !ok {
			actor[t] = n
			c.sum.Owners++
		} else if a.PID != n.PID || a.Node != n.Node || a.Life != n.Life {
			c.fault("key %s: %s/%d and %s/%d act under epoch %d", n.To, a.Node, a.Life, n.Node, n.Life, n.Epoch)
		}
	}
}

// order looks at what each receiver got from each sender.
func (c *checker) order(notes []Note) {
	type way struct{ from, to string }
	last := map[way]Note{}
	for _, n := range notes {
		if n.What != Handled || n.From == "" {
			continue
		}
		w := way{n.From, n.To}
		if l, ok := last[w]; ok && l.N > n.N {
			c.fault("%s to %s: %d was begun after %d", w.from, w.to, n.N, l.N)
		}
		last[w] = n
	}
}

func (c *checker) fate(id string, p *post) {
	if p.handled > 1 {
		c.fault("%s was handled %d times", id, p.handled)
	}
	if p.handled > 0 && p.begun != nil {
		c.fault("%s was handled, and its caller heard: %s", id, p.begun.Text)
	}
	if p.tried == nil {
		return
	}
	unknown, known, texts := p.told()
	if p.handled > 0 {
		c.sum.Handled++
	}
	if len(p.lost) > 0 {
		c.sum.Lost++
	}
	if unknown {
		c.sum.Unknown++
	}
	switch {
	case p.handled > 0 && p.refused:
		c.fault("%s was not accepted, and handled", id)
	case p.handled > 0 && known:
		c.fault("%s was handled, and reported as lost: %q", id, texts)
	case len(texts) > 2, len(texts) == 2 && (!unknown || !known || p.lost[0].Node == p.lost[1].Node):
		c.fault("%s was reported %d times: %q", id, len(texts), texts)
	case p.handled > 0 || p.refused || len(p.lost) > 0:
	case excused(*p.tried, c.deaths):
		c.sum.Killed++
	default:
		c.fault("%s of %s to %s was neither handled nor reported", id, p.tried.Node, p.tried.To)
	}
}

// told reports whether the sender has said that nobody knows, and whether anybody has said
// that it was not handled. Both may be: the sender has lost the other node, which drops
// what it had taken.
func (p *post) told() (unknown, known bool, texts []string) {
	for _, n := range p.lost {
		if n.Node == p.tried.Node && strings.Contains(n.Text, cluster.ErrUnknownOutcome.Error()) {
			unknown = true
		} else {
			known = true
		}
		texts = append(texts, fmt.Sprintf("%s/%d: %s", n.Node, n.Life, n.Text))
	}
	return unknown, known, texts
}
