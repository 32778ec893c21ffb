package prefork

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestP52_InheritanceRoundTrip(t *testing.T) {
	for text, want := range map[string]inheritance{
		"1:web:0:1:3:4":             {name: "web", generation: 1, control: 3, scoreboard: 4, listeners: []int{}},
		"1:a.b-c_D:4095:77:9:8:7:6": {name: "a.b-c_D", slot: 4095, generation: 77, control: 9, scoreboard: 8, listeners: []int{7, 6}},
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
		"":                                   `version "", want 1,`,
		"yes":                                `version "yes", want 1,`,
		"2:web:0:1:3:4":                      `version "2", want 1,`,
		"1":                                  "1 parts, want 6 to 134,",
		"1:web:0:1:3":                        "5 parts, want 6 to 134,",
		"1::0:1:3:4":                         `name ""`,
		"1:w eb:0:1:3:4":                     `name "w eb"`,
		"1:web:-1:1:3:4":                     `slot "-1"`,
		"1:web:4096:1:3:4":                   `slot "4096"`,
		"1:web:0:x:3:4":                      `generation "x"`,
		"1:web:0:1:+3:4":                     `descriptor "+3"`,
		"1:web:0:1:03:4":                     `descriptor "03"`,
		"1:web:0:1:2:4":                      `descriptor "2"`,
		"1:web:0:1:3:3":                      `descriptor "3"`,
		"1:web:0:1:3:4:5:":                   `descriptor ""`,
		"1:web:0:1:3:4:1048577":              `descriptor "1048577"`,
		"1:web:0:1:3:4:99999999999999999999": `descriptor "99999999999999999999"`,
		"1:web:0:1:3:4" + strings.Repeat(":5", 129):   "135 parts, want 6 to 134,",
		"1:web:0:1:3:4" + strings.Repeat(":55", 1400): "4213 bytes",
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
	for _, s := range []string{"", "1:web:0:1:3:4", "1:web:7:18446744073709551615:3:4:5", "1:::::", "1:a:0:0:3:4:5:6:7"} {
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
