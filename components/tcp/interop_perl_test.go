package tcp_test

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/usher-go/usher/components/tcp"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel"
)

var noPOE = sync.OnceValue(func() error {
	return exec.Command("perl", "-MPOE", "-MPOE::Component::Server::TCP", "-e", "POE::Kernel->run").Run()
})

// perl runs one of the scripts in testdata.
func perl(t *testing.T, script string, args ...string) *program {
	t.Helper()
	if err := noPOE(); err != nil {
		t.Skipf("no Perl with POE here (Debian: libpoe-perl): %v", err)
	}
	return start(t, "perl", "perl", append([]string{filepath.Join("testdata", script)}, args...)...)
}

// ending is who ends a conversation: the client, by a shutdown behind the last
// answer, or the server, which is asked to by the last record. The other one gets
// the end of input.
type ending string

const (
	clientEnds ending = "client"
	serverEnds ending = "server"
)

// when is a line that is expected in some cases only.
func (e ending) when(is ending, line string) []string {
	if e == is {
		return []string{line}
	}
	return nil
}

// speaker is a dialect, whatever its records are.
type speaker interface {
	String() string
	toServer(t *testing.T, m kernel.Mode, e ending)
	toClient(t *testing.T, m kernel.Mode, e ending)
}

func eachDialect(t *testing.T, f func(*testing.T, speaker, kernel.Mode, ending)) {
	for _, s := range []speaker{lineDialect, blockDialect, referenceDialect, compressedDialect} {
		for _, e := range []ending{clientEnds, serverEnds} {
			t.Run(fmt.Sprintf("%v, the %s ends", s, e), func(t *testing.T) {
				eachMode(t, func(t *testing.T, m kernel.Mode) { f(t, s, m, e) })
			})
		}
	}
}

func TestInteropPerlServer(t *testing.T) {
	eachDialect(t, func(t *testing.T, s speaker, m kernel.Mode, e ending) { s.toServer(t, m, e) })
}

func TestInteropPerlClient(t *testing.T) {
	eachDialect(t, func(t *testing.T, s speaker, m kernel.Mode, e ending) { s.toClient(t, m, e) })
}

func (d dialect[T]) String() string { return d.name }

const someRecords = 40

// toServer is our client, which sends everything at once, and server.pl.
func (d dialect[T]) toServer(t *testing.T, m kernel.Mode, e ending) {
	random := rand.New(rand.NewPCG(1, uint64(m)))
	var sent []T
	for range someRecords {
		sent = append(sent, d.some(random))
	}
	if e == serverEnds {
		sent = append(sent, d.bye)
	}
	r := newRig(t, m)
	p := perl(t, "server.pl", d.name)
	answers := 0
	c, err := tcp.NewClient(r.k, tcp.ClientConfig[T, T]{
		RemoteAddress: "127.0.0.1:" + strings.TrimPrefix(p.line(), "port "),
		Filter:        d.filter,
		Connected:     func(_ *kernel.Context, conn *tcp.Conn[T, T]) error { return conn.Put(sent...) },
		ServerInput: func(_ *kernel.Context, conn *tcp.Conn[T, T], answer T) error {
			if answers >= len(sent) {
				return fmt.Errorf("one answer too many: %.100v", answer)
			}
			want := d.seen(sent[answers])
			if seen, back := d.answered(answer); seen != want || d.seen(back) != want {
				r.note("record %d: sent %.200s, seen as %.200s, back as %.200s", answers, want, seen, d.seen(back))
			}
			if answers++; answers == len(sent) {
				r.note("%d answers", answers)
				if e == clientEnds {
					conn.Shutdown()
				}
			}
			return nil
		},
		ServerError: func(_ *kernel.Context, _ *tcp.Conn[T, T], e *wheel.Error) error {
			r.note("error %s %s", e.Op, cause(e))
			return nil
		},
		Disconnected: func(_ *kernel.Context, conn *tcp.Conn[T, T]) error {
			r.note("disconnected %s", cause(conn.Err()))
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.ended(c.Session())
	r.want(slices.Concat([]string{fmt.Sprint(len(sent), " answers")}, e.when(serverEnds, "error read EOF"), []string{"disconnected nil"})...)
	if s := c.State(); s.State != "resting" || s.Attempts != 1 || s.Connects != 1 || s.Failures != 0 {
		t.Errorf("State = %+v", s)
	}
	p.want(slices.Concat([]string{"connected"}, e.when(clientEnds, "error read 0"),
		[]string{fmt.Sprint(len(sent), " records"), "disconnected", "stopped"})...)
}

// toClient is our server and client.pl, which sends everything at once.
func (d dialect[T]) toClient(t *testing.T, m kernel.Mode, e ending) {
	r := newRig(t, m)
	records := 0
	s, err := tcp.NewServer(r.k, tcp.ServerConfig[T, T]{
		Filter:          d.filter,
		ClientConnected: func(*kernel.Context, *tcp.Conn[T, T]) error { r.note("connected"); return nil },
		ClientInput: func(_ *kernel.Context, conn *tcp.Conn[T, T], record T) error {
			records++
			seen := d.seen(record)
			if seen == d.seen(d.bye) {
				defer conn.Shutdown()
			}
			return conn.Put(d.answer(seen, record))
		},
		ClientError: func(_ *kernel.Context, _ *tcp.Conn[T, T], e *wheel.Error) error {
			r.note("error %s %s", e.Op, cause(e))
			return nil
		},
		ClientDisconnected: func(_ *kernel.Context, conn *tcp.Conn[T, T]) error {
			r.note("%d records", records)
			r.note("disconnected %s", cause(conn.Err()))
			return nil
		},
		Stopped: func(*kernel.Context) error { r.note("stopped"); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	count := someRecords + len(e.when(serverEnds, "bye"))
	perl(t, "client.pl", d.name, port(s.Addr()), fmt.Sprintf("%d", 1+m), fmt.Sprint(someRecords), map[ending]string{clientEnds: "shutdown", serverEnds: "bye"}[e]).want(
		slices.Concat([]string{"connected", fmt.Sprint(count, " answers")}, e.when(serverEnds, "error read 0"), []string{"disconnected"})...)
	r.await("disconnected nil")
	s.Shutdown()
	r.ended(s.Session())
	r.want(slices.Concat([]string{"connected"}, e.when(clientEnds, "error read EOF"),
		[]string{fmt.Sprint(count, " records"), "disconnected nil", "stopped"})...)
	if s := s.State(); s.Accepted != 1 || s.Connections != 0 || s.Refused != 0 || s.Failed != 0 {
		t.Errorf("State = %+v", s)
	}
}
