package wire

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The versions are in the header of the generated file.
var header = regexp.MustCompile(`(?m)^// \t(protoc-gen-go|protoc) +(v\S+)$`)

func TestGeneratedCodeIsCurrent(t *testing.T) {
	const name = "usherwire.pb.go"
	committed, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range header.FindAllSubmatch(committed, -1) {
		tool, version := string(m[1]), strings.TrimPrefix(string(m[2]), "v")
		out, err := exec.Command(tool, "--version").Output()
		if err != nil || len(out) == 0 {
			t.Skipf("cannot run %s (%v): install it to compare", tool, err)
		}
		// A newer protoc calls itself 25.1 and writes 4.25.1.
		words := strings.Fields(string(out))
		if installed := strings.TrimPrefix(words[len(words)-1], "v"); !strings.HasSuffix(version, installed) {
			t.Skipf("%s is %s and the committed file was made by %s: install that to compare", tool, installed, version)
		}
	}

	dir := t.TempDir()
	cmd := exec.Command("protoc", "-I", "../../..", "--go_out="+dir,
		"--go_opt=module=github.com/usher-go/usher", "wheel/filter/wire/usherwire.proto")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	fresh, err := os.ReadFile(filepath.Join(dir, "wheel/filter/wire", name))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(fresh, committed) {
		t.Errorf("%s differs from what protoc makes of usherwire.proto; run go generate in this folder", name)
	}
}
