//go:build linux

package cluster_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/usher-go/usher/components/cluster/internal/realtest"
	"github.com/usher-go/usher/components/cluster/wire"
)

// Strangers do to a node what they can, from other processes: an ordinary program of
// Proto.Actor's that stops, watches and spawns actors and relays; streams with what no
// node would send; messages of 100 MB; bytes that are no HTTP/2; 10,000 connections.
// Meanwhile the calls of another node go on, no node is lost to the other, the process
// lives, and its memory stays as it was.
func TestRealStrangers(t *testing.T) {
	t.Parallel()
	names := []string{"a", "b"}
	network := realtest.NewDirect(t, names...)
	setup := realQuick
	setup.Heartbeat, setup.LostAfter = time.Second, 30*time.Second // the machine has much to do
	f := realFleet(t, network, setup, names...)
	at, _ := network.Addresses("b")
	other, _ := network.Addresses("a")

	f.Talk("a", "b")
	calm := realtest.Now()
	f.WaitTalk("a", 1000)
	before, peakBefore := f.Memory("b")
	begun := realtest.Now()

	var all sync.WaitGroup
	for _, who := range []string{"ordinary", "rude"} {
		all.Go(func() { stranger(t, who, at, other) })
	}
	all.Wait()
	f.WaitTalk("a", 1000)

	after, peak := f.Memory("b")
	f.Hush("a")
	calmly, _ := f.Talked("a", calm)
	took, failed := f.Talked("a", begun)
	slices.Sort(took)
	t.Logf("%d calls between nodes, median %v, max %v; before, median %v; memory of the node: %d MB, before %d; at most resident %d MB, before %d",
		len(took), took[len(took)/2], took[len(took)-1], median(calmly[:1000]), after>>20, before>>20, peak>>20, peakBefore>>20)
	if len(failed) > 0 || took[len(took)-1] > 10*time.Second {
		t.Errorf("%d calls failed, the slowest took %v: %.1000q", len(failed), took[len(took)-1], failed[:min(len(failed), 3)])
	}
	if after-before > 32<<20 || peak-peakBefore > 1<<30 { // 60 MB, and under the race detector 500
		t.Errorf("memory of the node: %d MB, before %d; at most resident %d MB, before %d", after>>20, before>>20, peak>>20, peakBefore>>20)
	}
	if told := slices.Concat(f.Noted("a", realtest.Told), f.Noted("b", realtest.Told)); len(told) > 0 {
		t.Errorf("monitors told: %q", told)
	}
	refused := strings.Join(f.Noted("b", realtest.Reported), "\n")
	for _, want := range []string{`"actor.Stop"`, `"actor.PoisonPill"`, `"actor.Watch"`, `"remote.ActorPidRequest"`, `"eventstream"`, `"no.such.Type"`, "serializer 1", "larger than max", "no node that the directory has", "/remote.Remoting/ListProcesses"} {
		if !strings.Contains(refused, want) {
			t.Errorf("the node does not report %s:\n%.5000s", want, refused)
		}
	}
	f.Probe("after strangers", realtest.Now(), names...)
	f.Finish(names...)
}

func median(list []time.Duration) time.Duration {
	slices.Sort(list)
	return list[len(list)/2]
}

// strangerVariable has the test binary be a stranger: who, the address of the node that
// it goes to, and that of another one.
const strangerVariable = "USHER_CLUSTER_STRANGER"

// stranger runs one.
func stranger(t *testing.T, who, at, other string) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = append(os.Environ(), strangerVariable+"="+who+" "+at+" "+other)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s stranger: %v", who, err)
	}
	t.Logf("%s stranger: %s", who, out)
}

// strange is its program.
func strange(how string) (status int) {
	f := strings.Fields(how)
	if f[0] == "ordinary" {
		return ordinaryStranger(f[1])
	}
	s := &strangers{at: f[1], other: f[2]}
	var all sync.WaitGroup
	for range 3 {
		all.Go(s.streams)
	}
	all.Go(s.garbage)
	all.Wait()
	s.large()
	s.crowd()
	return int(s.status.Load())
}

// strangers go to one node.
type strangers struct {
	at, other string
	status    atomic.Int32
}

func (s *strangers) errorf(format string, args ...any) {
	fmt.Printf(format+"\n", args...)
	s.status.Store(1)
}

func (s *strangers) deadline() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), time.Minute)
}

// ordinaryStranger is an ordinary program of Proto.Actor's. Each message costs it its
// connection.
func ordinaryStranger(at string) int {
	system := actor.NewActorSystem()
	r := remote.NewRemote(system, remote.Configure("127.0.0.1", 0))
	ended := make(chan struct{}, 100)
	system.EventStream.Subscribe(func(e any) {
		if _, ok := e.(*remote.EndpointTerminatedEvent); ok {
			ended <- struct{}{}
		}
	})
	r.Start()
	defer r.Shutdown(false)
	usher := actor.NewPID(at, "usher")
	for _, do := range []func(){
		func() { system.Root.Stop(usher) },
		func() { system.Root.Poison(actor.NewPID(at, "sink")) },
		func() { _, _ = r.SpawnNamed(at, "x", "acct", time.Second) },
		func() { system.Root.Send(actor.NewPID(at, "eventstream"), &wire.Packet{}) },
		func() { _ = system.Root.RequestFuture(usher, &wire.Packet{}, time.Second) },
	} {
		if !until(ended, do) {
			fmt.Println("a connection is still there")
			return 1
		}
	}
	return 0
}

