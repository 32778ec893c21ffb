//go:build !linux

package etcd

import "syscall"

func dieWithParent() *syscall.SysProcAttr { return nil }
