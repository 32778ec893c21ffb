package kernel

import (
	"fmt"
	"path"
	"reflect"
	"runtime"
	"strings"
)

// site is a line of somebody's program: where a session, a timer, a lease was
// made. Only kernels with Config.Debug note them; nil is unknown.
type site struct {
	file string
	line int
}

func (at *site) String() string {
	if at == nil {
		return ""
	}
	return fmt.Sprintf("%s:%d", short(at.file), at.line)
}

// short leaves of a file's path what tells it from others.
func short(file string) string { return path.Join(path.Base(path.Dir(file)), path.Base(file)) }

// made is for the end of a line in a report.
func (at *site) made() string {
	if at == nil {
		return ""
	}
	return ", made at " + at.String()
}

// site is where we were called from.
func (k *Kernel) site() *site {
	if k.debug == nil {
		return nil
	}
	_, at := caller()
	return at
}

// caller finds the innermost function on the stack that is not ours, and through
// which function or method of ours it came.
func caller() (method string, at *site) {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		switch {
		case ours[packageOf(f.Function)]:
			method = f.Function
		case f.Function != "" && packageOf(f.Function) != "runtime":
			return plain(method), &site{f.File, f.Line}
		}
		if !more {
			return plain(method), nil
		}
	}
}

// ours are the packages that make things on behalf of whoever called them.
var ours = func() map[string]bool {
	kernel := reflect.TypeFor[Kernel]().PkgPath()
	root := strings.TrimSuffix(kernel, "kernel")
	return map[string]bool{kernel: true, kernel + "/kerneltest": true, root + "session": true, root + "wheel": true}
}()

// packageOf cuts a function's name as the runtime has it: "example.org/a/b.(*T).M".
func packageOf(fn string) string {
	slash := strings.LastIndexByte(fn, '/') + 1
	dot := strings.IndexByte(fn[slash:], '.')
	if dot < 0 {
		return fn
	}
	return fn[:slash+dot]
}

var adornments = strings.NewReplacer("(*", "", ")", "", "[...]", "", "-fm", "")

// plain turns "example.org/a/b.(*T[...]).M" into "T.M".
func plain(fn string) string {
	return adornments.Replace(strings.TrimPrefix(strings.TrimPrefix(fn, packageOf(fn)), "."))
}
