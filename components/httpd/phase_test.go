package httpd

import "testing"

// What must hold whatever happens in whatever order.
func TestH45_H44_H49_Moves(t *testing.T) {
	for p := range phases {
		for v := range verbs {
			m := moves[p][v]
			switch {
			case m.to < p && !(p == lost):
				t.Errorf("%d %d: goes back to %d", p, v, m.to)
			case p == lost && m.to != lost:
				t.Errorf("%d: comes back from the dead", v)
			case p == ended && m.verdict == take && v != vGone:
				t.Errorf("%d: counts after the end", v)
			case p < ended && v != vExpired && m.verdict != take:
				t.Errorf("%d %d: does not count", p, v)
			case m.verdict == again && !(p == ended && (v == vDone || v == vStream)):
				t.Errorf("%d %d: nobody answered before", p, v)
			case m.verdict == absent && !(p == lost && (v == vDone || v == vStream)):
				t.Errorf("%d %d: somebody is there", p, v)
			case m.verdict == retire && !(p == ended && v == vClose):
				t.Errorf("%d %d: retires", p, v)
			case v == vStream && m.verdict == take && m.to != flowing:
				t.Errorf("%d: a stream does not flow", p)
			}
		}
	}
}
