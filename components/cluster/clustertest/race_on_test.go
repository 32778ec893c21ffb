//go:build race

package clustertest_test

// worlds is how many seeds are run; one goroutine runs all of a world.
const worlds = 40
