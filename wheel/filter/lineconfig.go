package filter

import (
	"fmt"
	"regexp"
	"strings"
)

// LineConfig configures a Line filter; its zero value works. POE's Literal is
// InputLiteral and OutputLiteral set to the same string (F12).
//
// InputLiteral, InputRegexp and Autodetect say what ends a line; at most one of
// them may be set. Default: CR, LF, CRLF and LFCR all end a line (F10).
type LineConfig struct {
	// InputLiteral ends a line; any length, any bytes (F14).
	InputLiteral string

	// InputRegexp matches what ends a line (F14), with the meaning it has in
	// package regexp when compiled by Compile or MustCompile. (CompilePOSIX
	// and Longest do not show in a Regexp, and have no effect here.) Refused
	// are expressions that match the empty string, and those with ^, $, \A, \z,
	// \b or \B, because they look at what may not have come yet.
	//
	// Lines are what the expression cuts out of the whole stream, however that
	// arrives in pieces. A line is given out as soon as no further byte can
	// change where its terminator begins or ends: at once for [;\n] or \r\n, a
	// byte late for \r\n?, after a CR. Where the other side waits for an answer
	// to a line that ends in CR alone, use the default, which does not wait. A
	// terminator that goes on for longer than MaxBuffer has room makes the
	// stream unusable.
	InputRegexp *regexp.Regexp

	// Autodetect adopts the first CR, LF, CRLF or LFCR that comes; from then on
	// nothing else ends a line (F13; POE does this for an InputLiteral of "").
	Autodetect bool

	// OutputLiteral is appended to each record. Default "\r\n" (F10), whatever
	// the input has.
	OutputLiteral string

	// MaxLength is the longest line accepted, in bytes without its
	// terminator. Default 1 MiB (POE: 64 MiB, F8).
	MaxLength int

	// MaxBuffer bounds the unparsed input, in bytes; at least MaxLength and
	// a terminator. Default 16 MiB (POE: 512 MiB, F8).
	MaxBuffer int
}

func (c *LineConfig) fill() error {
	if err := c.checkTerminator(); err != nil {
		return err
	}
	if c.OutputLiteral == "" {
		c.OutputLiteral = "\r\n"
	}
	if err := fillLimit("LineConfig.MaxLength", &c.MaxLength, defaultMaxLength); err != nil {
		return err
	}
	if err := fillLimit("LineConfig.MaxBuffer", &c.MaxBuffer, defaultMaxBuffer); err != nil {
		return err
	}
	terminator := max(len(c.InputLiteral), len("\r\n"))
	return checkBuffer("LineConfig.MaxBuffer", c.MaxBuffer, "LineConfig.MaxLength", c.MaxLength, terminator)
}

// checkTerminator: one way to end a line excludes the others (F12).
func (c *LineConfig) checkTerminator() error {
	var set []string
	if c.InputLiteral != "" {
		set = append(set, "LineConfig.InputLiteral")
	}
	if c.InputRegexp != nil {
		set = append(set, "LineConfig.InputRegexp")
	}
	if c.Autodetect {
		set = append(set, "LineConfig.Autodetect")
	}
	if len(set) > 1 {
		return fmt.Errorf("filter: %w: %s are both set; choose one", ErrConfig, strings.Join(set[:2], " and "))
	}
	return nil
}
