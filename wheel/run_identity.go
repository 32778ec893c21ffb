package wheel

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// credential is whom a process runs as. What is left empty stays as it is, but a
// user without a group gets the user's own: to keep a group of more rights by
// forgetting it would be a trap. With a Credential os/exec drops the supplementary
// groups, sets the group and then the user, in this order.
func credential(userName, groupName string) (*syscall.Credential, error) {
	c := &syscall.Credential{Uid: uint32(os.Getuid()), Gid: uint32(os.Getgid())}
	if userName != "" {
		uid, gid, err := findUser(userName)
		if err != nil && (uid == nil || groupName == "") {
			return nil, misconfigured("RunConfig.User", "is %q: %v; name one that exists, or give numbers for it and Group", userName, err)
		}
		c.Uid = *uid
		if gid != nil {
			c.Gid = *gid
		}
	}
	if groupName != "" {
		gid, err := findGroup(groupName)
		if err != nil {
			return nil, misconfigured("RunConfig.Group", "is %q: %v; name one that exists, or give its number", groupName, err)
		}
		c.Gid = gid
	}
	return c, nil
}

// findUser takes a number without asking whether it belongs to anybody, but then
// it has no group, and an error says why.
func findUser(name string) (uid, gid *uint32, err error) {
	number, isNumber := parseID(name)
	look := user.Lookup
	if isNumber {
		uid, look = &number, user.LookupId
	}
	u, err := look(name)
	if err != nil {
		return uid, nil, err
	}
	id, ok := parseID(u.Uid)
	group, okGroup := parseID(u.Gid)
	if !ok || !okGroup {
		return nil, nil, fmt.Errorf("user %q, group %q of it are no numbers", u.Uid, u.Gid)
	}
	return &id, &group, nil
}

func findGroup(name string) (uint32, error) {
	if number, ok := parseID(name); ok {
		return number, nil
	}
	g, err := user.LookupGroup(name)
	if err != nil {
		return 0, err
	}
	id, ok := parseID(g.Gid)
	if !ok {
		return 0, fmt.Errorf("group %q is no number", g.Gid)
	}
	return id, nil
}

// parseID refuses 4294967295, which setuid(2) and its kin take for "no change".
func parseID(s string) (uint32, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil && n != 1<<32-1
}
