package cluster

func newTransport(Config) (Transport, error) { return nil, nil }

// listed is a node's own address in a Static directory.
func listed(d Directory, name string) string {
	s, _ := d.(Static)
	return s[name]
}
