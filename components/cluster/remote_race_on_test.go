//go:build race

package cluster

// remotePackets is for tests that the race detector makes slow.
const remotePackets = 10_000
