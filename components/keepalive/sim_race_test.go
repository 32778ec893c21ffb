//go:build race

package keepalive

// simulatedSeeds is less under the race detector, which finds nothing in a kernel
// that runs on one goroutine.
const simulatedSeeds = 20
