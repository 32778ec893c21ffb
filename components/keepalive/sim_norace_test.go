//go:build !race

package keepalive

const simulatedSeeds = 200
