package cluster

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/usher-go/usher/components/cluster/wire"
)

// stranger speaks gRPC as it likes.
func stranger(t *testing.T, address string, cfg *tls.Config) remote.RemotingClient {
	t.Helper()
	creds := insecure.NewCredentials()
	if cfg != nil {
		creds = credentials.NewTLS(cfg)
	}
	cc, err := grpc.NewClient(address, grpc.WithTransportCredentials(creds),
		grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(1<<30)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cc.Close() })
	return remote.NewRemotingClient(cc)
}

func greeting(address string) *remote.RemoteMessage {
	return &remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectRequest{ConnectRequest: &remote.ConnectRequest{
		ConnectionType: &remote.ConnectRequest_ServerConnection{ServerConnection: &remote.ServerConnection{SystemId: "s", Address: address}},
	}}}
}

// batch is a good one, but for what edit does.
func batch(t *testing.T, to string, edit func(b *remote.MessageBatch)) *remote.RemoteMessage {
	t.Helper()
	data, err := proto.Marshal(hello("stranger"))
	if err != nil {
		t.Fatal(err)
	}
	b := &remote.MessageBatch{
		TypeNames: []string{packetType},
		Targets:   []*actor.PID{actor.NewPID(to, usherName)},
		Envelopes: []*remote.MessageEnvelope{{MessageData: data}},
	}
	edit(b)
	return &remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: b}}
}

