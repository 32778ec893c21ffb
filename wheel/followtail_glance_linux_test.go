package wheel

import (
	"io"
	"os"
	"testing"
)

// One ReadAt is one pread(2): of /proc/self/smaps that is a part, and the rest of what
// is written meanwhile would be of another reading.
func TestW85_OneLookIsOneRead(t *testing.T) {
	file, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	buf := make([]byte, 1<<20)
	whole, err := file.ReadAt(buf, 0)
	if err != io.EOF {
		t.Fatal(err)
	}
	if n, err := (glances{file}).ReadAt(buf, 0); n == 0 || n >= whole || err != io.EOF {
		t.Errorf("%d bytes of %d, %v", n, whole, err)
	}
	if n, err := (glances{file}).ReadAt(buf[:7], 0); n != 7 || err != nil {
		t.Errorf("%d bytes of 7, %v", n, err)
	}
}
