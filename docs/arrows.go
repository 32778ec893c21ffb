// Package docs holds what is written about Usher and the tests that keep it
// true: which way imports point, and that what README.md shows is what runs.
package docs

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

const module = "github.com/usher-go/usher/"

// arrows says what each package may import of ours, by the first pattern that
// matches it; "*" stands for one path element. Imports point down the list only.
var arrows = []struct {
	pkg  string
	uses []string
}{
	{"kernel", nil},
	{"kernel/kerneltest", []string{"kernel"}},
	{"kernel/trace", []string{"kernel"}},
	{"session", []string{"kernel"}},
	{"wheel/filter/wire", nil},
	{"wheel/filter/storable", nil},
	{"wheel/filter", []string{"wheel/filter/storable"}},
	{"wheel/filter/filtertest", []string{"wheel/filter"}},
	{"wheel", []string{"kernel", "wheel/filter"}},
	{"wheel/wheeltest", []string{"kernel", "wheel", "wheel/filter"}},
	{"components/internal/gate", nil},
	{"components/internal/socketfile", nil},
	{"components/internal/words", nil},
	{"components/internal/statuspage", []string{"components/internal/words"}},
	{"components/prefork", []string{"kernel", "session", "wheel", "wheel/filter", "wheel/filter/*", "components/internal/gate", "components/internal/socketfile"}},
	{"components/httpd", []string{"kernel", "session", "wheel", "wheel/filter", "components/prefork", "components/internal/gate", "components/internal/statuspage"}},
	{"components/httpclient", []string{"kernel", "session", "wheel", "wheel/filter", "components/keepalive"}},
	{"components/cluster/wire", nil},
	{"components/cluster", []string{"kernel", "session", "wheel", "wheel/filter", "components/cluster/wire", "components/internal/statuspage"}},
	{"components/cluster/clustertest", []string{"kernel", "kernel/kerneltest", "wheel", "wheel/wheeltest", "components/cluster", "components/cluster/wire"}},
	{"components/cluster/internal/realtest", []string{"kernel", "session", "components/cluster"}},
	{"components/cluster/etcd", []string{"kernel", "session", "components/cluster"}},
	{"components/backend", []string{"kernel", "session", "wheel", "wheel/filter", "wheel/filter/*", "components/internal/statuspage", "components/internal/words", "components/internal/socketfile"}},
	{"components/*", []string{"kernel", "session", "wheel", "wheel/filter", "wheel/filter/*"}},
	{"examples/poe/internal/*", []string{"kernel"}},
	{"examples/poe/*", []string{"kernel", "session", "wheel", "wheel/filter", "wheel/filter/*", "components/*", "examples/poe/internal/*"}},
	{"examples/*", []string{"kernel", "kernel/trace", "session", "wheel", "wheel/filter", "wheel/filter/*", "components/*", "components/cluster/*"}},
	{"examples/*/*", []string{"kernel", "kernel/trace", "session", "wheel", "wheel/filter", "wheel/filter/*", "components/*"}},
	{"bench", []string{"kernel", "kernel/trace", "session", "wheel", "wheel/filter", "wheel/filter/*", "components/*", "components/cluster/*"}},
	{"docs", nil},
}

// checkArrow reports an import that points the wrong way.
func checkArrow(pkg, imported string) error {
	pkg, ours := strings.CutPrefix(pkg, module)
	imported, theirs := strings.CutPrefix(imported, module)
	if !ours || !theirs {
		return nil
	}
	for _, a := range arrows {
		if !matches(a.pkg, pkg) {
			continue
		}
		if slices.ContainsFunc(a.uses, func(p string) bool { return matches(p, imported) }) {
			return nil
		}
		return fmt.Errorf("%s imports %s, but may only import %v; move the code, or draw the arrow in docs/arrows.go", pkg, imported, a.uses)
	}
	return fmt.Errorf("%s has no place among the packages; give it one in docs/arrows.go", pkg)
}

func matches(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}
