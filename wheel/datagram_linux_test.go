package wheel

import (
	"bytes"
	"net"
	"net/netip"
	"testing"
)

// A packet costs one allocation, its Data, while its sender and its recipient stay
// the same.
func TestW52_PacketsAllocateTheirDataOnly(t *testing.T) {
	var ports [2]packetPort
	var addrs [2]net.Addr
	for i := range ports {
		conn, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		ports[i], addrs[i] = packetDescriptorPort(conn), conn.LocalAddr()
		ports[i].tell(nil, nil)
		defer ports[i].leave()
	}
	ping, buf, sum := []byte("ping"), make([]byte, 100), 0
	var from net.Addr
	n := testing.AllocsPerRun(1000, func() {
		if err := ports[0].tryWrite(Packet{ping, addrs[1]}); err != nil {
			t.Fatal(err)
		}
		n, addr, err := ports[1].tryRead(buf)
		if err != nil {
			t.Fatal(err)
		}
		if from != nil && from != addr {
			t.Fatal("the sender's address was made anew")
		}
		from = addr
		sum += len(bytes.Clone(buf[:n]))
	})
	if n != 1 || sum != 4*1001 {
		t.Errorf("%v allocations a packet, %d bytes", n, sum)
	}
	if from.String() != addrs[0].String() {
		t.Errorf("sender %v, want %v", from, addrs[0])
	}
}

// Addresses as the system writes them, and what is too short for one.
func TestW54_ReadSockaddr(t *testing.T) {
	v4 := []byte{2, 0, 0x1f, 0x90, 10, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0}
	v6 := append([]byte{10, 0, 0x1f, 0x90, 0, 0, 0, 0}, append(netip.MustParseAddr("fe80::1").AsSlice(), 0xff, 0xff, 0, 0)...)
	mapped := append([]byte{10, 0, 0x1f, 0x90, 0, 0, 0, 0}, append(netip.MustParseAddr("::ffff:10.1.2.3").AsSlice(), 0, 0, 0, 0)...)
	for want, raw := range map[string][]byte{
		"10.1.2.3:8080":        v4,
		"[fe80::1%65535]:8080": v6,
		"10.1.2.3:8080 mapped": mapped,
		"/a/path":              []byte("\x01\x00/a/path\x00"),
		"@abstract\x00name":    []byte("\x01\x00\x00abstract\x00name"),
	} {
		want = string(bytes.TrimSuffix([]byte(want), []byte(" mapped")))
		if got := readSockaddr(raw); got == nil || got.String() != want {
			t.Errorf("%v is %v, want %s", raw, got, want)
		}
	}
	for _, raw := range [][]byte{nil, {2}, v4[:8], v6[:20], {1, 0}, {99, 0, 1, 2, 3}} {
		if got := readSockaddr(raw); got != nil {
			t.Errorf("%v is %v, want nothing", raw, got)
		}
	}
}
