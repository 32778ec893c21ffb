package wheel_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
	"github.com/usher-go/usher/wheel"
	"golang.org/x/sys/unix"
)

// unprivilegedProgram tries what only the privileged may, and prints what comes of
// it; then the niceness of two processes.
var unprivilegedProgram = wheel.Program("unprivileged", func([]string) error {
	k := kernel.New(kernel.Config{})
	for _, cfg := range []wheel.RunConfig{
		{Program: []string{"true"}, User: "0"},
		{Program: []string{"true"}, Group: "0"},
		{Program: []string{"true"}, Priority: -1},
	} {
		_, err := k.Spawn(session.New(session.Handle("_start", func(c *kernel.Context) error {
			_, err := wheel.NewRun(c, cfg)
			return err
		})))
		var e *wheel.Error
		ok := errors.As(err, &e) && e.Op == "start" && errors.Is(err, os.ErrPermission)
		fmt.Fprintln(os.Stderr, ok, err)
	}
	for _, priority := range []int{5, 0} { // the thread that took on 5 is not used again
		_, err := k.Spawn(session.New(session.Handle("_start", func(c *kernel.Context) error {
			_, err := wheel.NewRun(c, wheel.RunConfig{Program: []string{"nice"}, Priority: priority})
			return err
		})))
		if err != nil {
			return err
		}
		if err := k.Run(context.Background()); err != nil {
			return err
		}
	}
	return nil
})

func asRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("not root")
	}
}

func TestW70_UserAndGroup(t *testing.T) {
	asRoot(t)
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	daemon, err := user.LookupGroup("daemon")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ user, group, want string }{
		{"nobody", "", nobody.Uid + " " + nobody.Gid + " " + nobody.Gid},
		{nobody.Uid, "daemon", nobody.Uid + " " + daemon.Gid + " " + daemon.Gid},
		{"3999999999", "3999999998", "3999999999 3999999998 3999999998"},
		{"", "3999999998", "0 3999999998 3999999998"},
	} {
		p := newParent(t, wheel.RunConfig{Shell: "echo $(id -u) $(id -g) $(id -G)", User: c.user, Group: c.group})
		run(t, kernel.New(kernel.Config{Observer: strict(t)}), p.session())
		if !slices.Contains(p.log, "out "+c.want) {
			t.Errorf("user %q, group %q: %q, want %q", c.user, c.group, p.log, c.want)
		}
	}
}

// What the system refuses is the constructor's error, and names the field.
func TestW70_W59_RefusedIdentity(t *testing.T) {
	cfg := wheel.RunConfig{Func: unprivilegedProgram}
	if os.Getuid() == 0 {
		cfg.User, cfg.Group = "3999999999", "3999999999"
	}
	p := newParent(t, cfg)
	run(t, kernel.New(kernel.Config{Observer: strict(t)}), p.session())
	said := slices.DeleteFunc(slices.Clone(p.log), func(s string) bool { return !strings.HasPrefix(s, "err ") })
	if len(said) != 3 {
		t.Fatalf("%q", p.log)
	}
	for i, want := range []string{`RunConfig.User "0"`, `Group "0"`, "RunConfig.Priority -1"} {
		if !strings.HasPrefix(said[i], "err true ") || !strings.Contains(said[i], want) {
			t.Errorf("%s: %s", want, said[i])
		}
	}
	nice := slices.DeleteFunc(slices.Clone(p.log), func(s string) bool { return !strings.HasPrefix(s, "out ") })
	if want := []string{fmt.Sprint("out ", niceness(t)+5), fmt.Sprint("out ", niceness(t))}; !slices.Equal(nice, want) {
		t.Errorf("niceness %q, want %q", nice, want)
	}
}

func niceness(t *testing.T) int {
	raw, err := unix.Getpriority(unix.PRIO_PROCESS, os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "linux" {
		return 20 - raw // as the system call returns it
	}
	return raw
}

// The niceness is the process's and its children's, and stays out of this one.
func TestW70_Priority(t *testing.T) {
	before := niceness(t)
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := newParent(t, wheel.RunConfig{Shell: "nice; sh -c nice", Priority: 3})
		run(t, k, p.session())
		want := "out " + strconv.Itoa(before+3)
		p.wantSet("closed nil", want, want, "exit exit status 0", "read STDOUT EOF", "read STDERR EOF")
		p = newParent(t, wheel.RunConfig{Shell: "nice"})
		run(t, k, p.session())
		if want := "out " + strconv.Itoa(before); !slices.Contains(p.log, want) {
			t.Errorf("the next process: %q, want %q", p.log, want)
		}
	})
	if after := niceness(t); after != before {
		t.Errorf("niceness %d, %d before", after, before)
	}
}

// Handlers for signals do not get into the process; it dies of what this one catches.
func TestW69_DefaultSignals(t *testing.T) {
	caught := make(chan os.Signal, 1)
	notify(t, caught, syscall.SIGUSR1)
	inModes(t, func(t *testing.T, k *kernel.Kernel) {
		p := newParent(t, wheel.RunConfig{Shell: "kill -USR1 $$; sleep 1000"})
		run(t, k, p.session())
		p.wantSet("closed signal: user defined signal 1", "exit signal: user defined signal 1", "read STDOUT EOF", "read STDERR EOF")
	})
	if len(caught) > 0 {
		t.Error("the signal came here")
	}
}
