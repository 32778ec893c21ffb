//go:build !race

package cluster

const remotePackets = 50_000

// Simulations is how many seeds a test of a simulated cluster takes.
const Simulations = 10
