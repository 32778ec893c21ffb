package filter_test

import (
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
)

// Files, sockets and kernels are out of a filter's reach: its package does not
// import what opens them.
func TestF1_NoIOAndNoEvents(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		seen++
		parsed, err := parser.ParseFile(token.NewFileSet(), file.Name(), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			ours, isOurs := strings.CutPrefix(path, "github.com/usher-go/usher/")
			if slices.Contains([]string{"os", "net", "syscall"}, path) || isOurs && !strings.HasPrefix(ours, "wheel/filter/") {
				t.Errorf("%s imports %s", file.Name(), path)
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d files were read", seen)
	}
}

// POE's clone takes along what was detected or awaited; filters of one
// configuration share nothing.
func TestF6_FiltersOfOneConfigurationShareNoState(t *testing.T) {
	newLine := func() (*filter.LineFilter, error) { return filter.NewLine(filter.LineConfig{Autodetect: true}) }
	first, second := must(newLine()), must(newLine())
	first.Feed([]byte("a\rb"))
	wantOutcome(t, outcome(first, quoted), quoted("a"))
	second.Feed([]byte("c\nd\r\n"))
	wantOutcome(t, outcome(second, quoted), quoted("c"), quoted("d\r"))

	config := filter.BlockConfig{LengthCodec: filter.Varint}
	awaiting, fresh := newBlock(t, config), newBlock(t, config)
	awaiting.Feed([]byte("\x05ab"))
	wantOutcome(t, outcome(awaiting, quotedBytes))
	fresh.Feed([]byte("\x01c"))
	wantOutcome(t, outcome(fresh, quotedBytes), quoted("c"))
}
