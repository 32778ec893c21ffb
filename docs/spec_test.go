package docs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// specLines is how many lines the behaviour list has in each chapter that the
// table of porting.md, part 4, answers.
var specLines = map[string]int{"K": 164, "N": 26, "W": 95, "F": 50, "C": 41, "D": 17, "A": 120, "H": 94, "P": 88, "B": 35, "R": 20}

// The classes of a line, as the table's third column has them.
const (
	holds     = "holds"      // in all modes
	serial    = "serial"     // in serial and simulated mode
	goWay     = "Go way"     // replaced by a Go way of doing it
	noMeaning = "no meaning" // in Go
)

// specLine is a row of the table.
type specLine struct {
	number, class, instead string
}

var specRow = regexp.MustCompile(`(?m)^\| ([KNWFCDAHPBR]\d+) \| ([^|]+) \| ([^|]+) \|([^|]*)\|$`)

func specTable(t *testing.T) (lines []specLine) {
	t.Helper()
	for _, m := range specRow.FindAllStringSubmatch(porting(t), -1) {
		lines = append(lines, specLine{m[1], strings.TrimSpace(m[3]), strings.TrimSpace(m[4])})
	}
	return lines
}

var (
	testName   = regexp.MustCompile(`(?m)^func ((?:Test|Fuzz|Example)\w+)\(`)
	testNumber = regexp.MustCompile(`_([KNWFCDAHPBR]\d+)|^Test([KNWFCDAHPBR]\d+)`)
)

// provers lists the tests that carry each number in their names.
func provers(t *testing.T) map[string][]string {
	t.Helper()
	tests := make(map[string][]string)
	for _, root := range []string{"../kernel", "../session", "../wheel", "../components/tcp", "../components/keepalive", "../components/httpclient", "../components/httpd", "../components/prefork", "../components/backend", "../examples"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, "_test.go") {
				return err
			}
			source, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, m := range testName.FindAllStringSubmatch(string(source), -1) {
				for _, n := range testNumber.FindAllStringSubmatch(m[1], -1) {
					number := n[1] + n[2]
					tests[number] = append(tests[number], m[1])
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return tests
}

// TestSpecLinesCovered: the table has every line once and in order, says what
// became of each, and a line that holds has a test of its number. What no test
// covers is listed with the reason.
func TestSpecLinesCovered(t *testing.T) {
	tests := provers(t)
	var want []string
	for _, chapter := range []string{"K", "N", "W", "F", "C", "D", "A", "H", "P", "B", "R"} {
		for i := range specLines[chapter] {
			want = append(want, fmt.Sprint(chapter, i+1))
		}
	}
	var have, uncovered []string
	covered, meaningful := 0, 0
	count := make(map[string]int)
	for _, l := range specTable(t) {
		have = append(have, l.number)
		count[l.class]++
		switch l.class {
		case holds, serial:
			if len(tests[l.number]) == 0 {
				t.Errorf("%s is said to hold (%s), and no test has it in its name", l.number, l.class)
			}
		case goWay:
			if l.instead == "" {
				t.Errorf("%s is replaced by a Go way; say by which", l.number)
			}
		case noMeaning:
			if l.instead == "" {
				t.Errorf("%s has no meaning in Go; say why", l.number)
			}
			continue
		default:
			t.Errorf("%s is of class %q; want %q, %q, %q or %q", l.number, l.class, holds, serial, goWay, noMeaning)
		}
		if l.class == holds && l.instead != "" {
			t.Errorf("%s holds, but: %s", l.number, l.instead)
		}
		meaningful++
		if len(tests[l.number]) > 0 {
			covered++
		} else {
			uncovered = append(uncovered, l.number+" "+l.class+": "+l.instead)
		}
	}
	if !slices.Equal(have, want) {
		t.Errorf("the table has the rows %v, want each of %v once and in order", have, want)
	}
	for number := range tests {
		if !slices.Contains(want, number) {
			t.Errorf("%v: there is no line %s", tests[number], number)
		}
	}
	t.Logf("spec lines covered: %d of %d (%d hold in all modes, %d in the serial modes, %d are done a Go way; %d more have no meaning in Go)",
		covered, meaningful, count[holds], count[serial], count[goWay], count[noMeaning])
	for _, u := range uncovered {
		t.Logf("not covered by a test: %s", u)
	}
}
