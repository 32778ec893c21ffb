//go:build linux

package realtest

import (
	"strings"
	"testing"
	"time"
)

// Each of these is a breach of the property, or excused. The checker has to tell.
func TestCheck(t *testing.T) {
	const s = int64(time.Second)
	by := func(node string, life int, at int64, n Note) Note {
		n.Node, n.Life, n.PID, n.At = node, life, 100*life+int(node[0]), at
		return n
	}
	tried := func(node string, at int64, id string) Note {
		return by(node, 1, at, Note{What: Tried, ID: id, To: "acct/1@owner"})
	}
	handled := func(node string, life int, at int64, id string, n int64, epoch uint64) Note {
		return by(node, life, at, Note{What: Handled, ID: id, From: "a/1", To: "1", N: n, Epoch: epoch})
	}
	lost := func(at int64, id, why string) Note { return by("a", 1, at, Note{What: Lost, ID: id, Text: why}) }
	dropped := func(at int64, id string) Note {
		return by("b", 1, at, Note{What: Lost, ID: id, Text: "receiver stopped"})
	}
	death := []Death{{"b", 1, 8 * s, 10 * s}}
	for name, c := range map[string]struct {
		notes  []Note
		deaths []Death
		want   string // empty: no fault
	}{
		"all is well":            {[]Note{tried("a", 1, "x"), handled("b", 1, 2, "x", 1, 7), tried("a", 3, "y"), handled("c", 1, 4, "y", 2, 8)}, nil, ""},
		"handled was read first": {[]Note{handled("b", 1, 2, "x", 1, 7), tried("a", 1, "x")}, nil, ""},
		"an earlier owner acts":  {[]Note{tried("a", 1, "x"), tried("a", 1, "y"), handled("c", 1, 2, "x", 1, 8), handled("b", 1, 3, "y", 2, 7)}, nil, "begins y under epoch 7, 1ns after c/1 under epoch 8"},
		"two act for one epoch":  {[]Note{tried("a", 1, "x"), tried("a", 1, "y"), handled("c", 1, 2, "x", 1, 8), handled("b", 1, 3, "y", 2, 8)}, nil, "c/1 and b/1 act under epoch 8"},
		"so do two lives":        {[]Note{tried("a", 1, "x"), tried("a", 1, "y"), handled("c", 1, 2, "x", 1, 8), handled("c", 2, 3, "y", 2, 8)}, nil, "c/1 and c/2 act under epoch 8"},
		"handled twice":          {[]Note{tried("a", 1, "x"), handled("b", 1, 2, "x", 1, 7), handled("c", 1, 3, "x", 1, 8)}, nil, "x was handled 2 times"},
		"out of order":           {[]Note{tried("a", 1, "x"), tried("a", 2, "y"), handled("b", 1, 3, "y", 2, 7), handled("b", 1, 4, "x", 1, 7)}, nil, "1 was begun after 2"},
		"silently lost":          {[]Note{tried("a", 1, "x")}, nil, "neither handled nor reported"},
		"not accepted":           {[]Note{tried("a", 1, "x"), by("a", 1, 2, Note{What: Refused, ID: "x"})}, nil, ""},
		"and handled":            {[]Note{tried("a", 1, "x"), by("a", 1, 2, Note{What: Refused, ID: "x"}), handled("b", 1, 3, "x", 1, 7)}, nil, "not accepted, and handled"},
		"reported":               {[]Note{tried("a", 1, "x"), lost(2, "x", "gone")}, nil, ""},
		"and again":              {[]Note{tried("a", 1, "x"), lost(2, "x", "gone"), lost(2, "x", "gone")}, nil, "reported 2 times"},
		"by who had it, too":     {[]Note{tried("a", 1, "x"), lost(2, "x", "a: outcome unknown"), by("b", 1, 2, Note{What: Lost, ID: "x", Text: "stopped"})}, nil, ""},
		"but who knows":          {[]Note{tried("a", 1, "x"), lost(2, "x", "gone"), by("b", 1, 2, Note{What: Lost, ID: "x", Text: "stopped"})}, nil, "reported 2 times"},
		"reported and handled":   {[]Note{tried("a", 1, "x"), handled("b", 1, 2, "x", 1, 7), lost(3, "x", "gone")}, nil, "handled, and reported as lost"},
		"reported by both":       {[]Note{tried("a", 1, "x"), lost(2, "x", "gone"), dropped(3, "x")}, nil, "reported 2 times"},
		"for one did not know":   {[]Note{tried("a", 1, "x"), lost(2, "x", "outcome unknown"), dropped(3, "x")}, nil, ""},
		"twice":                  {[]Note{tried("a", 1, "x"), lost(2, "x", "outcome unknown"), lost(3, "x", "outcome unknown")}, nil, "reported 2 times"},
		"and then did":           {[]Note{tried("a", 1, "x"), lost(2, "x", "outcome unknown"), lost(3, "x", "gone")}, nil, "reported 2 times"},
		"dropped and handled":    {[]Note{tried("a", 1, "x"), lost(2, "x", "outcome unknown"), dropped(3, "x"), handled("b", 1, 3, "x", 1, 7)}, nil, "handled, and reported as lost"},
		"for nobody knew":        {[]Note{tried("a", 1, "x"), handled("b", 1, 2, "x", 1, 7), lost(3, "x", "a: outcome unknown")}, nil, ""},
		"gone with a process":    {[]Note{tried("a", 9*s, "x")}, death, ""},
		"long before":            {[]Note{tried("a", 7*s, "x")}, death, "neither handled nor reported"},
		"just after":             {[]Note{tried("a", 11*s, "x")}, death, "neither handled nor reported"},
		"a call that was begun":  {[]Note{by("a", 1, 3, Note{What: NotBegun, ID: "x", Text: "not the owner"}), handled("b", 1, 2, "x", 0, 7)}, nil, "its caller heard: not the owner"},
		"a wrong answer":         {[]Note{by("a", 1, 3, Note{What: Failed, ID: "x", Text: "the answer is 7"})}, nil, "the answer is 7"},
		"told twice":             {[]Note{by("a", 1, 1, Note{What: Monitored, ID: "m"}), by("a", 1, 3, Note{What: Told, ID: "m"}), by("a", 1, 3, Note{What: Told, ID: "m"})}, nil, "m told 2 times"},
		"half a line":            {[]Note{by("a", 1, 1, Note{What: Unread, Text: "{"})}, nil, `a wrote "{"`},
	} {
		faults, _ := Check(c.notes, c.deaths)
		if got := strings.Join(faults, "\n"); c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q; want %q", name, got, c.want)
		}
	}
}
