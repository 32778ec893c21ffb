package main

import (
	"testing"

	"github.com/usher-go/usher/examples/poe/internal/poetest"
)

func TestMain(m *testing.M) { poetest.Main(m, main) }

// TestK21_K156_AsPOE: a watch holds its session; its handler gets the handle, the
// mode and what was given with it. How the lines of different sessions mix is up
// to the operating system.
func TestK21_K156_AsPOE(t *testing.T) { poetest.AsPOE(t, poetest.FirstWord) }

func TestOtherModes(t *testing.T) {
	poetest.OtherModes(t, poetest.AsGolden(poetest.FirstWord))
}
