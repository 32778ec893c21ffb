//go:build !linux

package etcd

func nodeProcess() (status int, ok bool) { return 0, false }
