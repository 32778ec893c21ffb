//go:build unix

package prefork

import (
	"fmt"
	"os"
	"testing"
	"time"
)

// Clients that never stop notice nothing of a reload and an upgrade, and of a
// worker that is killed only what it was doing.
func TestIII1_III18_NoRequestIsLost(t *testing.T) {
	s := newSoak(t, "tcp://127.0.0.1:0", 250)
	s.times("reload", 2, s.reload)
	s.times("upgrade", 1, s.upgrade)
	s.times("kill", 2, s.killWorker)
	s.end()
}

// The same for long, so that workers are replaced for MaxRequests, too. The socket
// is the service manager's: clients wait while the whole is drained and started
// again, and after the master was killed.
func TestSoakNoRequestIsLost(t *testing.T) {
	if os.Getenv("USHER_SOAK") != "1" {
		t.Skip("takes minutes; set USHER_SOAK=1")
	}
	s := newSoak(t, "systemd://", 5000)
	defer s.progress()()
	s.times("reload", 20, s.reload)
	s.times("upgrade", 10, s.upgrade)
	s.times("kill", 50, s.killWorker)
	s.times("restart", 5, s.restart)
	s.times("kill the master", 3, s.killMaster)
	s.end()
}

// progress says every few seconds how far it is.
func (s *soak) progress() (stop func()) {
	quit, quitted := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(quitted)
		show := time.NewTicker(5 * time.Second)
		defer show.Stop()
		for {
			select {
			case <-show.C:
				fmt.Printf("%d requests after %v\n", s.requests.Load(), time.Since(s.began).Round(time.Second))
			case <-quit:
				return
			}
		}
	}()
	return func() { close(quit); <-quitted }
}
