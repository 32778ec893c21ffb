package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func clusterPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("cluster.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// clusterBlocks are the code blocks of cluster.md, with the file that the text before
// names.
func clusterBlocks(t *testing.T) []fenced {
	t.Helper()
	return blocksOf(clusterPage(t))
}

// TestClusterCode finds each Go block of cluster.md in the file that the text before it
// names. Those files are compiled, and run, by the tests of their packages.
func TestClusterCode(t *testing.T) {
	seen := 0
	for _, b := range clusterBlocks(t) {
		if b.lang != "go" {
			continue
		}
		seen++
		file, err := os.ReadFile(filepath.Join("..", b.file))
		if b.file == "" || err != nil {
			t.Errorf("a Go block that is from no file (%q, %v):\n%s", b.file, err, b.text)
			continue
		}
		for part := range strings.SplitSeq(b.text, "\n// …\n") { // what is left out
			if !strings.Contains(flush(string(file)), flush(part)) {
				t.Errorf("%s does not have\n%s", b.file, part)
			}
		}
	}
	if seen < 6 {
		t.Errorf("%d Go blocks were found", seen)
	}
}

// flush takes the indentation away.
func flush(code string) string {
	lines := strings.Split(strings.Trim(code, "\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimLeft(l, "\t")
	}
	return strings.Join(lines, "\n") + "\n"
}

// TestClusterNamesExist finds every name of ours that cluster.md has in backquotes.
func TestClusterNamesExist(t *testing.T) {
	known := names(t)
	for _, file := range parsed(t, "../components/cluster/etcd") { // a module of its own
		for _, d := range file.Decls {
			declare(known, "etcd.", d)
		}
	}
	seen := 0
	for _, span := range backquoted.FindAllString(fence.ReplaceAllString(clusterPage(t), ""), -1) {
		if strings.Contains(span, "$") || strings.Contains(span, "/") || strings.Contains(span, "::") {
			continue // Perl, or a path
		}
		for _, name := range dotted.FindAllString(span, -1) {
			if first, rest, _ := strings.Cut(name, "."); letters[first] != "" {
				name = letters[first] + "." + rest
			}
			if strings.HasPrefix(name, "tls.") {
				continue
			}
			seen++
			if !known[name] {
				t.Errorf("cluster.md speaks of %s, which does not exist", name)
			}
		}
	}
	if seen < 50 {
		t.Errorf("only %d names were found: the test looked in the wrong place", seen)
	}
}

// TestClusterDefaults finds what the table of bounds says to be a default in what the
// field's comment says.
func TestClusterDefaults(t *testing.T) {
	comments := map[string]string{}
	for pkg, dir := range map[string]string{"cluster": "../components/cluster", "etcd": "../components/cluster/etcd"} {
		for _, file := range parsed(t, dir) {
			ast.Inspect(file, func(n ast.Node) bool {
				s, ok := n.(*ast.TypeSpec)
				if !ok || s.Name.Name != "Config" {
					return true
				}
				said := ""
				for _, f := range s.Type.(*ast.StructType).Fields.List {
					if f.Doc != nil { // else it is that of the field before
						said = strings.Join(strings.Fields(f.Doc.Text()), " ")
					}
					for _, name := range f.Names {
						comments[pkg+".Config."+name.Name] = said
					}
				}
				return false
			})
		}
	}
	rows := regexp.MustCompile("(?m)^\\| `((?:cluster|etcd)\\.Config\\.\\w+)` \\| ([^|]+) \\|").FindAllStringSubmatch(clusterPage(t), -1)
	for _, row := range rows {
		if name, value := row[1], row[2]; !strings.Contains(comments[name], value) {
			t.Errorf("cluster.md: %s is %s by default; its comment: %s", name, value, comments[name])
		}
	}
	if len(rows) < 9 {
		t.Errorf("%d defaults were found", len(rows))
	}
}

// TestClusterReports finds the causes that cluster.md lists in the code.
func TestClusterReports(t *testing.T) {
	var code strings.Builder
	files, err := filepath.Glob("../components/cluster/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		code.Write(text)
	}
	rows := regexp.MustCompile("(?m)^\\| report \\| `([^`]+)` \\|").FindAllStringSubmatch(clusterPage(t), -1)
	for _, row := range rows {
		if !strings.Contains(code.String(), `"`+row[1]+`"`) {
			t.Errorf("nothing is reported as %q", row[1])
		}
	}
	if len(rows) < 5 {
		t.Errorf("%d causes were found", len(rows))
	}
}

// parsed are the files of a package, without its tests.
func parsed(t *testing.T, dir string) (files []*ast.File) {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(list) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	for _, name := range list {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	return files
}
