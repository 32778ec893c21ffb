package cluster

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/usher-go/usher/components/cluster/wire"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// Whatever a peer sends, the node neither panics nor loses count: what it acknowledges
// grows, and it goes on answering pings.
func FuzzReceive(f *testing.F) {
	frame := func(fr filter.Frame) []byte {
		b, err := filter.Event().Append(nil, fr)
		if err != nil {
			f.Fatal(err)
		}
		return b
	}
	add := func(p *wire.Packet) {
		p.Node, p.To, p.Epoch = "b", "a", 5
		b, err := proto.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	add(&wire.Packet{Ping: 1})
	add(&wire.Packet{Link: 1, First: 1, Count: 1, Frames: frame(filter.Frame{Name: "line", To: "logger", From: "#3", Args: []any{1}})})
	add(&wire.Packet{Link: 1, First: 2, Count: 2, Frames: frame(filter.Frame{Name: msgMonitor, Args: []any{uint64(1), "logger"}})})
	add(&wire.Packet{Link: 1, First: 1, Count: 3, Frames: frame(filter.Frame{Name: answerError, ReplyTo: 3})})
	add(&wire.Packet{Link: 1, First: 1, Count: 1, Frames: frame(filter.Frame{Name: "get", ID: 3, To: "logger"})})
	add(&wire.Packet{Link: 1, First: 1, Count: 1, Frames: frame(filter.Frame{Name: "get", ID: 3, To: "user/4@owner"})})
	add(&wire.Packet{AckLink: 1, Ack: 1 << 40, Gap: true, Pause: true, Refused: []*wire.Refusal{{Number: 1}}})
	add(&wire.Packet{Leaving: true})
	f.Fuzz(func(t *testing.T, b []byte) {
		packet := new(wire.Packet)
		if proto.Unmarshal(b, packet) != nil {
			return
		}
		k := kernel.New(kernel.Config{Mode: kernel.Simulated, Observer: &kernel.Observer{}})
		net := new(pipes)
		n, err := Join(k, Config{Name: "a", Transport: net.pipe("a:1"), Directory: Static{"a": "a:1", "b": "b:1"}})
		if err != nil {
			t.Fatal(err)
		}
		defer n.abandon()
		packet.ToEpoch = n.epoch
		for range 2 {
			n.Receive(proto.Clone(packet).(*wire.Packet), nil)
			for k.Step() {
			}
		}
		p := n.peer("b")
		if packet.GetNode() == "b" && packet.GetTo() == "a" && p.in.taken > uint64(packet.GetFirst())+uint64(packet.GetCount()) {
			t.Errorf("%d events were taken of %d from %d on", p.in.taken, packet.GetCount(), packet.GetFirst())
		}
	})
}
