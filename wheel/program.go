package wheel

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
)

// programVariable names, in the environment of a new process, the function that it
// was started for.
const programVariable = "USHER_PROGRAM"

// failedProgram is the exit status of a function that returned an error (W68).
const failedProgram = 255

// programs are the functions that can be run in a process of their own.
var programs = struct {
	sync.Mutex
	table map[string]func(args []string) error
	ready bool // RunPrograms was called
}{table: map[string]func([]string) error{}}

// Program registers f as a program, and returns its name for RunConfig.Func:
//
//	var counter = wheel.Program("counter", count)
//
//	func main() {
//		wheel.RunPrograms()
//		…
//
// It is for package-level variables and init functions; it panics after
// RunPrograms, for a name that is taken, for an empty name and for a nil function.
//
// The process is this program started anew, because Go cannot fork. It shares no
// memory with the one that started it; packages are initialised in it as always,
// then RunPrograms calls f with RunConfig.ProgramArgs. When f returns nil the exit
// status is 0; an error goes to the standard error and makes it 255; a panic is
// Go's, status 2, with the stack on the standard error (W68). Its standard streams
// are those of the Run; of other files it has RunConfig.ExtraFiles and no more (W76).
func Program(name string, f func(args []string) error) string {
	programs.Lock()
	defer programs.Unlock()
	switch {
	case name == "" || f == nil:
		panic(fmt.Sprintf("wheel: Program(%q): the name is empty or the function nil; give both", name))
	case programs.table[name] != nil:
		panic(fmt.Sprintf("wheel: Program(%q): the name is taken; choose another", name))
	case programs.ready:
		panic(fmt.Sprintf("wheel: Program(%q): RunPrograms was called before; register in a package-level variable or an init function", name))
	}
	programs.table[name] = f
	return name
}

// RunPrograms does nothing in a process that was started the usual way. In one that
// was started for a function it runs that and exits; it does not return. Call it
// first in main, and in TestMain where tests use such functions: whatever stands
// before it runs in those processes, too. NewRun refuses RunConfig.Func where it
// was not called.
func RunPrograms() {
	programs.Lock()
	programs.ready = true
	f := programs.table[summons.name]
	programs.Unlock()
	if !summons.here {
		return
	}
	if f == nil {
		fmt.Fprintf(os.Stderr, "wheel: program %q is not registered here; use the same binary\n", summons.name)
		os.Exit(failedProgram)
	}
	if err := f(slices.Clone(os.Args[1:])); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(failedProgram)
	}
	os.Exit(0)
}

// summons is what this process was started for. It is read while packages are
// initialised, and the variable is gone before anybody can start a process that
// would take itself for the function.
var summons = readSummons()

type summonsToProgram struct {
	here bool
	name string
}

func readSummons() (s summonsToProgram) {
	if s.name, s.here = os.LookupEnv(programVariable); !s.here {
		return s
	}
	os.Unsetenv(programVariable)
	if runtime.GOOS == "linux" {
		// Started through /proc/self/exe, the process would be listed as "exe"
		// (proc_pid_comm(5)). Without the right name it works as well.
		_ = os.WriteFile("/proc/self/comm", []byte(filepath.Base(s.name)), 0)
	}
	return s
}

// checkProgram finds out beforehand what would fail in the new process, or worse,
// have it run main.
func checkProgram(name string) error {
	programs.Lock()
	defer programs.Unlock()
	switch {
	case programs.table[name] == nil:
		return misconfigured("RunConfig.Func", "is %q, which is not registered; register it with wheel.Program", name)
	case !programs.ready:
		return misconfigured("RunConfig.Func", "is %q, but wheel.RunPrograms was not called; call it first in main, or in TestMain", name)
	}
	return nil
}

// programCommand is this program once more, named after the function.
func programCommand(name string, args []string, dir string, env []string) (*exec.Cmd, error) {
	exe, err := executable()
	if err != nil {
		return nil, err
	}
	cmd := &exec.Cmd{Path: exe, Args: append([]string{name}, args...), Dir: dir, Env: env}
	cmd.Env = append(cmd.Environ(), programVariable+"="+name)
	return cmd, nil
}

// executable is the program to run again. On Linux the link in /proc leads to the
// running program even after its file was replaced or removed.
func executable() (string, error) {
	if runtime.GOOS == "linux" {
		const self = "/proc/self/exe"
		if _, err := os.Stat(self); err == nil {
			return self, nil
		}
	}
	return os.Executable()
}
