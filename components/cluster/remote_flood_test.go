package cluster

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"
)

// 10,000 connections of strangers: as many as there are places stay, the others are
// closed at once, and memory does not grow with them.
func TestRemote_TenThousandConnections(t *testing.T) {
	node := startRemote(t, remoteConfig{})
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapInuse + m.StackInuse
	}
	before, begun := heap(), time.Now()
	var mu sync.Mutex
	var inside []net.Conn
	var todo sync.WaitGroup
	for range 8 {
		todo.Go(func() {
			for range 10_000 / 8 {
				c, err := net.Dial("tcp", node.address)
				if err != nil {
					t.Error(err)
					return
				}
				// One that is let in hears the server's settings at once.
				_ = c.SetDeadline(time.Now().Add(remotePatience))
				_, _ = c.Write([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"))
				if _, err := c.Read(make([]byte, 1)); err != nil {
					c.Close()
					continue
				}
				mu.Lock()
				inside = append(inside, c)
				mu.Unlock()
			}
		})
	}
	todo.Wait()
	// One that does not answer pings goes, and its place is another's.
	turns := 1 + int(time.Since(begun)/(remotePing+remotePong))
	if len(inside) < remoteGuests || len(inside) > turns*remoteGuests {
		t.Errorf("%d connections inside, want %d, each of which had %d turns at most", len(inside), remoteGuests, turns)
	}
	grown := int64(heap()) - int64(before)
	t.Logf("%d bytes for each connection inside", grown/remoteGuests)
	if grown > 200<<20 {
		t.Errorf("%d MB grown", grown>>20)
	}
	for range 10_000 - len(inside) {
		if err := node.next("refused").err; !errors.Is(err, errRemoteFull) {
			t.Fatal(err)
		}
	}
	for _, c := range inside {
		c.Close()
	}
	reach(t, startRemote(t, remoteConfig{}), node)
}

// Strangers who connect and say nothing make way for nodes.
func TestRemote_SilentStrangersMakeWay(t *testing.T) {
	authority := newRemoteAuthority(t)
	node := startRemote(t, remoteConfig{TLS: authority.config("node")})
	for range 3 * remoteWaiting {
		c, err := net.Dial("tcp", node.address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	for range 2 * remoteWaiting {
		if err := node.next("refused").err; !errors.Is(err, errRemoteFull) {
			t.Fatalf("refused: %v, want room made for others", err)
		}
	}
	reach(t, startRemote(t, remoteConfig{TLS: authority.config("a")}), node)
}

// Strangers who have not said who they are do not hold Close up.
func TestRemote_CloseWithSilentStrangers(t *testing.T) {
	authority := newRemoteAuthority(t)
	for _, cfg := range []remoteConfig{{}, {TLS: authority.config("node")}} {
		node := startRemote(t, cfg)
		c, err := net.Dial("tcp", node.address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		inside := func() int {
			node.door.mu.Lock()
			defer node.door.mu.Unlock()
			return len(node.door.guests)
		}
		for inside() == 0 {
			runtime.Gosched()
		}
		begun := time.Now()
		node.stop()
		if took := time.Since(begun); took > remoteHandshake-time.Second {
			t.Errorf("Close took %v", took)
		}
		_ = c.SetDeadline(time.Now().Add(remotePatience))
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("the connection is still open")
		}
	}
	noGoroutines(t)
}
