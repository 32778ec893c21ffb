package storable

import "fmt"

// refuse says what a mark stands for that gives no value.
func (d *decoder) refuse(m mark) error {
	at := d.pos - 1
	what, known := unsupported[m]
	switch {
	case m == markHook:
		what = d.hooked() + " with its own STORABLE_freeze; send its data as a plain hash"
	case m.isAggregate():
		return d.malformed(errNotScalar)
	case !known:
		return d.malformed(fmt.Errorf("mark %d is unknown; freeze with Storable 3", m))
	}
	return fmt.Errorf("storable: the value at byte %d %w: it is %s", at, ErrUnsupported, what)
}

// The flags of an object with a hook that move its class elsewhere: a long
// name, an index instead of a name, other variables in front.
const hookElsewhere = 0x04 | 0x20 | 0x40

// hooked names an object with a hook, if its class is where it usually is.
func (d *decoder) hooked() string {
	const nameless = "an object"
	flags, err := d.byte()
	if err != nil || flags&hookElsewhere != 0 {
		return nameless
	}
	name, err := d.bytes(false)
	if err != nil {
		return nameless
	}
	return fmt.Sprintf("an object of class %.64q", name)
}
