package keepalive

import (
	"errors"
	"strings"
	"testing"
)

func TestA18_ForFieldsDefaultToTheirFields(t *testing.T) {
	full := Key{"http", "proxy", 3128, "https", "example.com", 443, ""}
	for given, want := range map[Key]Key{
		{Scheme: "http", Addr: "proxy", Port: 3128}:                             {"http", "proxy", 3128, "http", "proxy", 3128, ""},
		{Scheme: "http", Addr: "proxy", Port: 3128, ForAddr: "example.com"}:     {"http", "proxy", 3128, "http", "example.com", 3128, ""},
		{Scheme: "http", Addr: "proxy", Port: 3128, ForPort: 1, ForScheme: "x"}: {"http", "proxy", 3128, "x", "proxy", 1, ""},
		{Scheme: "http", Addr: "/run/a"}:                                        {"http", "/run/a", 0, "http", "/run/a", 0, ""},
		full:                                                                    full,
	} {
		if got, err := given.complete(); err != nil || got != want {
			t.Errorf("%+v became %+v, %v; want %+v", given, got, err, want)
		}
	}
}

// A22: a port of 0 is missing in Go too, as it is no port to connect to.
func TestA21_MissingFieldsAreNamedInOrder(t *testing.T) {
	for _, c := range []struct {
		key  Key
		want string
	}{
		{Key{}, "Scheme is empty; want "},
		{Key{Scheme: "http"}, "Addr is empty; want "},
		{Key{Scheme: "http", Addr: "a"}, "Port is 0; want "},
		{Key{Scheme: "http", Addr: "a", Port: -1}, "Port is -1; want "},
		{Key{Scheme: "http", Addr: "a", Port: 65536}, "Port is 65536; want "},
		{Key{Scheme: "http", Addr: "a", Port: 80, ForPort: 65536}, "ForPort is 65536; want "},
		{Key{Scheme: "http", Addr: "a", Port: 80, ForPort: -1}, "ForPort is -1; want "},
		{Key{Scheme: "http", Addr: "/run/a", Port: 80}, "Port is 80; want 0 with the unix socket /run/a"},
		{Key{Scheme: "http", Addr: "run/a"}, "Port is 0; want "},
	} {
		if _, err := c.key.complete(); !errors.Is(err, ErrArgument) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: got %v; want ErrArgument: %s…", c.key, err, c.want)
		}
	}
}

func TestKeyString(t *testing.T) {
	for key, want := range map[Key]string{
		{Scheme: "http", Addr: "::1", Port: 80}:                               "http://[::1]:80",
		{Scheme: "http", Addr: "/run/a"}:                                      "http:///run/a",
		{"http", "@a", 0, "http", "b", 80, ""}:                                "http://@a for http://b:80",
		key("a"):                                                              "http://a:80",
		{"http", "proxy", 3128, "https", "example.com", 443, ""}:              "http://proxy:3128 for https://example.com:443",
		{Scheme: "http", Addr: "a", Port: 80, ForScheme: "https", ForPort: 1}: "http://a:80", // not complete
	} {
		if got := key.String(); got != want {
			t.Errorf("got %q; want %q", got, want)
		}
	}
}
