package main

import (
	"strings"
	"testing"

	"github.com/usher-go/usher/examples/poe/internal/poetest"
)

func TestMain(m *testing.M) { poetest.Main(m, main) }

// TestK27_K61_K76_K80_AsPOE: what is marked last stops first; handlers are looked up
// at dispatch, and come and go; arguments reach _start.
func TestK27_K61_K76_K80_AsPOE(t *testing.T) { poetest.AsPOE(t, poetest.Everyone) }

func TestOtherModes(t *testing.T) {
	poetest.OtherModes(t, poetest.AsGolden(func(line string) string {
		if strings.HasPrefix(line, "#1 parent: lose") {
			return ""
		}
		return poetest.FirstWord(line)
	}))
}
