package wheel

import "github.com/usher-go/usher/wheel/filter"

// plainReader reads lines as they come.
type plainReader struct {
	r     *ReadLine
	lines filter.Filter[string, string]
}

var _ lineReader = (*plainReader)(nil)

func newPlainReader(r *ReadLine) *plainReader { return &plainReader{r, filter.Line()} }

func (p *plainReader) readLine(*reading) (string, error) {
	for {
		line, ok, err := p.lines.Next()
		if ok || err != nil {
			return line, err
		}
		b, err := p.r.in.read()
		if rest := p.lines.Pending(); err != nil && err != errGivenUp && len(rest) > 0 {
			p.lines = filter.Line()
			return string(rest), nil // the last line, without its end
		}
		if err != nil {
			return "", err
		}
		p.lines.Feed(b)
	}
}

func (p *plainReader) setPrompt(string) {}

func (p *plainReader) above(text []byte) { p.r.out.put(text) }

func (p *plainReader) resize(int, int) {}
