package cluster

// newTransport is the default one.
func newTransport(cfg Config) (Transport, error) {
	return newRemote(remoteConfig{Listen: cfg.Listen, Advertise: cfg.Advertise, TLS: cfg.TLS, MaxPacket: cfg.MaxEvent + maxPacket})
}

// listed is a node's own address in a Static directory.
func listed(d Directory, name string) string {
	s, _ := d.(Static)
	return s[name]
}
