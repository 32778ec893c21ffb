package docs

import (
	"os/exec"
	"strings"
	"testing"
)

// TestImportsPointDown walks the real imports of every package.
func TestImportsPointDown(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", `{{$p := .ImportPath}}{{range .Imports}}{{$p}} {{.}}{{"\n"}}{{end}}`, "../...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		pkg, imported, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			continue
		}
		if strings.HasPrefix(pkg, module) && strings.HasPrefix(imported, module) {
			seen++
		}
		if err := checkArrow(pkg, imported); err != nil {
			t.Error(err)
		}
	}
	if seen == 0 {
		t.Fatal("no import of ours was seen: the test looked in the wrong place")
	}
}

// TestTurnedArrowFails turns every arrow that the design allows round.
func TestTurnedArrowFails(t *testing.T) {
	for _, a := range arrows {
		for _, u := range a.uses {
			from, to := module+strings.ReplaceAll(a.pkg, "*", "x"), module+strings.ReplaceAll(u, "*", "x")
			if from == to {
				continue
			}
			if err := checkArrow(from, to); err != nil {
				t.Errorf("%s → %s is allowed and was refused: %v", a.pkg, u, err)
			}
			if checkArrow(to, from) == nil {
				t.Errorf("%s → %s, turned round, passed", u, a.pkg)
			}
		}
	}
	for _, bad := range [][2]string{{"kernel", "session"}, {"wheel", "session"}, {"wheel/filter", "kernel"}, {"components/tcp", "components/backend"}, {"nowhere", "kernel"}} {
		if checkArrow(module+bad[0], module+bad[1]) == nil {
			t.Errorf("%s → %s passed", bad[0], bad[1])
		}
	}
}
