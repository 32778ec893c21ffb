package kerneltest_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/kernel/kerneltest"
)

// A kernel made with Strict's configuration fails the test as New's does, but for
// what is alive; and keeps its own seed.
func TestStrict(t *testing.T) {
	t.Setenv("USHER_SEED", "17")
	r := &recorder{TB: t}
	told := false
	cfg := kerneltest.Strict(r, kerneltest.Seed(3), kerneltest.Config(kernel.Config{Observer: &kernel.Observer{
		Reported: func(string, string, error) { told = true },
	}}))
	if cfg.Seed != 3 || cfg.Mode != kernel.Simulated || !cfg.Debug {
		t.Errorf("seed %d, mode %v, debug %v; want 3, simulated, true", cfg.Seed, cfg.Mode, cfg.Debug)
	}
	k := kernel.New(cfg)
	k.Report("pool", "lost", errors.New("boom"))
	if _, err := k.Spawn(handlers{"_start": func(c *kernel.Context) error { return c.AliasSet("alive") }}); err != nil {
		t.Fatal(err)
	}
	r.finish()
	if len(r.errors) != 1 || !strings.Contains(r.errors[0], "pool reports: lost: boom") || !told {
		t.Errorf("errors %q, the observer was told: %v; want the report alone", r.errors, told)
	}
}
