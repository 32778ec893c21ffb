//go:build !unix

package kernel

import "os"

// osNames: elsewhere only the interrupt can be caught.
var osNames = map[string]os.Signal{"INT": os.Interrupt}
