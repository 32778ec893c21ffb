package httpd

import (
	"errors"
	"net/http"
	"testing"

	"github.com/usher-go/usher/kernel"
)

func TestH4_AddressesThatAreNone(t *testing.T) {
	for _, text := range []string{
		"", "x", "127.0.0.1:80", "tcp://127.0.0.1", "tcp://127.0.0.1:", "tcp://127.0.0.1:65536", "tcp://127.0.0.1:http",
		"tcp://127.0.0.1:80/", "tcp://127.0.0.1:80?mode=0660", "tcp://u@h:80", "tcp://h:80#f", "udp://127.0.0.1:80",
		"unix://run/x", "unix:///", "unix://", "unix:///x?mode=", "unix:///x?mode=0", "unix:///x?mode=9", "unix:///x?mode=01000",
		"unix:///x?other=1", "tcp://%zz:80",
	} {
		cfg := Config{Handler: http.NotFoundHandler(), Listen: []string{text}}
		if _, err := New(kernel.New(kernel.Config{}), cfg); !errors.Is(err, ErrConfig) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
