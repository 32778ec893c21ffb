// Chat is a room in which everybody hears what anybody says.
//
//	go run ./examples/chat -addr 127.0.0.1:7778
//	nc 127.0.0.1 7778
//
// The room is a session that owns all there is to know: who is there, under which
// name. It gets what happens on the connections as events (tcp.Events), whose
// sender is the session of the connection, and answers by sending to that. So the
// members need no lock, and one who does not read, or is rude, harms nobody else.
//
// Interrupted, the room says goodbye to everybody and closes; interrupted again, it
// is gone at once.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"

	"github.com/usher-go/usher/components/tcp"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel/filter"
)

// What the room is told.
const (
	Joined kernel.Event[*client] = "joined"
	Said   kernel.Event[string]  = "said"
	Left   kernel.Event[*client] = "left"
)

type client = tcp.Conn[string, string]

func main() {
	addr := flag.String("addr", "127.0.0.1:7778", "where to listen")
	flag.Parse()
	k := kernel.New(kernel.Config{})
	server, err := open(k, *addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("the room is at", server.Addr())
	if err := k.Run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

// open makes the room and the server that brings people in.
func open(k *kernel.Kernel, addr string) (*tcp.Server, error) {
	r := &room{members: map[kernel.Address]*member{}}
	at, err := k.Spawn(session.New(
		session.Handle("_start", r.start),
		session.Handle("interrupted", r.interrupted),
		session.On(Joined, r.joined),
		session.On(Said, r.said),
		session.On(Left, r.left),
	), kernel.Alias("room"))
	if err != nil {
		return nil, err
	}
	return tcp.NewServer(k, tcp.ServerConfig[string, string]{
		Address: addr,
		Alias:   "door",
		Filter:  shortLines,
		Events:  tcp.Events[string, string]{Owner: at, Connected: Joined, Input: Said, Disconnected: Left},
		Limits:  tcp.Limits{MaxOutput: 64 << 10}, // of one who does not read
	})
}

// shortLines reads lines that fit on a screen; who sends a longer one is shown out.
func shortLines() filter.Filter[string, string] {
	f, err := filter.NewLine(filter.LineConfig{MaxLength: 1000})
	if err != nil {
		panic(err) // the numbers above contradict each other
	}
	return f
}
