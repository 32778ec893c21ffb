// Lostupdate finds a bug that depends on the order of events, and shows it again.
//
// Alice and Bob pay money into one account. Each asks the bank for the balance,
// adds, and tells the bank the sum. Each handler is right by itself, no memory is
// shared, and in the usual order all is well. But what a handler was told by
// another session is old as soon as anybody else may tell that session something:
// when both ask before either has told, one payment is lost.
//
// A simulated kernel runs the same handlers in an order that a seed chooses. A
// loop over seeds finds the bug, and the seed that it found shows it again, event
// by event. The cure: whoever owns the data reads and writes it in one event.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

const (
	Pay     kernel.Event[int]      = "pay"     // to a customer: pay in so much
	Count   kernel.Event[int]      = "count"   // to Bob, who counts his coins before he pays
	Balance kernel.Event[struct{}] = "balance" // to the bank, as a call: how much is it?
	Set     kernel.Event[int]      = "set"     // to the bank: it is so much now
	Add     kernel.Event[int]      = "add"     // to the bank: so much comes in
)

// bank owns the balance.
type bank struct{ balance int }

func (b *bank) session() *session.Session {
	return session.New(
		session.Handle(Balance, func(c *kernel.Context) error { c.Return(b.balance); return nil }),
		session.On(Set, func(_ *kernel.Context, n int) error { b.balance = n; return nil }),
		session.On(Add, func(_ *kernel.Context, n int) error { b.balance += n; return nil }),
	)
}

// payment is how a customer pays.
type payment func(c *kernel.Context, n int) error

// careless asks, adds, and tells. The answer may be old when the bank is told.
func careless(c *kernel.Context, n int) error {
	balance, err := Balance.Call(c, "bank", struct{}{})
	if err != nil {
		return err
	}
	return Set.Post(c, "bank", balance.(int)+n)
}

// careful leaves the sum to the bank: one event, and nothing can come between.
func careful(c *kernel.Context, n int) error { return Add.Post(c, "bank", n) }

func customer(pay payment) *session.Session {
	return session.New(
		session.On(Pay, pay),
		session.On(Count, func(c *kernel.Context, n int) error { return Pay.Yield(c, n) }),
	)
}

const (
	before, alices, bobs = 100, 10, 20
	right                = before + alices + bobs
)

// play has both customers pay, in the order of a kernel, and returns the balance
// and what happened.
func play(cfg kernel.Config, pay payment) (int, *story, error) {
	account := &bank{balance: before}
	story := newStory(account)
	cfg.Observer = story.observer()
	k := kernel.New(cfg)
	for _, s := range []struct {
		name string
		is   *session.Session
	}{
		{"bank", account.session()}, {"alice", customer(pay)}, {"bob", customer(pay)},
	} {
		at, err := k.Spawn(s.is, kernel.Alias(s.name))
		if err != nil {
			return 0, nil, err
		}
		story.name(at, s.name)
	}
	if err := errors.Join(Pay.PostFrom(k, "alice", alices), Count.PostFrom(k, "bob", bobs)); err != nil {
		return 0, nil, err
	}
	err := k.Run(context.Background())
	return account.balance, story, err
}

// simulated is the kernel for one seed.
func simulated(seed uint64) kernel.Config {
	return kernel.Config{Mode: kernel.Simulated, Seed: seed}
}

// search plays with one seed after the other until money is lost.
func search(pay payment, seeds uint64) (seed uint64, lost bool, err error) {
	for seed := range seeds {
		if balance, _, err := play(simulated(seed), pay); err != nil || balance != right {
			return seed, err == nil, err
		}
	}
	return 0, false, nil
}

const seeds = 100

func run(out io.Writer) error {
	say := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
	say("Alice pays in %d, Bob %d, and %d is there: it should become %d.\n", alices, bobs, before, right)

	balance, _, err := play(kernel.Config{Mode: kernel.Serial}, careless)
	if err != nil {
		return err
	}
	say("First in, first out, as an ordinary test runs it: %d.", balance)

	seed, lost, err := search(careless, seeds)
	if err != nil {
		return err
	}
	if !lost {
		return fmt.Errorf("no seed below %d loses an update; that cannot be", seeds)
	}
	balance, story, err := play(simulated(seed), careless)
	if err != nil {
		return err
	}
	say("In the order of seed %d: %d. Once more, event by event:\n\n%s", seed, balance, story)
	say("Both were told %d, so the second sum has overwritten the first.\n", before)

	seed, lost, err = search(careful, seeds)
	if err != nil {
		return err
	}
	if lost {
		return fmt.Errorf("seed %d loses an update although the bank adds by itself; that cannot be", seed)
	}
	say("When the bank adds by itself: %d, in the order of any of %d seeds.", right, seeds)
	return nil
}

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}
