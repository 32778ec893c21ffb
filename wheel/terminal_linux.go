package wheel

import "golang.org/x/sys/unix"

const (
	getTermios     = unix.TCGETS
	getTermiosName = "TCGETS"
)
