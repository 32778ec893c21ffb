package wheel

import (
	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/wheel/filter"
)

// fill sets defaults and refuses what cannot work or asks for two things at once.
func (cfg *RunConfig) fill() error {
	for _, f := range []func() error{
		cfg.checkCommand, cfg.fillLimits, cfg.fillStreams, cfg.checkConduit, cfg.checkRedirects,
	} {
		if err := f(); err != nil {
			return err
		}
	}
	return nil
}

func (cfg *RunConfig) checkCommand() error {
	program := len(cfg.Program) > 0
	switch {
	case !program && cfg.Shell == "" && cfg.Func == "":
		return misconfigured("RunConfig.Program", "is empty; set it, or Shell, or Func")
	case program && cfg.Shell != "":
		return misconfigured("RunConfig.Shell", "is set beside Program %q; set one of them", cfg.Program)
	case cfg.Func != "" && (program || cfg.Shell != ""):
		return misconfigured("RunConfig.Func", "is %q beside Program or Shell; set one of them", cfg.Func)
	case program && cfg.Program[0] == "":
		return misconfigured("RunConfig.Program", "begins with an empty name; put the program there")
	case cfg.Func != "":
		return checkProgram(cfg.Func)
	}
	return nil
}

func (cfg *RunConfig) fillLimits() error {
	if err := fillLimit("RunConfig.Credit", &cfg.Credit, defaultCredit); err != nil {
		return err
	}
	return fillLimit("RunConfig.MaxOutput", &cfg.MaxOutput, defaultMaxOutput)
}

func (cfg *RunConfig) fillStreams() (err error) {
	if cfg.StdinFilter == nil {
		if cfg.StdinFilter, err = newlines(); err != nil {
			return err
		}
	}
	if err := fillOutput("RunConfig.Stdout", &cfg.Stdout, cfg.StdoutFilter, cfg.StdoutEvent); err != nil {
		return err
	}
	return fillOutput("RunConfig.Stderr", &cfg.Stderr, cfg.StderrFilter, cfg.StderrEvent)
}

// fillOutput brings the simple form of an output into the general one.
func fillOutput(field string, o *Output, f filter.Filter[string, string], event kernel.Event[string]) (err error) {
	switch {
	case o.set() && (event != "" || f != nil):
		return misconfigured(field, "is set beside %sEvent or %[1]sFilter; set it alone", field)
	case o.set():
		return o.check(field)
	case event == "":
		return nil
	case f == nil:
		if f, err = newlines(); err != nil {
			return err
		}
	}
	*o = Decode(f, event)
	return nil
}

func newlines() (filter.Filter[string, string], error) {
	return filter.NewLine(filter.LineConfig{InputLiteral: "\n", OutputLiteral: "\n"})
}

func (cfg *RunConfig) checkRedirects() error {
	for field, r := range cfg.redirects() {
		if r.Name != "" && r.File != nil {
			return misconfigured(field, "has Name %q and a File; set one of them", r.Name)
		}
	}
	both := cfg.RedirectOutput.set()
	switch {
	case both && (cfg.RedirectStdout.set() || cfg.RedirectStderr.set()):
		return misconfigured("RunConfig.RedirectOutput", "is set beside RedirectStdout or RedirectStderr; set it alone, or both of them")
	case cfg.Stdout.set() && (both || cfg.RedirectStdout.set()):
		return misconfigured("RunConfig.StdoutEvent", "or Stdout is set beside a redirect of that output; set one of them")
	case cfg.Stderr.set() && (both || cfg.RedirectStderr.set()):
		return misconfigured("RunConfig.StderrEvent", "or Stderr is set beside a redirect of that output; set one of them")
	case cfg.RedirectStdin.set() && cfg.StdinEvent != "":
		return misconfigured("RunConfig.StdinEvent", "is set beside RedirectStdin; set one of them")
	case cfg.RedirectStdin.set() && cfg.NoStdin:
		return misconfigured("RunConfig.NoStdin", "is set beside RedirectStdin; set one of them")
	}
	return nil
}

func (cfg *RunConfig) redirects() map[string]Redirect {
	return map[string]Redirect{
		"RunConfig.RedirectStdin":  cfg.RedirectStdin,
		"RunConfig.RedirectStdout": cfg.RedirectStdout,
		"RunConfig.RedirectStderr": cfg.RedirectStderr,
		"RunConfig.RedirectOutput": cfg.RedirectOutput,
	}
}

func (cfg *RunConfig) checkConduit() error {
	switch cfg.Conduit {
	case "":
		cfg.Conduit = ConduitPipe
	case ConduitPipe, ConduitPTY, ConduitPTYPipe:
	default:
		return misconfigured("RunConfig.Conduit", "is %q; want %q, %q or %q", cfg.Conduit, ConduitPipe, ConduitPTY, ConduitPTYPipe)
	}
	if !cfg.Conduit.terminal() {
		switch {
		case cfg.Winsize != Winsize{}:
			return misconfigured("RunConfig.Winsize", "is set, but there is no terminal; set Conduit to %q", ConduitPTY)
		case cfg.Cooked:
			return misconfigured("RunConfig.Cooked", "is set, but there is no terminal; set Conduit to %q", ConduitPTY)
		}
		return nil
	}
	for field, r := range cfg.redirects() {
		if r.set() {
			return misconfigured(field, "is set beside a terminal; drop it, or set Conduit to %q", ConduitPipe)
		}
	}
	switch {
	case cfg.NoStdin:
		return misconfigured("RunConfig.NoStdin", "is set, but a terminal is input, too; drop it, or set Conduit to %q", ConduitPipe)
	case !cfg.Stdout.set():
		return misconfigured("RunConfig.StdoutEvent", "is empty, and nobody else reads the terminal; set it, or Stdout")
	case cfg.Conduit == ConduitPTY && cfg.Stderr.set():
		return misconfigured("RunConfig.StderrEvent", "or Stderr is set, but a terminal has one output; drop it, or set Conduit to %q", ConduitPTYPipe)
	}
	return nil
}
