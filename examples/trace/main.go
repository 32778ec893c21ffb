// Trace shows a program from the inside. A customer orders two things at a shop,
// which asks its store by a call, and delivers by a timer; of one thing the store
// has none. A recorder looks on. Then the program prints what caused what, why the
// last parcel came, and writes two charts of it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/trace"
	"github.com/usher-go/usher/session"
)

const (
	Order   kernel.Event[string] = "order"
	Take    kernel.Event[string] = "take"
	Deliver kernel.Event[parcel] = "deliver"
	Parcel  kernel.Event[string] = "parcel"
	Sorry   kernel.Event[string] = "sorry"
)

type parcel struct {
	to    kernel.Address
	thing string
}

var errNone = errors.New("none left; order more")

// store gives away what it has.
func store(stock map[string]int) *session.Session {
	return session.New(session.On(Take, func(_ *kernel.Context, thing string) error {
		if stock[thing] == 0 {
			return errNone
		}
		stock[thing]--
		return nil
	}))
}

// shop takes orders and delivers on the next day.
func shop() *session.Session {
	return session.New(
		session.On(Order, func(c *kernel.Context, thing string) error {
			if _, err := Take.Call(c, "store", thing); err != nil {
				return Sorry.Post(c, c.Sender(), thing)
			}
			Deliver.DelayAdd(c, 24*time.Hour, parcel{c.Sender(), thing})
			return nil
		}),
		session.On(Deliver, func(c *kernel.Context, p parcel) error { return Parcel.Post(c, p.to, p.thing) }),
	)
}

// customer waits until everything has come, or is known not to.
func customer(rec *trace.Recorder, out io.Writer, things ...string) *session.Session {
	open := len(things)
	gone := func(c *kernel.Context) {
		if open--; open == 0 {
			c.Stop()
		}
	}
	return session.New(
		session.Handle("_start", func(c *kernel.Context) error {
			c.Lease("waiting")
			for _, thing := range things {
				if err := Order.Post(c, "shop", thing); err != nil {
					return err
				}
			}
			return nil
		}),
		session.On(Parcel, func(c *kernel.Context, thing string) error {
			fmt.Fprintf(out, "Why did the %s come?\n\n%s\n", thing, rec.Why(c.Seq()))
			gone(c)
			return nil
		}),
		session.On(Sorry, func(c *kernel.Context, thing string) error { gone(c); return nil }),
	)
}

func main() {
	dir := flag.String("dir", ".", "where to write the charts")
	flag.Parse()
	if err := run(os.Stdout, *dir); err != nil {
		log.Fatal(err)
	}
}

func run(out io.Writer, dir string) error {
	rec := trace.NewRecorder(0)
	k := kernel.New(kernel.Config{Mode: kernel.Simulated, Observer: rec.Observer()}) // a day in no time
	_, err1 := k.Spawn(store(map[string]int{"lamp": 1}), kernel.Alias("store"))
	_, err2 := k.Spawn(shop(), kernel.Alias("shop"))
	_, err3 := k.Spawn(customer(rec, out, "lamp", "chair"), kernel.Alias("customer"))
	if err := errors.Join(err1, err2, err3, k.Run(context.Background())); err != nil {
		return err
	}

	s := rec.Snapshot()
	fmt.Fprint(out, "What caused what:\n\n")
	if err := s.WriteTree(out); err != nil {
		return err
	}
	fmt.Fprint(out, "\nThe same is in trace.mmd, for mermaid.live, and in trace.json, for ui.perfetto.dev.\n")
	return errors.Join(
		chart(filepath.Join(dir, "trace.mmd"), s.WriteMermaid),
		chart(filepath.Join(dir, "trace.json"), s.WriteChrome))
}

func chart(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
