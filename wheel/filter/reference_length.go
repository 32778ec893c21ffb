package filter

import "fmt"

// maxDigits is more than any length that a program can have in memory needs,
// and fits an int64 whatever the digits are.
const maxDigits = 18

// decimalLength reads the decimal length and the NUL in front of a record
// (F28). n is how many bytes that took, 0 if there must be more.
func decimalLength(p []byte) (size, n int, err error) {
	for i, c := range p {
		switch {
		case c == 0 && i > 0:
			return size, i + 1, nil
		case c < '0' || c > '9' || i == maxDigits:
			return 0, 0, fmt.Errorf("filter: %w record: %.16q stands where a decimal length and a NUL should; both ends must speak POE::Filter::Reference: %w",
				ErrMalformed, p, ErrUnusable)
		}
		size = size*10 + int(c-'0')
	}
	return 0, 0, nil
}
