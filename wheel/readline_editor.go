package wheel

import (
	"errors"
	"io"
	"slices"
	"sync"

	"golang.org/x/term"
)

// editor reads lines with golang.org/x/term's Terminal. That wants to read and to
// write: Read gives it keys, Write queues what it shows, so that its lock is never
// held for long, and the owner may use it beside the goroutine that reads.
//
// However a line ends, the Terminal is given Enter, because only that leaves it
// with an empty line: it would draw any other one again, a password even in clear.
type editor struct {
	r *ReadLine

	mu      sync.Mutex
	term    *term.Terminal // the Get's goroutine may replace it
	prompt  string         // the one to show
	reading *reading

	// The Get's goroutine's.
	shown   string // prompt
	keys    keyParser
	unread  []byte
	ready   string // keys
	verdict error  // the line is to end so
	mark    string // and this is shown then
}

var (
	_ lineReader    = (*editor)(nil)
	_ io.ReadWriter = (*editor)(nil)
)

// errReprompt has ReadLine begin again, which shows the prompt.
var errReprompt = errors.New("wheel: another prompt")

func newEditor(r *ReadLine) *editor {
	e := &editor{r: r}
	e.renew("")
	return e
}

// renew takes another Terminal after Control-D, which the old one would return for
// ever. What is shown by the old one stays.
func (e *editor) renew(mark string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, _ = e.Write([]byte(mark))
	e.term = term.NewTerminal(e, "")
	if e.r.cfg.CompleteEvent != "" {
		e.term.AutoCompleteCallback = e.complete
	}
}

func (e *editor) readLine(g *reading) (string, error) {
	e.begin(g)
	defer e.r.dev.watch(e.changed)()
	e.verdict = nil
	for {
		text, err := e.readOnce(g)
		switch {
		case err == errReprompt:
		case err == io.EOF:
			e.renew("^D\r\n")
			return "", io.EOF
		case err != nil:
			return "", err
		case e.verdict != nil:
			return "", e.verdict
		default:
			if !g.secret {
				e.r.cfg.History.Add(text)
			}
			return text, nil
		}
	}
}

func (e *editor) begin(g *reading) {
	width, height := e.r.dev.size()
	_ = e.term.SetSize(width, height) // it queues, and that cannot fail
	e.mu.Lock()
	e.reading = g
	e.mu.Unlock()
	e.term.History = recall(nil)
	if !g.secret {
		e.term.History = recall(e.r.cfg.History.Lines())
	}
}

func (e *editor) readOnce(g *reading) (string, error) {
	e.mu.Lock()
	e.shown = e.prompt
	e.mu.Unlock()
	if g.secret {
		return e.term.ReadPassword(e.shown)
	}
	e.term.SetPrompt(e.shown)
	return e.term.ReadLine()
}

// Read gives the Terminal one key, not more: what follows Enter is the next Get's.
func (e *editor) Read(p []byte) (int, error) {
	for e.ready == "" {
		if e.verdict != nil { // the cursor is at the end of the line
			_, _ = e.Write([]byte(e.mark))
			e.ready = keyEnter
			break
		}
		if err := e.reprompt(); err != nil {
			return 0, err
		}
		b, ok, err := e.next()
		switch {
		case err != nil:
			e.end(err, "")
		case ok:
			e.press(e.keys.add(b))
		}
	}
	n := copy(p, e.ready)
	e.ready = e.ready[n:]
	return n, nil
}

func (e *editor) press(key string) {
	switch key {
	case keyInterrupt:
		e.end(ErrInterrupt, "^C")
	case keyCancel:
		e.end(ErrCancel, "^G")
	case keySuspend:
		e.r.dev.suspend()
		e.redraw()
	default:
		e.ready = key
	}
}

// end ends the line without a line.
func (e *editor) end(verdict error, mark string) {
	e.verdict, e.mark, e.ready = verdict, mark, keyEnd
}

// next returns the next byte; not ok: something else may have changed.
func (e *editor) next() (b byte, ok bool, err error) {
	if len(e.unread) == 0 {
		if e.unread, err = e.r.in.read(); err != nil || len(e.unread) == 0 {
			return 0, false, err
		}
	}
	if !e.r.in.press() {
		return 0, false, errGivenUp
	}
	b, e.unread = e.unread[0], e.unread[1:]
	return b, true, nil
}

// reprompt shows a prompt that has changed.
func (e *editor) reprompt() error {
	e.mu.Lock()
	prompt, secret := e.prompt, e.reading.secret
	e.mu.Unlock()
	if prompt == e.shown {
		return nil
	}
	before := e.shown
	e.shown = prompt
	e.term.SetPrompt(prompt)
	e.redraw()
	if before == "" && !secret { // with nothing on the screen there is nothing to redraw
		return errReprompt
	}
	return nil
}

// redraw draws prompt and line again.
func (e *editor) redraw() { _, _ = e.term.Write(nil) }

// Write queues. It never fails, because the owner hears of failures elsewhere.
func (e *editor) Write(p []byte) (int, error) {
	e.r.out.put(p)
	return len(p), nil
}

func (e *editor) setPrompt(prompt string) {
	e.mu.Lock()
	e.prompt = prompt
	e.mu.Unlock()
	e.r.in.src.wake()
}

// above clears what is below the cursor, too: the Terminal forgets the rows of a
// long line that are below it.
func (e *editor) above(text []byte) {
	if e.r.get != nil {
		text = slices.Concat([]byte("\x1b[J"), text)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	_, _ = e.term.Write(text)
}

// changed is device.watch's.
func (e *editor) changed() {
	width, height := e.r.dev.size()
	e.resize(width, height)
	e.redraw()
}

// resize leaves a password alone, which SetSize would show. The next Get looks at
// the size again.
func (e *editor) resize(width, height int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.reading != nil && !e.reading.secret {
		_ = e.term.SetSize(width, height)
	}
}