// until sends until the connection has ended: what Proto.Actor sends while it gives the
// one before up is lost.
func until(ended <-chan struct{}, do func()) bool {
	for range 10 {
		do()
		select {
		case <-ended:
			return true
		case <-time.After(time.Second):
		}
	}
	return false
}

// streams is one stream for each thing that no node would send, but for the first.
func (s *strangers) streams() {
	cc, err := grpc.NewClient(s.at, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		s.errorf("%v", err)
		return
	}
	defer cc.Close()
	client := remote.NewRemotingClient(cc)
	ctx, cancel := s.deadline()
	defer cancel()
	packet := &wire.Packet{Node: "stranger", To: "b"}
	for i, m := range []struct {
		message proto.Message
		name    string // unless the message's own
		at, id  string
		as      int32
	}{
		{packet, "", s.at, "usher", 0}, // taken, and of no node that b knows
		{packet, "no.such.Type", s.at, "usher", 0},
		{&actor.Stop{}, "", s.at, "usher", 0},
		{&actor.PoisonPill{}, "", s.at, "sink", 0},
		{&actor.Watch{Watcher: actor.NewPID(s.other, "usher")}, "", s.at, "usher", 0},
		{&remote.ActorPidRequest{Name: "x", Kind: "acct"}, "", s.at, "activator", 0},
		{packet, "", s.at, "eventstream", 0},
		{packet, "", s.other, "usher", 0}, // to be relayed
		{packet, "", s.at, "usher", 1},
		{packet, "", s.at, "usher", -1},
	} {
		data, err := proto.Marshal(m.message)
		if err != nil {
			s.errorf("%v", err)
		}
		s.stream(ctx, client, i == 0, &remote.MessageBatch{
			TypeNames: []string{cmp.Or(m.name, string(proto.MessageName(m.message)))},
			Targets:   []*actor.PID{actor.NewPID(m.at, m.id)},
			Envelopes: []*remote.MessageEnvelope{{MessageData: data, SerializerId: m.as}},
		})
	}
	if _, err := client.ListProcesses(ctx, &remote.ListProcessesRequest{}); status.Code(err) != codes.Unimplemented {
		s.errorf("asked for its actors the node says %v", err)
	}
}

// stream sends one batch. The node ends the stream, or, politely, the stranger.
func (s *strangers) stream(ctx context.Context, client remote.RemotingClient, polite bool, b *remote.MessageBatch) {
	stream, err := client.Receive(ctx)
	if err != nil {
		s.errorf("%v", err)
		return
	}
	_ = stream.Send(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_ConnectRequest{ConnectRequest: &remote.ConnectRequest{
		ConnectionType: &remote.ConnectRequest_ServerConnection{ServerConnection: &remote.ServerConnection{SystemId: "s", Address: "127.0.0.1:2"}},
	}}})
	_ = stream.Send(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: b}})
	if polite {
		_ = stream.CloseSend()
	}
	for err == nil {
		_, err = stream.Recv()
	}
	if code := status.Code(err); polite != (err == io.EOF) || !polite && code != codes.InvalidArgument && code != codes.Unavailable {
		s.errorf("%v to %v: %v", b.TypeNames, b.Targets, err)
	}
}

// garbage is bytes that are no HTTP/2, or stop to be. The node hangs up.
func (s *strangers) garbage() {
	for i := range 100 {
		c, err := net.Dial("tcp", s.at)
		if err != nil {
			s.errorf("%v", err)
			return
		}
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		b := make([]byte, 10_000)
		for i := range b {
			b[i] = byte(rand.Uint())
		}
		if i%2 == 0 {
			b = append([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), b...)
		}
		_, _ = c.Write(b)
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			s.errorf("garbage is not refused")
		}
		c.Close()
	}
}

// large is messages of 100 MB. A stranger who has so much to do that pings get no answer
// loses his connection, and tries again.
func (s *strangers) large() {
	cc, err := grpc.NewClient(s.at, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallSendMsgSize(1<<30)))
	if err != nil {
		s.errorf("%v", err)
		return
	}
	defer cc.Close()
	for refused, tries := 0, 0; refused < 5; tries++ {
		ctx, cancel := s.deadline()
		stream, err := remote.NewRemotingClient(cc).Receive(ctx)
		if err == nil {
			_ = stream.Send(&remote.RemoteMessage{MessageType: &remote.RemoteMessage_MessageBatch{MessageBatch: &remote.MessageBatch{
				Envelopes: []*remote.MessageEnvelope{{MessageData: make([]byte, 100_000_000)}},
			}}})
			_, err = stream.Recv()
		}
		cancel()
		switch code := status.Code(err); {
		case code == codes.ResourceExhausted:
			refused++
		case code != codes.Unavailable || tries == 20:
			s.errorf("of 100 MB the node says: %v", err)
			return
		}
	}
}

// crowd is 10,000 connections, of which those stay that the node lets in.
func (s *strangers) crowd() {
	began := time.Now()
	var mu sync.Mutex
	var inside []net.Conn
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 10_000 / 8 {
				c, err := net.Dial("tcp", s.at)
				if err != nil {
					s.errorf("%v", err)
					return
				}
				// One that is let in hears the server's settings.
				_ = c.SetDeadline(time.Now().Add(time.Minute))
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
	all.Wait()
	fmt.Printf("%d of 10,000 connections were let in\n", len(inside))
	for _, c := range inside {
		c.Close()
	}
	// 1,024 at a time, each for the 4 s in which a ping is to be answered.
	if most := 1024 * int(1+time.Since(began)/(4*time.Second)); len(inside) > most {
		s.errorf("too many: %d, want %d at most", len(inside), most)
	}
}
