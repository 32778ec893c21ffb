package keepalive

import (
	"fmt"
	"path"
	"reflect"
	"runtime"
	"strings"

	"github.com/usher-go/usher/kernel"
	"github.com/usher-go/usher/session"
)

// site is who called the pool, as the runtime notes it.
type site [16]uintptr

func here() *site {
	var s site
	runtime.Callers(2, s[:])
	return &s
}

// String is the line of the innermost function that is neither the pool's nor of
// the packages below it.
func (s *site) String() string {
	frames := runtime.CallersFrames(s[:])
	for {
		f, more := frames.Next()
		if f.Function != "" && !ours[packageOf(f.Function)] {
			return fmt.Sprintf("%s:%d", path.Join(path.Base(path.Dir(f.File)), path.Base(f.File)), f.Line)
		}
		if !more {
			return "an unknown place"
		}
	}
}

var ours = map[string]bool{
	"runtime":                                    true,
	reflect.TypeFor[Pool]().PkgPath():            true,
	reflect.TypeFor[kernel.Kernel]().PkgPath():   true,
	reflect.TypeFor[session.Session]().PkgPath(): true,
}

// packageOf cuts a function's name as the runtime has it: "example.org/a/b.(*T).M".
func packageOf(fn string) string {
	slash := strings.LastIndexByte(fn, '/') + 1
	dot := strings.IndexByte(fn[slash:], '.')
	if dot < 0 {
		return fn
	}
	return fn[:slash+dot]
}
