package backend

import (
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

// TestRoundTrip: the system knows that of TCP, and none of a unix socket.
func TestRoundTrip(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux says")
	}
	k := running(t, kernel.Parallel)
	for _, network := range []string{"tcp", "unix"} {
		cfg, at := ServerConfig{Alias: network}, Config{Alias: "to " + network}
		if network == "unix" {
			cfg.Network, cfg.Listen = "unix", filepath.Join(t.TempDir(), "socket")
		}
		s := doubler(t, k, cfg)
		if at.Network = network; network == "unix" {
			at.Host = cfg.Listen
		} else {
			at.Port = port(s)
		}
		connect(t, k, at)
		list, err := s.Status()
		if err != nil || len(list) != 1 {
			t.Fatalf("%+v, %v", list, err)
		}
		if d := list[0].RoundTrip; (d > 0) != (network == "tcp") || d > 10*time.Second {
			t.Errorf("%s: %v", network, d)
		}
	}
}
