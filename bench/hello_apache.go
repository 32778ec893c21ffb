package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

func init() {
	few := Server{Program: kept(prepareApache(fewWorkers, fewWorkers, fewWorkers))}
	hello.serve(apachePrefork, map[string]Server{
		// A process for each connection of the load from the start: those that it adds
		// while it is loaded come one a second, then two, then four.
		"hello-http":  {Program: kept(prepareApache(70, 1, 100))},
		"idle-worker": few,
		"reload":      few,
	})
}

// apacheModules is where Debian has them.
const apacheModules = "/usr/lib/apache2/modules"

func needApache() error {
	_, err := exec.LookPath("apache2")
	if err == nil {
		_, err = os.Stat(apacheModules + "/mod_mpm_prefork.so")
	}
	if err != nil {
		return fmt.Errorf("%w; install Apache (Debian: apache2-bin)", err)
	}
	return nil
}

// prepareApache begins with some processes, and keeps so many idle ones while it has
// no more than most.
func prepareApache(start, spare, most int) func(dir, addr string) ([]string, error) {
	return func(dir, addr string) ([]string, error) { return configureApache(start, spare, most, dir, addr) }
}

func configureApache(start, spare, most int, dir, addr string) ([]string, error) {
	conf, err := configured(dir, fmt.Sprintf(`ServerName bench
ServerRoot %[1]s
DefaultRuntimeDir %[1]s
PidFile %[1]s/pid
ErrorLog %[1]s/error.log
LoadModule mpm_prefork_module %[3]s/mod_mpm_prefork.so
LoadModule authz_core_module %[3]s/mod_authz_core.so
LoadModule mime_module %[3]s/mod_mime.so
TypesConfig /dev/null
User www-data
Group www-data
Listen %[2]s
StartServers %[4]d
MinSpareServers %[6]d
MaxSpareServers %[5]d
MaxRequestWorkers %[5]d
MaxConnectionsPerChild 0
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 75
DocumentRoot %[1]s/www
<Directory %[1]s/www>
ForceType text/plain
</Directory>
`, dir, addr, apacheModules, start, most, spare))
	if err != nil {
		return nil, err
	}
	www := filepath.Join(dir, "www")
	if err := os.Mkdir(www, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(www, "hello"), []byte(helloBody), 0o644); err != nil {
		return nil, err
	}
	return []string{"apache2", "-d", dir, "-f", conf, "-DFOREGROUND"}, nil
}
