package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestItShowsWhatHappened(t *testing.T) {
	dir := t.TempDir()
	var out bytes.Buffer
	if err := run(&out, dir); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`Why did the lamp come?

parcel → #3 (customer), posted by #2 (shop)
because deliver → #2 (shop), timer
because order → #2 (shop), posted by #3 (customer)
because _start → #3 (customer)
`,
		`
       +0s  _start → #3 (customer)
       +0s    order → #2 (shop), posted by #3 (customer)
       +0s      take → #1 (store), called by #2 (shop)
  +24h0m0s      deliver → #2 (shop), timer
  +24h0m0s        parcel → #3 (customer), posted by #2 (shop)
  +24h0m0s          #3 (customer) stops: Context.Stop
  +24h0m0s          _stop → #3 (customer)
       +0s    order → #2 (shop), posted by #3 (customer)
       +0s      take → #1 (store), called by #2 (shop), failed: none left; order more
       +0s      sorry → #3 (customer), posted by #2 (shop)
`,
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it lacks\n%s\nin\n%s", want, out.String())
		}
	}

	chart, err := os.ReadFile(filepath.Join(dir, "trace.mmd"))
	if err != nil || !strings.HasPrefix(string(chart), "sequenceDiagram\n") || !strings.Contains(string(chart), "s2->>s1: take\n") {
		t.Errorf("trace.mmd: %v\n%s", err, chart)
	}
	text, err := os.ReadFile(filepath.Join(dir, "trace.json"))
	var all struct{ TraceEvents []map[string]any }
	if err != nil || json.Unmarshal(text, &all) != nil || len(all.TraceEvents) < 20 {
		t.Errorf("trace.json: %v, %d events", err, len(all.TraceEvents))
	}
}

func TestADirectoryThatIsNotThere(t *testing.T) {
	if err := run(&bytes.Buffer{}, filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("no error, and no charts")
	}
}