// Pitfall: a peer stops actors, publishes, relays, and ends the process with a type, an
// index or a serializer that nobody knows. Each is refused, reported, and ends the
// stream; the node goes on.
func TestRemote_StrangerCannot(t *testing.T) {
	node := startRemote(t, remoteConfig{})
	plain := stranger(t, node.address, nil)
	edited := func(edit func(*remote.MessageBatch)) *remote.RemoteMessage { return batch(t, node.address, edit) }
	typed := func(m proto.Message, target string) *remote.RemoteMessage {
		return edited(func(b *remote.MessageBatch) {
			data, _ := proto.Marshal(m)
			b.TypeNames[0], b.Envelopes[0].MessageData, b.Targets[0].Id = string(proto.MessageName(m)), data, target
		})
	}
	envelope := func(edit func(*remote.MessageEnvelope)) *remote.RemoteMessage {
		return edited(func(b *remote.MessageBatch) { edit(b.Envelopes[0]) })
	}
	self := actor.NewPID(node.address, usherName)
	bomb := &wire.Packet{}
	for range remoteRefusals + 1 {
		bomb.Refused = append(bomb.Refused, &wire.Refusal{})
	}
	for name, c := range map[string]struct {
		send *remote.RemoteMessage
		want string
	}{
		"unknown type":     {edited(func(b *remote.MessageBatch) { b.TypeNames[0] = "no.such.Type" }), `a message of type "no.such.Type"`},
		"empty type":       {edited(func(b *remote.MessageBatch) { b.TypeNames[0] = "" }), `a message of type ""`},
		"other type":       {typed(&wire.Refusal{}, usherName), `a message of type "usher.cluster.v1.Refusal"`},
		"Stop":             {typed(&actor.Stop{}, usherName), `a message of type "actor.Stop"`},
		"PoisonPill":       {typed(&actor.PoisonPill{}, usherName), `a message of type "actor.PoisonPill"`},
		"Watch":            {typed(&actor.Watch{Watcher: self}, usherName), `a message of type "actor.Watch"`},
		"Terminated":       {typed(&actor.Terminated{Who: self}, usherName), `a message of type "actor.Terminated"`},
		"activator":        {typed(&remote.ActorPidRequest{Name: "x", Kind: "y"}, "activator"), `a message of type "remote.ActorPidRequest"`},
		"eventstream":      {typed(hello("x"), "eventstream"), `a message to "eventstream"`},
		"relay":            {batch(t, "127.0.0.1:1", func(*remote.MessageBatch) {}), `at "127.0.0.1:1"`},
		"two targets":      {edited(func(b *remote.MessageBatch) { b.Targets = append(b.Targets, self) }), "field 2 of a batch"},
		"two types":        {edited(func(b *remote.MessageBatch) { b.TypeNames = append(b.TypeNames, packetType) }), "field 1 of a batch"},
		"sender":           {edited(func(b *remote.MessageBatch) { b.Senders = []*actor.PID{self} }), "field 4 of a batch"},
		"sender's index":   {envelope(func(e *remote.MessageEnvelope) { e.Sender = 1 }), "a sender"},
		"type's index":     {envelope(func(e *remote.MessageEnvelope) { e.TypeId = 1 }), "type 1 of 1"},
		"type below":       {envelope(func(e *remote.MessageEnvelope) { e.TypeId = -1 }), "type -1 of 1"},
		"target's index":   {envelope(func(e *remote.MessageEnvelope) { e.Target = 7 }), "target 7 of 1"},
		"target below":     {envelope(func(e *remote.MessageEnvelope) { e.Target = -1 }), "target -1 of 1"},
		"no target":        {edited(func(b *remote.MessageBatch) { b.Targets = nil }), "target 0 of 0"},
		"serializer":       {envelope(func(e *remote.MessageEnvelope) { e.SerializerId = 1 }), "serializer 1"},
		"request":          {envelope(func(e *remote.MessageEnvelope) { e.TargetRequestId = 1 }), "a request's number"},
		"request's target": {edited(func(b *remote.MessageBatch) { b.Targets[0].RequestId = 1 }), "a message to"},
		"header":           {envelope(func(e *remote.MessageEnvelope) { e.MessageHeader = &remote.MessageHeader{} }), "field 6 of an envelope"},
		"crowd": {edited(func(b *remote.MessageBatch) {
			for range remoteBatch {
				b.Envelopes = append(b.Envelopes, &remote.MessageEnvelope{})
			}
		}), "field 3 of a batch, or too many"},
		"bomb":            {typed(bomb, usherName), "more than 65536 refusals"},
		"broken packet":   {envelope(func(e *remote.MessageEnvelope) { e.MessageData = []byte{10, 200} }), "unexpected EOF"},
		"twice greeted":   {greeting("x"), "neither a batch nor a greeting"},
		"nothing":         {&remote.RemoteMessage{}, "neither a batch nor a greeting"},
		"answer":          {&remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectResponse{ConnectResponse: &remote.ConnectResponse{}}}, "field 3 of a message"},
		"disconnect":      {&remote.RemoteMessage{MessageType: &remote.RemoteMessage_DisconnectRequest{DisconnectRequest: &remote.DisconnectRequest{}}}, "field 4 of a message"},
		"hundred million": {envelope(func(e *remote.MessageEnvelope) { e.MessageData = make([]byte, 100_000_000) }), "larger than max"},
	} {
		t.Run(name, func(t *testing.T) {
			stream, err := plain.Receive(deadline(t))
			if err != nil {
				t.Fatal(err)
			}
			_ = stream.Send(greeting("127.0.0.1:2"))
			if m, err := stream.Recv(); err != nil || m.GetConnectResponse() == nil {
				t.Fatalf("answer %v %v", m, err)
			}
			_ = stream.Send(c.send)
			_, err = stream.Recv()
			if code := status.Code(err); (code != codes.InvalidArgument && code != codes.ResourceExhausted) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the stranger is told %v, want %q", err, c.want)
			}
			wantError(t, node.next("refused").err, ErrRefused, c.want)
		})
	}
	for name, first := range map[string]*remote.RemoteMessage{
		"no greeting": edited(func(*remote.MessageBatch) {}),
		"client": {MessageType: &remote.RemoteMessage_ConnectRequest{ConnectRequest: &remote.ConnectRequest{
			ConnectionType: &remote.ConnectRequest_ClientConnection{ClientConnection: &remote.ClientConnection{}}}}},
		"long address": greeting(strings.Repeat("x", 300)),
		"long message": greeting(strings.Repeat("x", 3000)),
	} {
		t.Run(name, func(t *testing.T) {
			stream, err := plain.Receive(deadline(t))
			if err != nil {
				t.Fatal(err)
			}
			_ = stream.Send(first)
			if _, err := stream.Recv(); status.Code(err) != codes.InvalidArgument {
				t.Errorf("the stranger is told %v", err)
			}
			wantError(t, node.next("refused").err, ErrRefused, "")
		})
	}
	reach(t, startRemote(t, remoteConfig{}), node)
	node.silent()
}

