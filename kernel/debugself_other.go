//go:build !linux

package kernel

func pin() uint64 { return goroutineID() }

func unpin() {}

func self() uint64 { return goroutineID() }
