package docs

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// letters are what porting.md writes for a value of a type.
var letters = map[string]string{"c": "kernel.Context", "k": "kernel.Kernel"}

var (
	backquoted = regexp.MustCompile("`[^`]+`")
	dotted     = regexp.MustCompile(`[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+`)
)

func porting(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("porting.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// TestPortingNamesExist finds every name of the form package.Name or
// package.Type.Member that porting.md has in backquotes.
func TestPortingNamesExist(t *testing.T) {
	known := names(t)
	seen := 0
	for _, span := range backquoted.FindAllString(porting(t), -1) {
		for _, name := range dotted.FindAllString(span, -1) {
			if first, rest, _ := strings.Cut(name, "."); letters[first] != "" {
				name = letters[first] + "." + rest
			}
			seen++
			if !known[name] {
				t.Errorf("porting.md speaks of %s, which does not exist", name)
			}
		}
	}
	if seen < 100 {
		t.Errorf("only %d names were found: the test looked in the wrong place", seen)
	}
}

// names lists what our packages declare, and the standard ones that the page uses.
func names(t *testing.T) map[string]bool {
	t.Helper()
	list := exec.Command("go", "list", "-f", `{{.Dir}} {{join .GoFiles " "}}`, "../...", "errors", "io", "net", "os", "os/exec")
	list.Env = append(os.Environ(), "GOOS=linux") // which has all of them
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	known := make(map[string]bool)
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		for _, file := range words[1:] {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(words[0], file), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range f.Decls {
				declare(known, f.Name.Name+".", d)
			}
		}
	}
	return known
}

func declare(known map[string]bool, pkg string, d ast.Decl) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv != nil {
			pkg += receiver(d.Recv.List[0].Type) + "."
		}
		known[pkg+d.Name.Name] = true
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.ValueSpec:
				for _, n := range s.Names {
					known[pkg+n.Name] = true
				}
			case *ast.TypeSpec:
				known[pkg+s.Name.Name] = true
				members(known, pkg+s.Name.Name+".", s.Type)
			}
		}
	}
}

func members(known map[string]bool, of string, t ast.Expr) {
	var list *ast.FieldList
	switch t := t.(type) {
	case *ast.StructType:
		list = t.Fields
	case *ast.InterfaceType:
		list = t.Methods
	default:
		return
	}
	for _, f := range list.List {
		for _, n := range f.Names {
			known[of+n.Name] = true
		}
	}
}

// receiver is the name of a method's type, without pointer and type parameters.
func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.IndexListExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}

// undecided are the behaviours where POE's manual and code disagree, or where its
// code is wrong, in what Usher has. Each is a decision that a porter looks up.
const undecided = `
K15 K53 K59 K62 K86 K104 K106 K115 K122 K144 K155
W6 W7 W8 W24 W26 W48 W59 W74 W84 W91
F6 F11 F24 F41 F49
C7 C17 C18 C34 C38
D11
A10 A12 A21 A22 A28 A30 A34 A36 A47 A54 A60 A67 A69 A76 A101 A102 A105 A106
P3 P5 P15 P20 P21 P31 P32 P33 P34 P45 P47 P57 P63 P67 P70 P72 P78 P79 P82 P86 P87
B2 B10 B12 B14 B25 B26 B27 B28`

// TestPortingHasEveryDecision reads the numbers in the first column.
func TestPortingHasEveryDecision(t *testing.T) {
	decided := make(map[string]bool)
	for line := range strings.Lines(porting(t)) {
		if cells := strings.Split(line, " | "); len(cells) > 1 {
			for _, n := range numbers(strings.TrimPrefix(cells[0], "| ")) {
				decided[n] = true
			}
		}
	}
	for _, n := range strings.Fields(undecided) {
		if !decided[n] {
			t.Errorf("porting.md does not say what became of %s", n)
		}
	}
}

var numbered = regexp.MustCompile(`([A-Z])(\d+)(?:–[A-Z](\d+))?`)

// numbers expands "K1, K4–K6".
func numbers(cell string) (all []string) {
	for _, m := range numbered.FindAllStringSubmatch(cell, -1) {
		first, _ := strconv.Atoi(m[2])
		last, err := strconv.Atoi(m[3])
		if err != nil {
			last = first
		}
		for i := first; i <= last; i++ {
			all = append(all, fmt.Sprint(m[1], i))
		}
	}
	return all
}
