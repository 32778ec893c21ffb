//go:build unix

package kernel

import (
	"os"
	"syscall"
)

// osNames are the signals that a process can catch, by POE's names for them.
var osNames = map[string]os.Signal{
	"HUP": syscall.SIGHUP, "INT": syscall.SIGINT, "QUIT": syscall.SIGQUIT, "TERM": syscall.SIGTERM,
	"USR1": syscall.SIGUSR1, "USR2": syscall.SIGUSR2, "ALRM": syscall.SIGALRM, "PIPE": syscall.SIGPIPE,
	"CONT": syscall.SIGCONT, "TSTP": syscall.SIGTSTP, "TTIN": syscall.SIGTTIN, "TTOU": syscall.SIGTTOU,
	"WINCH": syscall.SIGWINCH, "CHLD": syscall.SIGCHLD, "IO": syscall.SIGIO, "VTALRM": syscall.SIGVTALRM,
}
