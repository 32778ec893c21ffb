// Package mode gives every sample the flags that choose how its kernel runs, and
// nothing else: what a sample shows stands in its own folder.
package mode

import (
	"flag"
	"fmt"

	"github.com/usher-go/usher/kernel"
)

// FromFlags adds -mode and -seed to the flags of the program, parses all of them,
// and returns what they ask for: serial, which is POE's order, unless -mode says
// otherwise. A flag that cannot be read ends the program with status 2.
func FromFlags() kernel.Config {
	cfg := kernel.Config{Mode: kernel.Serial}
	flag.Func("mode", "serial, parallel or simulated (default serial)", func(name string) error {
		for _, m := range []kernel.Mode{kernel.Serial, kernel.Parallel, kernel.Simulated} {
			if m.String() == name {
				cfg.Mode = m
				return nil
			}
		}
		return fmt.Errorf("want serial, parallel or simulated")
	})
	flag.Uint64Var(&cfg.Seed, "seed", 0, "chooses the order of a simulated run")
	flag.Parse()
	return cfg
}
