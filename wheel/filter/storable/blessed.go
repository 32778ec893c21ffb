package storable

// Blessed is an object of Perl's: a reference and the name of its class. No
// code of the class runs, neither when it is read nor when it is written.
type Blessed struct {
	Class string // such as "My::Class"
	Value any    // []any, map[string]any or *any; for writing whatever freezes as a reference
}

// bless returns the reference as it is if it has no class.
func bless(class string, ref any) any {
	if class == "" {
		return ref
	}
	return Blessed{class, ref}
}
