package kernel

import (
	"os"
	"os/signal"
)

// maxWaiting signals of one kind wait while one is on its way through the tree;
// the system may send more, and faster, than handlers take (K121).
const maxWaiting = 16

// osSignals turns the operating system's signals into kernel signals while
// somebody watches them; otherwise the process keeps its default behaviour.
type osSignals struct {
	stop map[string]func()
}

// want is called under signals' lock.
func (o *osSignals) want(k *Kernel, name string) {
	sig, ok := osNames[name]
	if !ok || k.cfg.Mode == Simulated {
		return
	}
	in, quit := make(chan os.Signal, maxWaiting), make(chan struct{})
	signal.Notify(in, sig)
	if o.stop == nil {
		o.stop = make(map[string]func())
	}
	o.stop[name] = func() { signal.Stop(in); close(quit) }
	go k.catch(name, in, quit)
}

// catch sends caught signals on, one at a time, until nobody watches them. Those
// that are left then were caught, too, and must not be lost; but they are not for
// another Run.
func (k *Kernel) catch(name string, in <-chan os.Signal, quit <-chan struct{}) {
	for {
		select {
		case <-in:
			told := make(chan struct{})
			k.walk(&walk{k: k, name: name, global: true, target: k.root, over: told}, nil)
			select {
			case <-told:
				continue
			case <-quit:
			}
		case <-quit:
		}
		if run := k.runs.Load(); len(in) > 0 {
			k.walk(&walk{k: k, name: name, global: true, target: k.root}, func() bool { return k.runs.Load() != run })
		}
		return
	}
}

func (o *osSignals) unwant(name string) {
	if stop := o.stop[name]; stop != nil {
		delete(o.stop, name)
		stop()
	}
}
