//go:build !race

package clustertest_test

// worlds is how many seeds are run.
const worlds = 200
