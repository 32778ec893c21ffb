//go:build race

package httpd_test

// mostIdle stays below the 8128 goroutines that the race detector can follow.
const mostIdle = 5000
