// Package poe has no code of its own: see the programs in its folders.
package poe

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var row = regexp.MustCompile("(?m)^\\| \\[(\\w+)\\]\\((\\w+)/main\\.go\\) \\|.*\\| (\\w+)\\.perl \\| `(.*)` \\|$")

// TestReadme: the table has every program, once, and each prints the line it says.
func TestReadme(t *testing.T) {
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, m := range row.FindAllStringSubmatch(string(page), -1) {
		name, line := m[1], m[4]
		if m[2] != name || m[3] != name {
			t.Errorf("the row of %s links to %s and names %s.perl", name, m[2], m[3])
		}
		listed = append(listed, name)
		golden, err := os.ReadFile(filepath.Join(name, "testdata", name+".golden"))
		if err != nil {
			t.Error(err)
		} else if !slices.Contains(strings.Split(string(golden), "\n"), line) {
			t.Errorf("%s does not print %q", name, line)
		}
	}
	mains, err := filepath.Glob("*/main.go")
	if err != nil {
		t.Fatal(err)
	}
	var there []string
	for _, m := range mains {
		there = append(there, filepath.Dir(m))
	}
	slices.Sort(listed)
	if !slices.Equal(listed, there) {
		t.Errorf("the table has %v, the folder %v", listed, there)
	}
}
