package wheel

import "golang.org/x/sys/unix"

const (
	getTermios     = unix.TIOCGETA
	getTermiosName = "TIOCGETA"
)
