//go:build !race

package httpd_test

const mostIdle = 10_000
