// Package cluster lets an address reach a session on another machine.
package cluster
