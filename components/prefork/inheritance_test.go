package prefork

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestP52_InheritanceRoundTrip(t *testing.T) {
	for text, want := range map[string]inheritance{
		"2:web:0:1:1:3:4:5":              {name: "web", life: 1, generation: 1, control: 3, scoreboard: 4, stderr: 5, listeners: []int{}},
		"2:a.b-c_D:8191:77:12:9:8:5:7:6": {name: "a.b-c_D", slot: 8191, life: 77, generation: 12, control: 9, scoreboard: 8, stderr: 5, listeners: []int{7, 6}},
	} {
		got, err := parseInheritance(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %+v, %v; want %+v", text, got, err, want)
		}
		if s := want.String(); s != text {
			t.Errorf("%+v is written as %s, want %s", want, s, text)
		}
	}
}

func TestP52_BadInheritanceSaysWhatAndWhatToDo(t *testing.T) {
	for text, what := range map[string]string{
		"":                                     `version "", want 2,`,
		"yes":                                  `version "yes", want 2,`,
		"1:web:0:1:1:3:4:5":                    `version "1", want 2,`,
		"2":                                    "1 parts, want 8 to 136,",
		"2:web:0:1:1:3:4":                      "7 parts, want 8 to 136,",
		"2::0:1:1:3:4:5":                       `name ""`,
		"2:w eb:0:1:1:3:4:5":                   `name "w eb"`,
		"2:web:-1:1:1:3:4:5":                   `slot "-1"`,
		"2:web:8192:1:1:3:4:5":                 `slot "8192"`,
		"2:web:0:x:1:3:4:5":                    `life "x"`,
		"2:web:0:1:-1:3:4:5":                   `generation "-1"`,
		"2:web:0:1:4294967296:3:4:5":           `generation "4294967296"`,
		"2:web:0:1:1:+3:4:5":                   `descriptor "+3"`,
		"2:web:0:1:1:03:4:5":                   `descriptor "03"`,
		"2:web:0:1:1:2:4:5":                    `descriptor "2"`,
		"2:web:0:1:1:3:3:5":                    `descriptor "3"`,
		"2:web:0:1:1:3:4:5:":                   `descriptor ""`,
		"2:web:0:1:1:3:4:1048577":              `descriptor "1048577"`,
		"2:web:0:1:1:3:4:99999999999999999999": `descriptor "99999999999999999999"`,
		"2:web:0:1:1:3:4:5" + strings.Repeat(":6", 129):   "137 parts, want 8 to 136,",
		"2:web:0:1:1:3:4:5" + strings.Repeat(":66", 1400): "4217 bytes",
	} {
		_, err := parseInheritance(text)
		if !errors.Is(err, ErrInheritance) {
			t.Errorf("%.40s: %v, want ErrInheritance", text, err)
			continue
		}
		for _, want := range []string{": " + what + " in USHER_PREFORK=", "; unset that variable"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%.40s: %q does not contain %q", text, err, want)
			}
		}
		if len(err.Error()) > 400 {
			t.Errorf("%.40s: an error of %d bytes", text, len(err.Error()))
		}
	}
}

func FuzzParseInheritance(f *testing.F) {
	for _, s := range []string{"", "2:web:0:1:1:3:4:5", "2:web:7:18446744073709551615:2:3:4:5", "2:::::::", "2:a:0:0:1:3:4:5:6:7"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h, err := parseInheritance(s)
		if err != nil {
			if !errors.Is(err, ErrInheritance) {
				t.Fatalf("%v is not ErrInheritance", err)
			}
			if h.descriptors() != nil {
				t.Fatalf("refused, but names descriptors: %+v", h)
			}
			return
		}
		if h.String() != s {
			t.Fatalf("%q was read as %q", s, h)
		}
		for _, fd := range h.descriptors() {
			if fd < 3 || fd > maxDescriptor {
				t.Fatalf("%q names descriptor %d", s, fd)
			}
		}
	})
}
