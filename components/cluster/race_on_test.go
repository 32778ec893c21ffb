//go:build race

package cluster

// remotePackets is for tests that the race detector makes slow.
const remotePackets = 10_000

// Simulations is how many seeds a test of a simulated cluster takes.
const Simulations = 3
