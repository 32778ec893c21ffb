package kernel

import (
	"os"
	"os/signal"
)

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
	in, quit := make(chan os.Signal, 16), make(chan struct{})
	signal.Notify(in, sig)
	if o.stop == nil {
		o.stop = make(map[string]func())
	}
	o.stop[name] = func() { signal.Stop(in); close(quit) }
	go func() {
		for {
			select {
			case <-in:
				k.signal(k.root, name, nil, 0)
			case <-quit:
				return
			}
		}
	}()
}

func (o *osSignals) unwant(name string) {
	if stop := o.stop[name]; stop != nil {
		delete(o.stop, name)
		stop()
	}
}
