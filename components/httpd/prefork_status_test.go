//go:build unix

package httpd_test

import (
	"context"
	"encoding/json"
	"image"
	_ "image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/components/httpd"
	"github.com/usher-go/usher/kernel"
)

func init() {
	farms["status"] = plainFarm(func(cfg *httpd.Config) {
		cfg.Handlers[0].Dir = "^/(pid|slow)"
		cfg.Handler = statusMux(httpd.StatusConfig{Parts: map[string]func() (any, error){
			"upstream": func() (any, error) { return map[string]int{"Idle": 4, "Lent": 1, "Opening": 0, "Waiting": 0}, nil },
		}})
		cfg.Prefork.StartServers, cfg.Prefork.MaxClients = 5, 16
	})
}

// One worker answers for all of them.
func TestP37_StatusOfWorkers(t *testing.T) {
	eachMode(t, func(t *testing.T, m kernel.Mode) {
		f := startFarm(t, m, "status")
		f.showing("_____")
		slow := dial(t, f.Server)
		slow.get("/slow/<b>?secret")
		f.showing("W____")
		// A kept connection: the same worker answers, which has a reading then.
		p := dial(t, f.Server)
		page := func(path string) string {
			p.send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n")
			_, text := p.answer("GET")
			return text
		}
		var st httpd.Status
		text := page("/status?format=json")
		if err := json.Unmarshal([]byte(text), &st); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		if st.Master != os.Getpid() || st.PID == st.Master || st.Generation != 1 || len(st.Workers) != 5 || len(st.Letters) != 16 ||
			strings.Count(st.Letters, "W") == 0 || strings.Count(st.Letters, "W")+strings.Count(st.Letters, "_") != 5 || st.Limits == nil || st.Limits.MaxClients != 16 {
			t.Errorf("%+v", st)
		}
		if time.Since(st.Since) > patience || st.Since.After(st.Time) || st.Over <= 0 {
			t.Errorf("since %v, over %v", st.Since, st.Over)
		}
		shown := map[string]bool{}
		for _, w := range st.Workers {
			shown[w.Request] = true
			if w.PID == 0 || w.RSS == 0 || w.Generation != 1 || w.Started.IsZero() || w.Changed.Before(w.Started) {
				t.Errorf("%+v", w)
			}
		}
		if !shown["GET /slow/%3Cb%3E"] || strings.Contains(text, "secret") {
			t.Errorf("%v", shown)
		}
		numbers := page("/status?format=prometheus")
		if n := strings.Count(numbers, "usher_httpd_worker_requests_total{"); n != 5 || !strings.Contains(numbers, "usher_httpd_workers_max{server=\"web\"} 16\n") {
			t.Errorf("%d workers in\n%s", n, numbers)
		}
		html := page("/status")
		if n := len(regexp.MustCompile(`<tr><td><span class="l (good|busy)" title="(idle|busy)">[_W]</span></td>`).FindAllString(html, -1)); n != 5 {
			t.Errorf("%d workers in\n%s", n, html)
		}
		for _, want := range []string{"<h2>Limits</h2>", "<dt>Idle</dt><dd>4</dd>", "GET /slow/%3Cb%3E", "GET /status</td>"} {
			if !strings.Contains(html, want) {
				t.Errorf("no %q in\n%s", want, html)
			}
		}
	})
}

// A browser shows it.
func TestStatusInABrowser(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no chromium here; it is to look at the page")
	}
	f := startFarm(t, kernel.Parallel, "status")
	f.showing("_____")
	for range 30 {
		f.ask("/pid")
	}
	slow := dial(t, f.Server)
	slow.get("/slow/report/2026?secret")
	f.showing("W____")
	url := "http://" + f.Addrs()[0].String() + "/status"
	dir := os.Getenv("TEST_ARTIFACTS")
	if dir == "" {
		dir = t.ArtifactDir()
	}
	browse := func(args ...string) string {
		t.Helper()
		args = append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
			"--disable-background-networking", "--hide-scrollbars", "--window-size=1280,1000", "--user-data-dir=" + t.TempDir()}, args...)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		cmd := exec.CommandContext(ctx, chromium, append(args, url)...)
		cmd.WaitDelay = time.Second // its children have its output, too
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("chromium: %v", err)
		}
		return string(out)
	}
	dom := browse("--dump-dom")
	board := regexp.MustCompile(`<div class="board">(.*?)</div>`).FindStringSubmatch(dom)
	if board == nil || strings.Count(board[1], ">_</span>") < 3 || !strings.Contains(board[1], ">W</span>") || strings.Count(board[1], ">.</span>") != 11 {
		t.Errorf("the letters are not in %q", board)
	}
	for _, scheme := range []string{"light", "dark"} {
		shot := filepath.Join(dir, "status-"+scheme+".png")
		if scheme == "dark" {
			browse("--screenshot="+shot, "--blink-settings=preferredColorScheme=0")
		} else {
			browse("--screenshot="+shot, "--blink-settings=preferredColorScheme=1")
		}
		if n := colours(t, shot); n < 20 {
			t.Errorf("%s has %d colours: a blank page?", shot, n)
		}
	}
}

// colours counts those of a picture.
func colours(t *testing.T, path string) int {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	img, _, err := image.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	type rgb struct{ r, g, b uint32 }
	seen := map[rgb]bool{}
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			r, g, b, _ := img.At(x, y).RGBA()
			seen[rgb{r, g, b}] = true
		}
	}
	return len(seen)
}
