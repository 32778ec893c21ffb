package wheel_test

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"github.com/usher-go/usher/wheel/filter"
)

// What cannot work, or asks for two things at once, is refused by name.
func TestW58_W71_RunConfigIsChecked(t *testing.T) {
	cat := func(change func(*wheel.RunConfig)) wheel.RunConfig {
		cfg := wheel.RunConfig{Program: []string{"cat"}}
		change(&cfg)
		return cfg
	}
	terminal := func(change func(*wheel.RunConfig)) wheel.RunConfig {
		return cat(func(c *wheel.RunConfig) {
			c.Conduit, c.StdoutEvent = wheel.ConduitPTY, gotOut
			change(c)
		})
	}
	file := wheel.Redirect{Name: os.DevNull}
	for _, c := range []struct {
		field string
		cfg   wheel.RunConfig
	}{
		{"Program", wheel.RunConfig{}},
		{"Program", wheel.RunConfig{Program: []string{""}}},
		{"Shell", wheel.RunConfig{Program: []string{"cat"}, Shell: "cat"}},
		{"Func", wheel.RunConfig{Program: []string{"cat"}, Func: catProgram}},
		{"Func", wheel.RunConfig{Shell: "cat", Func: catProgram}},
		{"Credit", cat(func(c *wheel.RunConfig) { c.Credit = -1 })},
		{"MaxOutput", cat(func(c *wheel.RunConfig) { c.MaxOutput = -1 })},
		{"Stdout", cat(func(c *wheel.RunConfig) {
			c.StdoutEvent, c.Stdout = gotOut, wheel.Decode(filter.Stream(), gotBytes)
		})},
		{"Stderr", cat(func(c *wheel.RunConfig) { c.Stderr = wheel.Decode(filter.Stream(), "") })},
		{"Stderr", cat(func(c *wheel.RunConfig) { c.Stderr = wheel.Decode[string, string](nil, gotErr) })},

		{"RedirectStdin", cat(func(c *wheel.RunConfig) { c.RedirectStdin = wheel.Redirect{Name: "x", File: os.Stdin} })},
		{"StdinEvent", cat(func(c *wheel.RunConfig) { c.RedirectStdin, c.StdinEvent = file, sentStdin })},
		{"NoStdin", cat(func(c *wheel.RunConfig) { c.RedirectStdin, c.NoStdin = file, true })},
		{"StdoutEvent", cat(func(c *wheel.RunConfig) { c.RedirectStdout, c.StdoutEvent = file, gotOut })},
		{"StdoutEvent", cat(func(c *wheel.RunConfig) { c.RedirectOutput, c.StdoutEvent = file, gotOut })},
		{"StderrEvent", cat(func(c *wheel.RunConfig) { c.RedirectStderr, c.StderrEvent = file, gotErr })},
		{"StderrEvent", cat(func(c *wheel.RunConfig) { c.RedirectOutput, c.StderrEvent = file, gotErr })},
		{"RedirectOutput", cat(func(c *wheel.RunConfig) { c.RedirectOutput, c.RedirectStderr = file, file })},

		{"Conduit", cat(func(c *wheel.RunConfig) { c.Conduit = "socketpair" })},
		{"Winsize", cat(func(c *wheel.RunConfig) { c.Winsize.Rows = 24 })},
		{"Cooked", cat(func(c *wheel.RunConfig) { c.Cooked = true })},
		{"StdoutEvent", terminal(func(c *wheel.RunConfig) { c.StdoutEvent = "" })},
		{"StderrEvent", terminal(func(c *wheel.RunConfig) { c.StderrEvent = gotErr })},
		{"NoStdin", terminal(func(c *wheel.RunConfig) { c.NoStdin = true })},
		{"RedirectStdin", terminal(func(c *wheel.RunConfig) { c.RedirectStdin = file })},
		{"RedirectStderr", terminal(func(c *wheel.RunConfig) { c.RedirectStderr = file })},
		{"RedirectOutput", terminal(func(c *wheel.RunConfig) { c.RedirectOutput = file })},

		{"User", cat(func(c *wheel.RunConfig) { c.User = "no such user" })},
		{"User", cat(func(c *wheel.RunConfig) { c.User = "3999999999" })}, // whose group?
		{"User", cat(func(c *wheel.RunConfig) { c.User, c.Group = "4294967295", "1" })},
		{"Group", cat(func(c *wheel.RunConfig) { c.Group = "no such group" })},
		{"User", cat(func(c *wheel.RunConfig) {
			c.Group, c.SysProcAttr = "1", &syscall.SysProcAttr{Credential: &syscall.Credential{}}
		})},
	} {
		inModes(t, func(t *testing.T, k *kernel.Kernel) {
			_, err := k.Spawn(session.New(session.Handle("_start", func(ctx *kernel.Context) error {
				_, err := wheel.NewRun(ctx, c.cfg)
				return err
			})))
			if !errors.Is(err, wheel.ErrConfig) || !strings.Contains(err.Error(), "RunConfig."+c.field+" ") {
				t.Errorf("%s: %v", c.field, err)
			}
		})
	}
}
