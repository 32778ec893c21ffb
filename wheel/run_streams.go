package wheel

import (
	"fmt"
	"os"
)

// plumbing is where a process's descriptors 0, 1 and 2 lead.
type plumbing struct {
	theirs   [3]*os.File // nil: nowhere
	ours     [3]*os.File // the other end, nil if we have none
	terminal *os.File    // ours[0] and ours[1], if it is one
	passing  []*os.File  // of theirs, what is to be closed when the process has it
}

// lay makes what the configuration asks for. The pipes are ours and not those of
// exec.Cmd, whose Wait closes them whether they were read or not.
func lay(cfg *RunConfig) (p plumbing, err error) {
	defer func() {
		if err != nil {
			p.abandon()
		}
	}()
	if cfg.Conduit.terminal() {
		if err := p.layTerminal(cfg); err != nil {
			return p, err
		}
	}
	if cfg.RedirectOutput.set() {
		f, err := p.open(cfg.RedirectOutput, os.Create)
		if err != nil {
			return p, err
		}
		p.theirs[1], p.theirs[2] = f, f
	}
	if err := p.layInput(cfg); err != nil {
		return p, err
	}
	if err := p.layOutput(1, "Stdout", cfg.Stdout.set(), cfg.RedirectStdout, os.Stdout); err != nil {
		return p, err
	}
	return p, p.layOutput(2, "Stderr", cfg.Stderr.set(), cfg.RedirectStderr, os.Stderr)
}

func (p *plumbing) layTerminal(cfg *RunConfig) error {
	master, slave, err := openTerminal(cfg.Winsize, cfg.Cooked)
	if err != nil {
		return fmt.Errorf("RunConfig.Conduit %q: %w; mount devpts, or use %q", cfg.Conduit, err, ConduitPipe)
	}
	p.terminal = master
	p.ours[0], p.ours[1] = master, master
	p.theirs[0], p.theirs[1] = slave, slave
	if cfg.Conduit == ConduitPTY {
		p.theirs[2] = slave
	}
	p.passing = append(p.passing, slave)
	return nil
}

func (p *plumbing) layInput(cfg *RunConfig) (err error) {
	switch {
	case p.theirs[0] != nil || cfg.NoStdin:
		return nil
	case cfg.RedirectStdin.set():
		p.theirs[0], err = p.open(cfg.RedirectStdin, os.Open)
		return err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	p.theirs[0], p.ours[0] = read, write
	p.passing = append(p.passing, read)
	return nil
}

func (p *plumbing) layOutput(fd int, name string, wanted bool, to Redirect, inherited *os.File) (err error) {
	switch {
	case p.theirs[fd] != nil:
		return nil
	case to.set():
		p.theirs[fd], err = p.open(to, os.Create)
		return err
	case !wanted:
		// Without a descriptor, the first file that the process opens would get
		// its output (W77).
		if _, err := inherited.Stat(); err != nil {
			return fmt.Errorf("os.%s, which it would inherit: %w; set RunConfig.%[1]sEvent, or Redirect%[1]s to os.DevNull", name, err)
		}
		p.theirs[fd] = inherited
		return nil
	}
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	p.theirs[fd], p.ours[fd] = write, read
	p.passing = append(p.passing, write)
	return nil
}

func (p *plumbing) open(to Redirect, open func(string) (*os.File, error)) (*os.File, error) {
	if to.File != nil {
		return to.File, nil
	}
	f, err := open(to.Name)
	if err != nil {
		return nil, err
	}
	p.passing = append(p.passing, f)
	return f, nil
}

// passed closes what the process has by now.
func (p *plumbing) passed() {
	for _, f := range p.passing {
		_ = f.Close()
	}
}

// abandon closes everything; twice does no harm.
func (p *plumbing) abandon() {
	p.passed()
	for _, f := range p.ours {
		if f != nil {
			_ = f.Close()
		}
	}
}
