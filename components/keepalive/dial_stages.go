package keepalive

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"strconv"

	"github.com/usher-go/usher/kernel"
)

// begin enters a stage, which quit ends early.
func (n *dialing) begin(stage string, quit func()) {
	if n.limit != nil {
		n.limit()
	}
	n.stage, n.quit = stage, quit
	n.limit = n.within(limitOf(n.cfg, stage))
}

func (n *dialing) giveUp() {
	if !n.over {
		n.over = true
		n.quit()
	}
}

// resolve looks the key's name up.
func (n *dialing) resolve() {
	l := n.join(n.key.Addr, n)
	n.begin("resolve", func() {
		l.leave(n)
		n.soon(errAborted)
	})
}

// answered is the end of the lookup.
func (n *dialing) answered(c *kernel.Context, addrs []net.IPAddr, err error) {
	switch {
	case n.over: // given up in an earlier waiter's turn
	case err != nil:
		n.end(c, outcome{err: err})
	default:
		n.resolved(netipAddrs(addrs))
	}
}

// resolved goes on to connect to addresses that Config.BindAddress allows.
func (n *dialing) resolved(addrs []netip.Addr) {
	addrs = eligible(addrs, n.cfg.BindAddress)
	if len(addrs) == 0 {
		n.begin("resolve", func() {})
		n.soon(&net.DNSError{Err: "no address" + ofFamily(n.cfg.BindAddress), Name: n.key.Addr, IsNotFound: true})
		return
	}
	list := make([]string, len(addrs))
	for i, a := range interleave(addrs) {
		list[i] = net.JoinHostPort(a.String(), strconv.Itoa(n.key.Port))
	}
	n.connect("tcp", list...)
}

func (n *dialing) connect(network string, addrs ...string) {
	ctx := background
	if network != "unix" {
		ctx = kernel.WithLocalAddress(ctx, n.cfg.BindAddress)
	}
	r := n.race(ctx, network, addrs, n.connected)
	n.begin("connect", r.quit)
}

// connected is the end of the race.
func (n *dialing) connected(c *kernel.Context, conn net.Conn, err error) {
	switch {
	case err != nil:
		n.end(c, outcome{function: failing(err), err: err})
	case n.key.Scheme != "https":
		n.end(c, outcome{conn: conn})
	case n.over:
		hangUp(conn)
		n.end(c, outcome{err: errAborted})
	default:
		n.begin("sslify", n.secure(conn, n.key, n.end))
	}
}

// failing names the step behind a connect's error: the system call, if one failed
// (A40, A43).
func failing(err error) string {
	var sys *os.SyscallError
	if errors.As(err, &sys) {
		return sys.Syscall
	}
	return "connect"
}
