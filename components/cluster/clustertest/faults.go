package clustertest

import (
	"net"
	"net/netip"

	"github.com/usher-go/usher/wheel/wheeltest"
)

// Cut separates two machines: nothing arrives from one at the other until Heal. Who
// sends notices nothing; what belongs to connections arrives after Heal.
func (w *World) Cut(a, b string) {
	w.net.Cut(w.known(a), w.known(b))
}

// CutOneWay is Cut for what goes from one machine to another. The other way is open,
// but connections need both to be made.
func (w *World) CutOneWay(from, to string) {
	w.net.CutOneWay(w.known(from), w.known(to))
}

// Heal ends Cut and CutOneWay, in both directions.
func (w *World) Heal(a, b string) {
	w.net.Heal(w.known(a), w.known(b))
}

// Between sets what lies between two machines from now on.
func (w *World) Between(a, b string, l wheeltest.Link) {
	w.net.Between(w.known(a), w.known(b), l)
}

// Reset breaks all connections between two machines: both ends find them reset, and
// what was on its way is lost.
func (w *World) Reset(a, b string) {
	from, to := w.Machine(a), w.Machine(b)
	for _, c := range w.net.Conns() {
		if w.machineAt(c.LocalAddr()) == from && w.machineAt(c.RemoteAddr()) == to {
			c.Reset()
		}
	}
}

// known has a misspelt name fail the test.
func (w *World) known(name string) string {
	w.t.Helper()
	return w.Machine(name).name
}

// machineAt is whose address it is, nil for that of a stranger.
func (w *World) machineAt(a net.Addr) *Machine {
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return nil
	}
	return w.hosts[at.Addr()]
}
