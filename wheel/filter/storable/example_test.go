package storable_test

import (
	"errors"
	"fmt"

	"github.com/usher-go/usher/wheel/filter/storable"
)

func Example() {
	frozen, err := storable.Marshal(map[string]any{"é": []int{1, 70000}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%q\n", frozen) // for Storable::thaw
	v, err := storable.Unmarshal(frozen)
	fmt.Printf("%#v %v\n", v, err)

	// What Storable::nfreeze made of [bless({n => 1.5}, "Point"), qr/x/]
	_, err = storable.Unmarshal([]byte("\x05\x0b\x02\x00\x00\x00\x02\x04\x11\x05Point\x03\x00\x00\x00\x01\x0a\x031.5\x00\x00\x00\x01n\x04\x11\x06Regexp\x20\x00\x01x\x00"))
	fmt.Println(err)
	fmt.Println(errors.Is(err, storable.ErrUnsupported))
	// Output:
	// "\x05\v\x19\x00\x00\x00\x00\x01\x04\x02\x00\x00\x00\x02\b\x81\t\x00\x01\x11p\x01\x00\x00\x00\x02é"
	// map[string]interface {}{"é":[]interface {}{1, 70000}} <nil>
	// storable: the value at byte 39 has no form in Go: it is a regular expression; send its text, "$regexp"
	// true
}
