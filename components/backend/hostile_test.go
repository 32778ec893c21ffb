package backend

import (
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel/filter"
)

// TestGarbageCostsItsConnectionOnly sends what no client sends.
func TestGarbageCostsItsConnectionOnly(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		s := doubler(t, k, ServerConfig{HelloTimeout: 50 * time.Millisecond, RegisterTimeout: 50 * time.Millisecond})
		c := connect(t, k, Config{Port: port(s), PingTimeout: -1})
		rng := rand.New(rand.NewPCG(1, 2))
		random := make([]byte, 64<<10)
		for i := range random {
			random[i] = byte(rng.Uint32())
		}
		for name, bytes := range map[string][]byte{
			"random bytes":        random,
			"a 4 GiB length":      binary.AppendUvarint(nil, 4<<30),
			"half a frame":        {100, 1, 2, 3},
			"nothing":             nil,
			"an endless varint":   {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255},
			"another protocol":    []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
			"a frame of rubbish":  append([]byte{200, 1}, random[:200]...),
			"a nameless register": {3, 0x0a, 1, 'x'},
			"half a hello":        []byte(`{"usher":1,`),
			"an endless hello":    []byte(strings.Repeat("{", 10<<10)),
			"Storable":            []byte("12\x00abcdefghijkl"),
		} {
			for _, first := range [][]byte{nil, helloLine(Protobuf), helloLine(JSON)} {
				conn, err := net.Dial("tcp", s.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				if _, err := conn.Write(append(first, bytes...)); err != nil {
					t.Logf("%s: %v", name, err) // closed on us already
				}
				if first != nil && (name == "a nameless register" || name == "a frame of rubbish" || name == "Storable") {
					conn.Close() // a proper frame, or one that is only refused: the client stays
					continue
				}
				_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
				if _, err := io.Copy(io.Discard, conn); isTimeout(err) {
					t.Errorf("%s: the connection stays open", name)
				}
				conn.Close()
			}
		}
		for range 1000 {
			conn, err := net.Dial("tcp", s.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			conn.Close()
		}
		if v, err := c.Request(deadline(t), Message{Name: "double", Args: []any{1}}); err != nil || v[0] != 2 {
			t.Fatalf("the good client: %v, %v", v, err)
		}
		until(t, "only the good client is left", func() bool {
			st, err := s.State()
			return err == nil && st.Connections == 1
		})
	})
}

