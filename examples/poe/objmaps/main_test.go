package main

import (
	"testing"

	"github.com/usher-go/usher/examples/poe/internal/poetest"
)

func TestMain(m *testing.M) { poetest.Main(m, main) }

// TestK51_AsPOE: events of five sessions come in the order of posting.
func TestK51_AsPOE(t *testing.T) { poetest.AsPOE(t, poetest.Everyone) }

func TestOtherModes(t *testing.T) {
	poetest.OtherModes(t, poetest.AsGolden(poetest.FirstWord))
}
