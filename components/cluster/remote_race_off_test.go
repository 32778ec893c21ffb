//go:build !race

package cluster

const remotePackets = 50_000
