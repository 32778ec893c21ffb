package filter_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"reflect"
	"testing"

	"github.com/usher-go/usher/wheel/filter"
	"github.com/usher-go/usher/wheel/filter/storable"
)

// needsPerl skips unless perl and its modules are there.
func needsPerl(t *testing.T, modules ...string) string {
	t.Helper()
	path, err := exec.LookPath("perl")
	if err != nil {
		t.Skip("needs perl in the path, to talk to")
	}
	for _, m := range modules {
		if out, err := exec.Command(path, "-M"+m, "-e1").CombinedOutput(); err != nil {
			t.Skipf("needs the Perl module %s: %.100s", m, out)
		}
	}
	return path
}

// Records go through POE's own filter, which takes them from the stream, and
// back through the same, each beside what Perl saw.
func TestF28_F29_TalksToPOEFilterReference(t *testing.T) {
	type record struct {
		sent, back any
		seen       string // by testdata/canon.pl: text is in hex
	}
	common := []record{
		{[]any{}, []any{}, "[]"},
		{map[string]any{"ab": "cd"}, map[string]any{"ab": "cd"}, "{6162:s6364}"},
		{[]any{nil, "é☺", "plain"}, []any{nil, "é☺", "plain"}, "[u,sc3a9e298ba,s706c61696e]"},
		{map[string]any{"é": []any{}}, map[string]any{"é": []any{}}, "{c3a9:[]}"},
	}
	for serializer, tt := range map[string]struct {
		c       filter.ReferenceConfig
		records []record
	}{
		"storable": {filter.ReferenceConfig{}, append(common,
			record{[]any{7, -70000, 1 << 40, 1.5}, []any{int64(7), int64(-70000), "1099511627776", "1.5"}, "[s37,s2d3730303030,s31303939353131363237373736,s312e35]"},
			record{[]any{[]byte{0, 0xff}}, []any{[]byte{0, 0xff}}, "[s00c3bf]"},
			record{refPoint{1, 2}, map[string]any{"X": int64(1), "Y": int64(2)}, "{58:s31,59:s32}"},
			record{storable.Blessed{Class: "No::Such", Value: []int{1}}, storable.Blessed{Class: "No::Such", Value: []any{int64(1)}}, "No::Such=[s31]"},
		)},
		"json": {filter.ReferenceConfig{Serializer: filter.JSON()}, append(common,
			record{[]any{7, 1.5}, []any{7.0, 1.5}, "[s37,s312e35]"},
			record{refPoint{1, 2}, map[string]any{"X": 1.0, "Y": 2.0}, "{58:s31,59:s32}"},
		)},
	} {
		for _, compression := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s compression=%v", serializer, compression), func(t *testing.T) {
				perl := needsPerl(t, "POE::Filter::Reference", "JSON::PP")
				arg := "0"
				if tt.c.Compression = compression; compression {
					needsPerl(t, "Compress::Zlib")
					arg = "1"
				}
				f := newReference(t, tt.c)
				var sent, stderr bytes.Buffer
				for _, r := range tt.records {
					wire, err := f.Append(nil, r.sent)
					if err != nil {
						t.Fatal(err)
					}
					sent.Write(wire)
				}
				cmd := exec.CommandContext(t.Context(), perl, "testdata/reference.pl", arg, serializer)
				cmd.Stdin, cmd.Stderr = &sent, &stderr
				got, err := cmd.Output()
				if err != nil || stderr.Len() > 0 {
					t.Fatalf("perl: %v %s", err, &stderr)
				}
				f.Feed(got)
				for i, r := range tt.records {
					rec, ok, err := f.Next()
					if want := []any{r.seen, r.back}; !ok || !reflect.DeepEqual(rec, want) {
						t.Errorf("record %d comes back as %#v, %v; want %#v", i, rec, err, want)
					}
				}
				if p := f.Pending(); p != nil {
					t.Errorf("%q is left", p)
				}
			})
		}
	}
}
