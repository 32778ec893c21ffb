//go:build !unix

package kernel

import (
	"os"
	"os/signal"
)

// osSignals: elsewhere only the interrupt can be caught.
type osSignals struct{ stop func() }

func (o *osSignals) want(k *Kernel, name string) {
	if name != "INT" || k.cfg.Mode == Simulated {
		return
	}
	in, quit := make(chan os.Signal, 16), make(chan struct{})
	signal.Notify(in, os.Interrupt)
	o.stop = func() { signal.Stop(in); close(quit) }
	go func() {
		for {
			select {
			case <-in:
				k.signal(k.root, name, nil)
			case <-quit:
				return
			}
		}
	}()
}

func (o *osSignals) unwant(name string) {
	if name == "INT" && o.stop != nil {
		o.stop()
		o.stop = nil
	}
}
