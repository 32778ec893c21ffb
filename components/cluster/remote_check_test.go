package cluster

import (
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
	add(greeting("x"))
	for _, kind := range []string{packetType, "actor.Stop", ""} {
		add(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: &remote.MessageBatch{
			TypeNames: []string{kind},
			Targets:   []*actor.PID{actor.NewPID(self, usherName)},
			Envelopes: []*remote.MessageEnvelope{{MessageData: packet}, {TypeId: 3, Target: -1, Sender: 1, SerializerId: 1}},
		}}})
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in := remoteIncoming{message: new(remote.RemoteMessage)}
		if err := (remoteCodec{}).Unmarshal(mem.BufferSlice{mem.SliceBuffer(data)}, &in); err != nil {
			t.Fatal(err)
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
