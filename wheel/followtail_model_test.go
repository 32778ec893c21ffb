package wheel

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// modelGrace is how long a replaced file is read on in the model.
const modelGrace = 10 * time.Millisecond

// modelFile is a file whose bytes come in tokens that occur once in a model.
type modelFile struct {
	id    followID
	lives [][]byte // what was in it, a new slice after each truncation

	opened      int
	seen        bool      // it had the name during a look
	current     bool      // and that was when it had it last
	replaced    time.Time // when it lost the name that it was seen to have
	lastWritten time.Time
}

func (f *modelFile) data() []byte { return f.lives[len(f.lives)-1] }

func (f *modelFile) ReadAt(p []byte, at int64) (int, error) {
	if f.opened == 0 {
		return 0, fs.ErrClosed
	}
	if at >= int64(len(f.data())) {
		return 0, io.EOF
	}
	n := copy(p, f.data()[at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *modelFile) Close() error { f.opened--; return nil }

// modelFS is a file system with one name of interest, and all that ever had it.
type modelFS struct {
	rand  *rand.Rand
	now   time.Time
	named *modelFile // nil: there is nothing of that name
	files []*modelFile
	token uint64
}

func (m *modelFS) id() (followID, bool, error) {
	if m.named == nil {
		return followID{}, false, nil
	}
	m.named.seen, m.named.current = true, true
	return m.named.id, true, nil
}

func (m *modelFS) open() (*followed, bool, error) {
	if m.named == nil {
		return nil, false, nil
	}
	m.named.opened++
	return &followed{file: m.named, id: m.named.id}, true, nil
}

// write appends tokens. No two agree in their first bytes by more than chance.
func (m *modelFS) write(f *modelFile) {
	for range 1 + m.rand.IntN(60) {
		m.token++
		life := &f.lives[len(f.lives)-1]
		*life = binary.BigEndian.AppendUint64(*life, m.token*0x9E3779B97F4A7C15)
	}
	f.lastWritten = m.now
}

func (m *modelFS) name(f *modelFile) {
	if m.named != nil && m.named.current {
		m.named.replaced, m.named.current = m.now, false
	}
	m.named = f
}

func (m *modelFS) create() {
	f := &modelFile{id: followID{ino: uint64(len(m.files) + 1)}, lives: [][]byte{nil}}
	m.files = append(m.files, f)
	m.name(f)
}

// latePromise: what is written now to a file that was replaced will be delivered.
func (m *modelFS) latePromise(f *modelFile) bool {
	since := f.replaced
	if f.lastWritten.After(since) {
		since = f.lastWritten
	}
	return f != m.named && f.seen && m.now.Sub(since) < modelGrace
}

// act does something that programs do to logs.
func (m *modelFS) act(reading func(followID) bool) string {
	switch m.rand.IntN(12) {
	case 0, 1: // rename and create; or create where nothing was
		m.create()
		return "create"
	case 2:
		m.name(nil)
		return "unlink"
	case 3:
		if f := m.named; f != nil {
			f.lives = append(f.lives, nil)
			if m.rand.IntN(2) == 0 { // it grows again, perhaps past where it was
				m.write(f)
				m.write(f)
			}
			return "truncate"
		}
	case 4: // a link goes back to a file that is not done with yet
		for _, f := range m.files {
			if reading(f.id) && f != m.named {
				m.name(f)
				return fmt.Sprint("back to ", f.id.ino)
			}
		}
	case 5:
		for _, f := range slices.Backward(m.files) {
			if m.latePromise(f) {
				m.write(f)
				return fmt.Sprint("late write to ", f.id.ino)
			}
		}
	default:
		if m.named != nil {
			m.write(m.named)
			return "write"
		}
	}
	return ""
}

// chapter is what was delivered between two resets.
type chapter struct {
	file *modelFile
	life int
	at   int64
	data []byte
}

// TestW82_W83_W85_TrailModel plays random lives of a log to a trail, and then
// demands every byte that could be had: of each file that was seen, each once, in
// order, and one reset for each switch.
func TestW82_W83_W85_TrailModel(t *testing.T) {
	for seed := range uint64(1000) {
		m := &modelFS{rand: rand.New(rand.NewPCG(seed, 1)), now: time.Unix(0, 0)}
		if problem := playTrail(m); problem != "" {
			t.Fatalf("seed %d: %s", seed, problem)
		}
	}
}

func playTrail(m *modelFS) string {
	tr := &trail{place: m, grace: modelGrace}
	var book []chapter
	var story []string
	buf := make([]byte, readSize)
	look := func(room int) string {
		f, err := tr.step(m.now, buf, room)
		if err != nil {
			return err.Error()
		}
		switch {
		case f.reset != "":
			file := m.files[tr.cur.id.ino-1]
			book = append(book, chapter{file: file, life: len(file.lives) - 1, at: f.at})
			story = append(story, fmt.Sprintf("%s: file %d from %d", f.reset, file.id.ino, f.at))
		case f.n > 0:
			if len(book) == 0 {
				return "bytes before any file appeared"
			}
			c := &book[len(book)-1]
			if c.at == 0 && c.data == nil { // cut off before a byte was read: no reset
				c.life = len(c.file.lives) - 1
			}
			c.data = append(c.data, buf[:f.n]...)
		}
		return ""
	}
	reading := func(id followID) bool { return tr.known(id) != nil }
	for range 300 {
		m.now = m.now.Add(time.Duration(m.rand.IntN(3)) * time.Millisecond)
		if len(tr.next) < maxNext-1 {
			if did := m.act(reading); did != "" {
				story = append(story, did)
			}
		}
		for range m.rand.IntN(3) {
			room := 8 * m.rand.IntN(100)
			if m.rand.IntN(10) == 0 {
				room = -1
			}
			if problem := look(room); problem != "" {
				return problem
			}
		}
	}
	for silent := 0; silent < 5; silent++ { // until everything is read that is there
		m.now = m.now.Add(modelGrace / 2)
		before := len(lastOf(book)) + len(book)
		if problem := look(8000); problem != "" {
			return problem
		}
		if len(lastOf(book))+len(book) != before {
			silent = 0
		}
	}
	problem := m.check(book)
	if problem != "" {
		return fmt.Sprintf("%s; after %q", problem, story)
	}
	tr.close()
	for _, f := range m.files {
		if f.opened > 0 {
			return fmt.Sprintf("file %d was left open", f.id.ino)
		}
	}
	return ""
}

// lastOf is what the last chapter has.
func lastOf(book []chapter) []byte {
	if len(book) == 0 {
		return nil
	}
	return book[len(book)-1].data
}

// check compares what was delivered with what there was.
func (m *modelFS) check(book []chapter) string {
	type life struct {
		file *modelFile
		n    int
	}
	had := make(map[life]int64) // how much of it was delivered
	for i, c := range book {
		if i > 0 && book[i-1].file == c.file && book[i-1].life == c.life {
			return fmt.Sprintf("two resets for file %d, life %d", c.file.id.ino, c.life)
		}
		l := life{c.file, c.life}
		whole := c.file.lives[c.life]
		if c.at != had[l] {
			return fmt.Sprintf("file %d, life %d: read from %d, after %d bytes", c.file.id.ino, c.life, c.at, had[l])
		}
		if had[l] += int64(len(c.data)); had[l] > int64(len(whole)) || !bytes.Equal(c.data, whole[c.at:had[l]]) {
			return fmt.Sprintf("file %d, life %d: other bytes were delivered than were written", c.file.id.ino, c.life)
		}
	}
	for _, f := range m.files {
		if n := len(f.lives) - 1; f.seen && had[life{f, n}] != int64(len(f.data())) {
			return fmt.Sprintf("file %d: %d of %d bytes were delivered", f.id.ino, had[life{f, n}], len(f.data()))
		}
	}
	return ""
}
