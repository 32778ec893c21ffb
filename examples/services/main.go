// Services are three programs that find each other by name: orders asks stock to
// reserve something, stock has billing write the bill, and billing tells orders that
// it is paid. In the middle is a backend server, which knows who is there and passes
// messages on; the display shows it at work. Half-way stock is killed with SIGKILL:
// it goes and comes back, and what was lost with it is asked for again.
//
//	orders ──reserve──▶ stock ──bill──▶ billing
//	   ◀───────────────paid───────────────┘
//
//	go run ./examples/services
//	go run ./examples/services -duration 1m -http 127.0.0.1:8080
//	go run ./examples/services | cat
//
// Each service is a process of its own. It ends with a summary; exit status 0 says
// that every order was paid, once.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/usher-go/usher/components/backend"
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
)

func main() {
	wheel.RunPrograms() // in the processes of the services it does not return
	duration := flag.Duration("duration", 8*time.Second, "how long orders are made, at least 1s")
	page := flag.String("http", "", "where to show the status page, such as 127.0.0.1:8080")
	flag.Parse()
	if *duration < time.Second {
		fmt.Fprintf(os.Stderr, "services: -duration is %v; want 1s or more\n", *duration)
		os.Exit(2)
	}
	if err := run(*duration, *page); err != nil {
		fmt.Fprintln(os.Stderr, "services:", err)
		os.Exit(1)
	}
}

func run(duration time.Duration, page string) error {
	k := kernel.New(kernel.Config{})
	t := &town{duration: duration, programs: map[kernel.WheelID]*process{}}
	at, err := k.Spawn(session.New(
		session.Handle("_start", t.start),
		session.On(Open, t.open),
		session.On(Report, t.report),
		session.On(Exited, t.exited),
		session.Handle("kill", t.kill),
		session.Handle("again", t.again),
		session.Handle("finish", t.finish),
		session.Handle("late", t.late),
		session.Handle("interrupted", t.interrupted),
	), kernel.Alias("town"))
	if err != nil {
		return err
	}
	if t.server, err = backend.NewServer(k, backend.ServerConfig{Commands: map[string]kernel.Address{Report.Name(): at}}); err != nil {
		return err
	}
	if t.display, err = t.server.Display(backend.DisplayConfig{}); err != nil {
		return err
	}
	if page != "" {
		l, err := net.Listen("tcp", page)
		if err != nil {
			return err
		}
		defer l.Close()
		go func() {
			_ = http.Serve(l, backend.StatusHandler(k, backend.StatusConfig{Servers: []*backend.Server{t.server}}))
		}()
		_ = t.display.Say(fmt.Sprintf("the status page is http://%v/?refresh=2", l.Addr()))
	}
	if err := Open.PostFrom(k, at, struct{}{}); err != nil {
		return err
	}
	if err := k.Run(context.Background()); err != nil {
		return err
	}
	fmt.Println(t.summary())
	return errors.Join(t.troubles...)
}
