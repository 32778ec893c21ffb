//go:build !usherdebug

package kernel

// alwaysDebug: see Config.Debug.
const alwaysDebug = false
