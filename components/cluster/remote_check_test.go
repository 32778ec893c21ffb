package cluster

import (
	"bytes"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"

	"github.com/usher-go/usher/components/cluster/wire"
)

// What passes the check is a packet for the usher in every envelope, and can be
// indexed and decoded as Proto.Actor's own reader does it, which panics otherwise.
func FuzzCheckBatch(f *testing.F) {
	const self = "127.0.0.1:1"
	add := func(m *remote.RemoteMessage) {
		data, err := proto.Marshal(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	packet, _ := proto.Marshal(&wire.Packet{Node: "n", Refused: []*wire.Refusal{{Number: 1}}})
	add(batchOf(self, packet))
	add(greeting("x"))
	for _, kind := range []string{packetType, "actor.Stop", ""} {
		add(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: &remote.MessageBatch{
			TypeNames: []string{kind},
			Targets:   []*actor.PID{actor.NewPID(self, usherName)},
			Envelopes: []*remote.MessageEnvelope{{MessageData: packet}, {TypeId: 3, Target: -1, Sender: 1, SerializerId: 1}},
		}}})
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		decode := func(head remoteHead) (in remoteIncoming) {
			in.head = head
			if err := (remoteCodec{}).Unmarshal(mem.BufferSlice{mem.SliceBuffer(data)}, &in); err != nil {
				t.Fatal(err)
			}
			return in
		}
		in := decode(nil)
		if quick := decode(newRemoteHead(self)); quick.packet != nil {
			p := new(wire.Packet)
			b := in.message.GetMessageBatch()
			switch {
			case in.err != nil || quick.err != nil:
				if in.err == nil && proto.Unmarshal(b.Envelopes[0].MessageData, p) == nil {
					t.Errorf("%v without a message around it, %v with one", quick.err, in.err)
				}
			case checkBatch(b, self) != nil || len(b.Envelopes) != 1 || proto.Unmarshal(b.Envelopes[0].MessageData, p) != nil || !proto.Equal(p, quick.packet):
				t.Errorf("%v is %v without a message around it", in.message, quick.packet)
			}
		}
		if in.err != nil {
			return
		}
		_ = checkGreeting(in.message.GetConnectRequest())
		b := in.message.GetMessageBatch()
		if checkBatch(b, self) != nil {
			return
		}
		if len(b.Envelopes) > remoteBatch || len(b.Senders) > 0 {
			t.Errorf("%d envelopes, %d senders", len(b.Envelopes), len(b.Senders))
		}
		for _, e := range b.Envelopes {
			if to := b.Targets[e.Target]; to.Address != self || to.Id != usherName {
				t.Errorf("to %v", to)
			}
			m, err := remote.Deserialize(e.MessageData, b.TypeNames[e.TypeId], e.SerializerId)
			if p, ok := m.(*wire.Packet); !ok || err == nil && len(p.Refused) > remoteRefusals {
				t.Errorf("%T", m)
			}
		}
	})
}

// batchOf is what a node sends for an encoded packet.
func batchOf(address string, packet []byte) *remote.RemoteMessage {
	return &remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: &remote.MessageBatch{
		TypeNames: []string{packetType},
		Targets:   []*actor.PID{actor.NewPID(address, usherName)},
		Envelopes: []*remote.MessageEnvelope{{MessageData: packet}},
	}}}
}

// A packet goes out as Proto.Actor's own writer would send it, and is known again.
func TestRemote_PacketsAreProtoActorsBatches(t *testing.T) {
	const to = "127.0.0.1:1"
	for _, size := range []int{0, 1, 100, 127, 128, 16 << 10, 1 << 20} {
		p := &wire.Packet{Node: "n", First: 7, Frames: make([]byte, size)}
		data, err := proto.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		want, err := proto.Marshal(batchOf(to, data))
		if err != nil {
			t.Fatal(err)
		}
		sent, err := remoteCodec{}.Marshal(&remoteOutgoing{head: newRemoteHead(to), packet: p, size: proto.Size(p)})
		if err != nil {
			t.Fatal(err)
		}
		if got := sent.Materialize(); !bytes.Equal(got, want) {
			t.Errorf("a packet with %d bytes is not Proto.Actor's message: %.100q, want %.100q", size, got, want)
		}
		for _, c := range []struct {
			head remoteHead
			data []byte
			ok   bool
		}{
			{newRemoteHead(to), want, true},
			{newRemoteHead("127.0.0.1:2"), want, false},
			{nil, want, false},
			{newRemoteHead(to), want[:len(want)-1], false},
			{newRemoteHead(to), append(want[:len(want):len(want)], 0), false},
		} {
			if got, ok := c.head.packet(c.data); ok != c.ok || ok && !bytes.Equal(got, data) {
				t.Errorf("a packet with %d bytes in %d of %d is found: %v, want %v", size, len(c.data), len(want), ok, c.ok)
			}
		}
	}
}