func isTimeout(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

func TestMaxConns(t *testing.T) {
	k := running(t, kernel.Parallel)
	s := doubler(t, k, ServerConfig{MaxConns: 2})
	connect(t, k, Config{Port: port(s), Alias: "a"})
	connect(t, k, Config{Port: port(s), Alias: "b"})
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := conn.Read(make([]byte, 1)); err == nil || isTimeout(err) {
		t.Fatalf("a third client stays: %v", err)
	}
	if st, _ := s.State(); st.Refused != 1 {
		t.Fatalf("state %+v", st)
	}
}

// raw is a client that sends what ours never would.
type raw struct {
	t *testing.T
	net.Conn
	enc filter.Filter[filter.Frame, filter.Frame]
}

func dialRaw(t *testing.T, s *Server) *raw {
	t.Helper()
	r := dialBare(t, s)
	r.hello()
	return r
}

// dialBare is dialRaw without a hello.
func dialBare(t *testing.T, s *Server) *raw {
	t.Helper()
	conn, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	return &raw{t, conn, filter.Event()}
}

// helloLine is the first line of a client without a secret.
func helloLine(s Serializer) []byte {
	return line(clientHello{newestVersion, oldestVersion, []Serializer{s}, "", newNonce()})
}

// hello says what a client begins with, and reads the server's line.
func (r *raw) hello() {
	r.t.Helper()
	if _, err := r.Write(helloLine(Protobuf)); err != nil {
		r.t.Fatal(err)
	}
	r.line()
}

// line reads a line, byte by byte, so that nothing behind it is lost.
func (r *raw) line() string {
	r.t.Helper()
	var l []byte
	for b := make([]byte, 1); ; {
		if _, err := r.Read(b); err != nil {
			r.t.Fatal(err)
		}
		if b[0] == '\n' {
			return string(l)
		}
		l = append(l, b[0])
	}
}

// welcome is what a server begins with.
func (r *raw) welcome() {
	r.t.Helper()
	r.line()
	if _, err := r.Write(line(serverHello{Usher: newestVersion, Serializer: Protobuf})); err != nil {
		r.t.Fatal(err)
	}
}

func (r *raw) send(frames ...filter.Frame) {
	r.t.Helper()
	for _, f := range frames {
		b, err := r.enc.Append(nil, f)
		if err != nil {
			r.t.Fatal(err)
		}
		if _, err := r.Write(b); err != nil {
			r.t.Fatal(err)
		}
	}
}

func (r *raw) next() filter.Frame {
	r.t.Helper()
	buf := make([]byte, 4096)
	for {
		f, ok, err := r.enc.Next()
		if err != nil {
			r.t.Fatal(err)
		}
		if ok {
			return f
		}
		n, err := r.Read(buf)
		if err != nil {
			r.t.Fatal(err)
		}
		r.enc.Feed(buf[:n])
	}
}

// TestB33_BadNameHarmsNobody: what a client registers is sent to others, as the
// From of its messages.
func TestB33_BadNameHarmsNobody(t *testing.T) {
	eachMode(t, func(t *testing.T, k *kernel.Kernel) {
		s := doubler(t, k, ServerConfig{})
		got := make(chan Message, 10)
		c := connect(t, k, Config{Port: port(s), Name: "victim", Deliver: listener(t, k, got), Events: []kernel.Event[Message]{news}})
		bad := dialRaw(t, s)
		for _, name := range []any{"\xff", strings.Repeat("n", maxName+1), "", Everyone, 7, nil} {
			bad.send(filter.Frame{Name: cmdRegister, Args: []any{name}, ID: 1})
			if f := bad.next(); f.Name != evError || f.ReplyTo != 1 {
				t.Fatalf("registering %.20q: %+v", name, f)
			}
		}
		bad.send(
			filter.Frame{Name: "secret", To: Everyone},
			filter.Frame{Name: news.Name(), To: Everyone, Args: []any{"hello"}},
		)
		if m := <-got; m.Name != "news" || m.From != "" || m.Args[0] != "hello" {
			t.Fatalf("got %+v; want the news, and no event that is not listed", m)
		}
		if st, err := c.State(); err != nil || st.Reconnects != 0 {
			t.Fatalf("the victim lost its connection: %+v, %v", st, err)
		}
	})
}

// TestB33_LargestMessageHarmsNobody: with its sender's name a message is longer
// than it came.
func TestB33_LargestMessageHarmsNobody(t *testing.T) {
	k := running(t, kernel.Parallel)
	s := doubler(t, k, ServerConfig{MaxFrame: 1000})
	got := make(chan Message, 10)
	c := connect(t, k, Config{Port: port(s), Name: "victim", MaxFrame: 1000, Deliver: listener(t, k, got), Events: []kernel.Event[Message]{news}})
	bad := dialRaw(t, s)
	bad.send(filter.Frame{Name: cmdRegister, Args: []any{strings.Repeat("n", maxName)}})
	for size := 900; size < 1000; size++ {
		b, err := bad.enc.Append(nil, filter.Frame{Name: news.Name(), To: Everyone, Args: []any{strings.Repeat("x", size)}})
		if err != nil {
			t.Fatal(err)
		}
		if len(b)-2 > 1000 { // without its length prefix
			break
		}
		if _, err := bad.Write(b); err != nil {
			t.Fatal(err)
		}
		if m := <-got; len(m.Args[0].(string)) != size {
			t.Fatalf("got %d bytes, want %d", len(m.Args[0].(string)), size)
		}
	}
	if st, err := c.State(); err != nil || st.Reconnects != 0 {
		t.Fatalf("the victim lost its connection: %+v, %v", st, err)
	}
}

// TestB31_RequestsOverTheQueueLimitAreRefused: a client that asks faster than it
// is answered fills no queue.
func TestB31_RequestsOverTheQueueLimitAreRefused(t *testing.T) {
	k := running(t, kernel.Parallel)
	busy, free := make(chan bool, 10), make(chan bool)
	l, err := k.SpawnHeld(session.New(session.On(kernel.Event[*Request]("work"), func(_ *kernel.Context, r *Request) error {
		busy <- true
		<-free
		return r.Reply()
	})), kernel.QueueLimit(2))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Release()
	s, err := NewServer(k, ServerConfig{Commands: map[string]kernel.Address{"work": l.Address()}})
	if err != nil {
		t.Fatal(err)
	}
	r := dialRaw(t, s)
	r.send(filter.Frame{Name: "work", ID: 1})
	<-busy
	for id := range uint64(5) {
		r.send(filter.Frame{Name: "work", ID: id + 2})
	}
	for range 3 {
		if f := r.next(); f.Name != evError || f.Args[0] != "too many requests; ask later" || f.ReplyTo < 4 {
			t.Fatalf("got %+v", f)
		}
	}
	close(free)
	for id := range uint64(3) {
		if f := r.next(); f.Name != evReply || f.ReplyTo != id+1 {
			t.Fatalf("got %+v", f)
		}
	}
}

// TestClientThatDoesNotReadIsDropped: what waits for it is bounded.
func TestClientThatDoesNotReadIsDropped(t *testing.T) {
	k := running(t, kernel.Parallel)
	s := doubler(t, k, ServerConfig{MaxFrame: 64 << 10})
	r := dialRaw(t, s)
	b, err := r.enc.Append(nil, filter.Frame{Name: cmdPing, Args: []any{make([]byte, 60<<10)}})
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = r.Write(b)
	}
	if isTimeout(err) {
		t.Fatal("the connection stays open")
	}
	until(t, "it is gone", func() bool { st, err := s.State(); return err == nil && st.Connections == 0 })
}

// TestMemoryIsFlatUnderGarbage sends 200 MiB that are no frames, over many
// connections, and as many as are frames that nobody wants.
func TestMemoryIsFlatUnderGarbage(t *testing.T) {
	k := running(t, kernel.Parallel)
	s := doubler(t, k, ServerConfig{})
	c := connect(t, k, Config{Port: port(s), PingTimeout: -1})
	hello := helloLine(Protobuf)
	garbage := make([]byte, 1<<20)
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range garbage {
		garbage[i] = byte(rng.Uint32())
	}
	frame, err := filter.Event().Append(nil, filter.Frame{Name: "nobody wants it", To: "nobody", Args: []any{garbage[:len(garbage)-100]}})
	if err != nil {
		t.Fatal(err)
	}
	send := func(p []byte) {
		conn, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write(append(hello[:len(hello):len(hello)], p...)) // the server may close it any time
		conn.Close()
	}
	heap := func() uint64 {
		until(t, "only the good client is left", func() bool { st, err := s.State(); return err == nil && st.Connections == 1 })
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // pools live one longer
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	send(garbage)
	before := heap()
	for range 200 {
		send(garbage)
		send(frame)
	}
	if after := heap(); after > before+4<<20 {
		t.Errorf("%d KiB of heap before, %d after", before>>10, after>>10)
	}
	if v, err := c.Request(deadline(t), Message{Name: "double", Args: []any{1}}); err != nil || v[0] != 2 {
		t.Fatalf("the good client: %v, %v", v, err)
	}
}
