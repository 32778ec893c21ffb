package wheel

import (
	"io"
	"os"
	"testing"
)

// After stop not even what was seen before is taken: it is somebody else's.
func TestW94_NothingIsReadAfterClose(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	raw, err := r.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	k, err := newFileKeys(raw, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, "ab"); err != nil {
		t.Fatal(err)
	}
	_ = w.Close()
	buf := make([]byte, 10)
	if n, err := k.read(buf); n != 1 || buf[0] != 'a' || err != nil {
		t.Errorf("read %q, %v", buf[:n], err)
	}
	k.wake()
	if n, err := k.read(buf); n != 0 || err != nil {
		t.Errorf("woken: read %q, %v", buf[:n], err)
	}
	k.stop()
	_ = raw.Control(func(fd uintptr) {
		if n, _, err := k.take(fd, buf); n != 0 || err != nil {
			t.Errorf("stopped: took %q, %v", buf[:n], err)
		}
	})
	k.close()
	if n, err := k.read(buf); n != 0 || err != nil {
		t.Errorf("closed: read %q, %v", buf[:n], err)
	}
	if rest, err := io.ReadAll(r); string(rest) != "b" || err != nil {
		t.Errorf("%q is left, %v", rest, err)
	}
}
