package main

import (
	"testing"

	"github.com/usher-go/usher/examples/poe/internal/poetest"
)

func TestMain(m *testing.M) { poetest.Main(m, main) }

// TestK3_K51_AsPOE: _start runs inside the constructor; events come in the order of
// posting.
func TestK3_K51_AsPOE(t *testing.T) { poetest.AsPOE(t, poetest.Everyone) }

func TestOtherModes(t *testing.T) {
	poetest.OtherModes(t, poetest.AsGolden(poetest.FirstWord))
}
