//go:build linux

package realtest

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/usher-go/usher/components/cluster"
	"github.com/usher-go/usher/kernel"
)

// Main is the program of a node's process: ok is false where this is none. directory
// makes what Setup.Directory describes.
func Main(directory func(json.RawMessage) (cluster.Directory, error)) (status int, ok bool) {
	text := os.Getenv(variable)
	if text == "" {
		return 0, false
	}
	p := new(program)
	if err := p.run(text, directory); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1, true
	}
	return 0, true
}

// program is a node, with sessions for keys, one that others post to, one that posts and
// one that watches the other nodes.
type program struct {
	Setup
	k     *kernel.Kernel
	node  *cluster.Node
	began sync.Map // when a session's last event was begun, by its ID
	quiet atomic.Bool
	talk  context.CancelFunc
	calls atomic.Int64
	out   sync.Mutex
}

func (p *program) run(setup string, directory func(json.RawMessage) (cluster.Directory, error)) error {
	if err := json.Unmarshal([]byte(setup), &p.Setup); err != nil {
		return err
	}
	d, err := directory(p.Directory)
	if err != nil {
		return err
	}
	secure, err := p.tls()
	if err != nil {
		return err
	}
	p.k = kernel.New(kernel.Config{Observer: &kernel.Observer{
		Began:   func(r kernel.Record) { p.began.Store(r.To, now()) },
		Dropped: p.dropped,
		Failed:  func(x *kernel.Exception) { fmt.Fprintln(os.Stderr, x) },
		Reported: func(c, cause string, err error) {
			p.note(Note{What: Reported, Text: fmt.Sprint(c, ", ", cause, ": ", err)})
		},
	}})
	if _, err := p.k.Spawn(receiver(p.sink), kernel.Alias("sink")); err != nil {
		return err
	}
	p.node, err = cluster.Join(p.k, cluster.Config{
		Name: p.Name, Listen: p.Listen, Advertise: p.Advertise, Directory: d, TLS: secure, Shards: p.Shards,
		Heartbeat: p.Heartbeat, LostAfter: p.LostAfter, CallTimeout: p.CallTimeout,
		Kinds: []cluster.Kind{{Name: kind, New: p.account}},
	})
	if err != nil {
		return err
	}
	if _, err := p.k.Spawn(receiver(newDriver(p).receive), kernel.Alias("driver")); err != nil {
		return err
	}
	if _, err := p.k.Spawn(receiver(newMonitors(p).receive), kernel.Alias("monitors")); err != nil {
		return err
	}
	p.note(Note{What: Joined, Text: p.node.Addr()})
	go p.obey()
	return p.k.Run(context.Background())
}

func (p *program) tls() (*tls.Config, error) {
	if p.CA == "" {
		return nil, nil
	}
	pair, err := tls.X509KeyPair([]byte(p.Cert), []byte(p.Key))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(p.CA))
	return &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: pool}, err
}

// note writes one line, in one piece, which no kill cuts.
func (p *program) note(n Note) {
	if n.At == 0 {
		n.At = now()
	}
	line, err := json.Marshal(n)
	if err != nil {
		panic(err)
	}
	p.out.Lock()
	defer p.out.Unlock()
	if _, err := os.Stdout.Write(append(line, '\n')); err != nil {
		os.Exit(2) // the test has ended
	}
}

func (p *program) dropped(r kernel.Record, why kernel.Reason) {
	if len(r.Args) == 3 {
		if id, ok := r.Args[0].(string); ok {
			p.note(Note{What: Lost, ID: id, To: string(r.To), Text: string(why)})
		}
	}
}

// obey does what the test says, line by line.
func (p *program) obey() {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		word, arg, _ := strings.Cut(in.Text(), " ")
		switch word {
		case "probe":
			for key := range p.Keys {
				go p.probe(arg, key)
			}
		case "work":
			_ = p.k.Post("driver", "work")
		case "quiet":
			p.quiet.Store(true)
			p.note(Note{What: Silenced})
		case "talk":
			var ctx context.Context
			ctx, p.talk = context.WithCancel(context.Background())
			go p.talkTo(ctx, kernel.Address("sink@"+arg))
		case "hush":
			p.talk()
		case "memory":
			var m runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&m)
			p.note(Note{What: Memory, N: int64(m.HeapInuse + m.StackInuse)})
		case "leave":
			ctx, cancel := context.WithTimeout(context.Background(), Late)
			err := p.node.Leave(ctx)
			cancel()
			p.note(Note{What: GoneOut, Text: text(err)})
			p.k.Stop()
		case "status":
			status, _ := json.MarshalIndent(p.node.Status(), "", " ")
			fmt.Fprintf(os.Stderr, "%s\n", status)
		}
	}
	os.Exit(2) // the test has ended
}

// patience is how long a caller waits for one answer before it asks again.
const patience = time.Second

// probe asks a key until it answers.
func (p *program) probe(number string, key int) {
	for {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		err := p.call(ctx, cluster.Place(kind, key), "probe "+number)
		cancel()
		if err == nil || errors.Is(err, cluster.ErrLeft) {
			return
		}
	}
}

// talkTo asks a session again and again.
func (p *program) talkTo(ctx context.Context, to kernel.Address) {
	for ctx.Err() == nil {
		_ = p.call(context.Background(), to, "talk")
	}
}

// call asks once, and notes what comes of it and how long that took.
func (p *program) call(ctx context.Context, to kernel.Address, why string) error {
	id := fmt.Sprintf("%s call %d", p.life(), p.calls.Add(1))
	begun := now()
	v, err := p.k.Call(ctx, to, "ask", id, p.life(), 0)
	n := Note{What: Answered, ID: id, To: string(to), From: why, N: now() - begun, Text: text(err)}
	switch {
	case err == nil && v != id:
		n.What, n.Text = Failed, fmt.Sprintf("the answer is %v", v)
	case err == nil:
	case errors.Is(err, kernel.ErrNoSession), errors.Is(err, cluster.ErrNotOwner),
		errors.Is(err, kernel.ErrNoNode) && !errors.Is(err, cluster.ErrUnknownOutcome):
		n.What = NotBegun
	default:
		n.What = Failed
	}
	p.note(n)
	return err
}

func (p *program) life() string { return fmt.Sprintf("%s/%d", p.Name, p.Life) }

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
