package main

import (
	"testing"

	"github.com/usher-go/usher/examples/poe/internal/poetest"
)

func TestMain(m *testing.M) { poetest.Main(m, main) }

// TestK61_AsPOE: what is queued meets the handlers there are when it is dispatched.
func TestK61_AsPOE(t *testing.T) { poetest.AsPOE(t, poetest.Everyone) }

func TestOtherModes(t *testing.T) {
	poetest.OtherModes(t, poetest.AsGolden(poetest.FirstWord))
}