// Pitfall: the methods that Proto.Actor has not written panic.
func TestRemote_UnaryIsUnimplemented(t *testing.T) {
	node := startRemote(t, remoteConfig{})
	plain := stranger(t, node.address, nil)
	_, err := plain.ListProcesses(deadline(t), &remote.ListProcessesRequest{})
	_, err2 := plain.GetProcessDiagnostics(deadline(t), &remote.GetProcessDiagnosticsRequest{})
	if status.Code(err) != codes.Unimplemented || status.Code(err2) != codes.Unimplemented {
		t.Errorf("%v, %v", err, err2)
	}
	wantError(t, node.next("refused").err, ErrRefused, "/remote.Remoting/ListProcesses")
	wantError(t, node.next("refused").err, ErrRefused, "/remote.Remoting/GetProcessDiagnostics")
}

// A panic of what handles a packet ends the stream and not the process.
func TestRemote_Recover(t *testing.T) {
	node := startRemote(t, remoteConfig{}, func(*wire.Packet) { panic("oh") })
	a := startRemote(t, remoteConfig{})
	a.Send(node.address, hello("a"))
	a.next("connected")
	if err := a.next("broken").err; status.Code(err) != codes.Internal || strings.Contains(err.Error(), "oh") {
		t.Errorf("the peer is told %v", err)
	}
	wantError(t, node.next("refused").err, ErrRefused, "panic: oh\n")
}

// Pitfall: one packet that is too large drops the link, and others with it.
func TestRemote_TooLarge(t *testing.T) {
	const limit = 10_000
	a, b := startRemote(t, remoteConfig{MaxPacket: limit}), startRemote(t, remoteConfig{MaxPacket: limit})
	reach(t, a, b)
	for len(a.news) > 0 {
		<-a.news
	}
	a.Send(b.address, &wire.Packet{Frames: make([]byte, limit)})
	wantError(t, a.next("broken").err, ErrTooLarge, "10000 allowed")
	a.Send(b.address, &wire.Packet{Node: "largest", Frames: make([]byte, limit-20)})
	if p := b.next("received"); p.who != "largest" {
		t.Errorf("received %v", p)
	}
	a.silent()
}

// Bytes that are not even HTTP/2 cost one connection.
func TestRemote_Garbage(t *testing.T) {
	authority := newRemoteAuthority(t)
	for _, cfg := range []remoteConfig{{}, {TLS: authority.config("node")}} {
		node := startRemote(t, cfg)
		for _, garbage := range []string{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", strings.Repeat("\x16\x03\x01\xff", 1000), "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + strings.Repeat("\xff", 100)} {
			c, err := new(net.Dialer).DialContext(deadline(t), "tcp", node.address)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Write([]byte(garbage)); err != nil {
				t.Fatal(err)
			}
			ended := context.AfterFunc(deadline(t), func() { c.Close() })
			for buf := make([]byte, 100); err == nil; {
				_, err = c.Read(buf)
			}
			if !ended() {
				t.Errorf("%.10q: not closed", garbage)
			}
			c.Close()
			if cfg.TLS != nil {
				wantError(t, node.next("refused").err, ErrRefused, "tls: ")
			}
		}
	}
}

// An ordinary program of Proto.Actor's speaks the same protocol. It may send packets,
// which it does not know of, and nothing else. It is a process of its own: Start of
// Proto.Actor's remote races with gRPC's users.
func TestRemote_OrdinaryProtoActor(t *testing.T) {
	if address := os.Getenv("USHER_REMOTE_PEER"); address != "" {
		ordinaryProtoActor(address)
		return
	}
	node := startRemote(t, remoteConfig{})
	cmd := exec.CommandContext(deadline(t), os.Args[0], "-test.run=^TestRemote_OrdinaryProtoActor$")
	cmd.Env = append(os.Environ(), "USHER_REMOTE_PEER="+node.address)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out := new(strings.Builder)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if n := node.next("received"); n.who != "ordinary" {
		t.Errorf("received %+v", n)
	}
	fmt.Fprintln(in, "go on")
	wantError(t, node.next("refused").err, ErrRefused, `"actor.Stop"`)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	reach(t, startRemote(t, remoteConfig{}), node)
}

func ordinaryProtoActor(address string) {
	system := actor.NewActorSystem()
	r := remote.NewRemote(system, remote.Configure("127.0.0.1", 0))
	ended := make(chan struct{}, 10)
	system.EventStream.Subscribe(func(e any) {
		if _, ok := e.(*remote.EndpointTerminatedEvent); ok {
			ended <- struct{}{}
		}
	})
	r.Start()
	usher := actor.NewPID(address, usherName)
	system.Root.Send(usher, hello("ordinary"))
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	system.Root.Stop(usher)
	<-ended
	r.Shutdown(false)
}
