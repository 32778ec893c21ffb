package main

// chance is a die that always falls the same way for the same session, so that a
// run in serial mode can be repeated, in Perl too.
type chance int64

func newChance(id int64) chance { return chance(id * 7919 % (1 << 31)) }

func (d *chance) oneIn(n int64) bool {
	*d = (*d*1103515245 + 12345) % (1 << 31) // POSIX's example of rand
	return int64(*d>>16)%n == 0
}
