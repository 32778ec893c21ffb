//go:build linux

package cluster_test

import (
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/usher-go/usher/components/cluster"
	"github.com/usher-go/usher/components/cluster/internal/realtest"
)

// TestMain has the test binary be a node's process, too.
func TestMain(m *testing.M) {
	if status, ok := realtest.Main(realStatic); ok {
		os.Exit(status)
	}
	if how := os.Getenv(strangerVariable); how != "" {
		os.Exit(strange(how))
	}
	os.Exit(m.Run())
}

func realStatic(list json.RawMessage) (cluster.Directory, error) {
	var s cluster.Static
	return s, json.Unmarshal(list, &s)
}

var realNames = []string{"a", "b", "c"}

// realFleet is nodes that run, with a Static directory. Each knows the others by the
// network's addresses.
func realFleet(t *testing.T, net realtest.Net, setup realtest.Setup, names ...string) *realtest.Fleet {
	list := cluster.Static{}
	for _, name := range names {
		_, list[name] = net.Addresses(name)
	}
	f := realtest.New(t, net, setup, func(string) any { return list }, names...)
	begun := realtest.Now()
	f.Start(names...)
	f.Watched(names...)
	f.Probe("start of all", begun, names...)
	return f
}

// realQuick is for tests that are to be over soon.
var realQuick = realtest.Setup{
	Keys: 24, Every: 10 * time.Millisecond, Shards: 16, CallTimeout: 10 * time.Second,
	Heartbeat: 300 * time.Millisecond, LostAfter: 1500 * time.Millisecond,
}

// Three processes, one after the other killed, stopped for longer than its lease, cut
// off, and gone in order.
func TestG13_RealProcesses(t *testing.T) {
	t.Parallel()
	net := realtest.NewLoopback(t, realNames...)
	f := realFleet(t, net, realQuick, realNames...)
	f.Round(0, 4*time.Second)
	f.Finish(realNames...)
}

func TestG13_RealNamespaces(t *testing.T) {
	t.Parallel()
	net := realtest.NewNamespaces(t, realNames...)
	f := realFleet(t, net, realQuick, realNames...)
	f.CutOff("b", 4*time.Second)
	f.Finish(realNames...)
}

// The same with the defaults of a node, and with ten seconds for each fault.
func TestRealSoak_Processes(t *testing.T) {
	realSoak(t, realtest.NewLoopback(t, realNames...))
}

func TestRealSoak_Namespaces(t *testing.T) {
	realSoak(t, realtest.NewNamespaces(t, realNames...))
}

func realSoak(t *testing.T, net realtest.Net) {
	if os.Getenv("USHER_SOAK") != "1" {
		t.Skip("takes minutes; set USHER_SOAK=1")
	}
	f := realFleet(t, net, realtest.Setup{Keys: 48, Every: 10 * time.Millisecond}, realNames...)
	for i := range 3 {
		f.Round(i, 10*time.Second)
	}
	f.Finish(realNames...)
}
