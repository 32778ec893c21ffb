//go:build linux

package etcd

import (
	"encoding/json"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/usher-go/usher/components/cluster"
	"github.com/usher-go/usher/components/cluster/internal/realtest"
)

func nodeProcess() (status int, ok bool) { return realtest.Main(realDirectory) }

// realDirectory is for the processes of nodes.
func realDirectory(text json.RawMessage) (cluster.Directory, error) {
	var cfg Config
	err := json.Unmarshal(text, &cfg)
	return Directory(cfg), err
}

var realNames = []string{"a", "b", "c"}

// realNet is a network with etcd in it, which each node reaches by a way of its own.
type realNet struct {
	realtest.Net
	proxies map[string]*proxy
}

func (n realNet) Cut(name string) {
	n.Net.Cut(name)
	n.proxies[name].hole()
}

func (n realNet) Heal(name string) {
	n.Net.Heal(name)
	n.proxies[name].heal()
}

func realFleet(t *testing.T, s *server, inner realtest.Net, outside string, setup realtest.Setup, cfg Config) *realtest.Fleet {
	n := realNet{inner, map[string]*proxy{}}
	for _, name := range realNames {
		p, err := newProxyAt(s, net.JoinHostPort(outside, "0"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.close)
		n.proxies[name] = p
	}
	cfg.Prefix = t.Name()
	f := realtest.New(t, n, setup, func(name string) any {
		own := cfg
		own.Endpoints = []string{n.proxies[name].address()}
		return own
	}, realNames...)
	begun := realtest.Now()
	f.Start(realNames...)
	f.Watched(realNames...)
	f.Probe("start of all", begun, realNames...)
	return f
}

// realOutage has etcd away for so long, for all, and back.
func realOutage(t *testing.T, f *realtest.Fleet, s *server, d time.Duration) {
	begun := realtest.Now()
	s.signal(t, syscall.SIGKILL)
	f.Since(begun, d)
	at := realtest.Now()
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	f.Probe("etcd started after kill -9", at, realNames...)
	f.Watched(realNames...)
}

// Three processes: one is killed, one stopped for longer than its lease, and etcd
// killed and away for longer than all leases.
func TestReal_Processes(t *testing.T) {
	t.Parallel()
	s := ownServer(t)
	f := realFleet(t, s, realtest.NewLoopback(t, realNames...), "127.0.0.1", realtest.Setup{
		Keys: 24, Every: 10 * time.Millisecond, Shards: 16, CallTimeout: 10 * time.Second,
		Heartbeat: 300 * time.Millisecond, LostAfter: 1500 * time.Millisecond,
	}, Config{TTL: 2 * time.Second})
	f.KillAndRestart("b")
	f.StopAndGoOn("c", 4*time.Second)
	realOutage(t, f, s, 4*time.Second)
	f.Finish(realNames...)
}

// With the defaults, everything that can happen to nodes and etcd, for ten seconds each.
func TestRealSoak_Processes(t *testing.T) {
	realSoak(t, func() (realtest.Net, string) { return realtest.NewLoopback(t, realNames...), "127.0.0.1" })
}

func TestRealSoak_Namespaces(t *testing.T) {
	realSoak(t, func() (realtest.Net, string) {
		n := realtest.NewNamespaces(t, realNames...)
		return n, n.Outside()
	})
}

func realSoak(t *testing.T, network func() (n realtest.Net, outside string)) {
	if os.Getenv("USHER_SOAK") != "1" {
		t.Skip("takes minutes; set USHER_SOAK=1")
	}
	s := ownServer(t)
	n, outside := network()
	f := realFleet(t, s, n, outside, realtest.Setup{Keys: 48, Every: 10 * time.Millisecond}, Config{})
	for i := range 3 {
		f.Round(i, 10*time.Second)
		realOutage(t, f, s, 10*time.Second)
		realOutage(t, f, s, 0)
		at := realtest.Now()
		s.signal(t, syscall.SIGSTOP)
		f.Since(at, 10*time.Second)
		at = realtest.Now()
		s.signal(t, syscall.SIGCONT)
		f.Probe("etcd SIGCONT", at, realNames...)
	}
	f.Finish(realNames...)
}
