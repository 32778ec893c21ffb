package prefork

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/usher-go/usher/kernel"
)

func TestP2_P6_P9_P44_P45_P46_P48_P50_ZeroValueWorks(t *testing.T) {
	got, err := Config{}.complete()
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Name:            "prefork",
		StartServers:    5,
		MinSpareServers: 1,
		MaxSpareServers: 10,
		MaxClients:      50,
		MaxRequests:     25,
		ConnsPerServer:  1,
		StartTimeout:    time.Minute,
		ReadTimeout:     30 * time.Second,
		CheckSpares:     time.Second,
		Grace:           10 * time.Second,
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("defaults are %+v\nwant %+v", got, want)
	}
	again, err := got.complete()
	if err != nil || !reflect.DeepEqual(again, want) {
		t.Fatalf("completed twice: %+v, %v", again, err)
	}
}

func TestP3_P4_P5_P45_P47_NumbersAreBroughtInOrder(t *testing.T) {
	for _, c := range []struct {
		spec      string
		give      Config
		start     int
		min, most int
	}{
		{"P45 the manual's example", Config{MinSpareServers: 4, MaxSpareServers: 2}, 5, 4, 5},
		{"P45 equal", Config{MinSpareServers: 4, MaxSpareServers: 4}, 5, 4, 5},
		{"P45 above the default", Config{MinSpareServers: 20}, 20, 20, 21},
		{"P45 unlimited", Config{MinSpareServers: 4, MaxSpareServers: Unlimited}, 5, 4, Unlimited},
		{"P47 nine asked, four allowed", Config{StartServers: 9, MaxClients: 4}, 4, 1, 10},
		{"P5 raised to the minimum", Config{StartServers: 1, MinSpareServers: 3}, 3, 3, 10},
		{"P4 not above MaxClients", Config{MinSpareServers: 7, MaxClients: 2}, 2, 7, 10},
	} {
		got, err := c.give.complete()
		if err != nil {
			t.Errorf("%s: %v", c.spec, err)
			continue
		}
		if got.StartServers != c.start || got.MinSpareServers != c.min || got.MaxSpareServers != c.most {
			t.Errorf("%s: start %d, spare %d to %d; want %d, %d to %d", c.spec,
				got.StartServers, got.MinSpareServers, got.MaxSpareServers, c.start, c.min, c.most)
		}
	}
}

func TestP41_BadFieldsAreNamedWithARemedy(t *testing.T) {
	for _, c := range []struct {
		give Config
		want string
	}{
		{Config{StartServers: -1}, "prefork: Config.StartServers is -1; want 0 for the default of 5, or more"},
		{Config{MinSpareServers: -1}, "prefork: Config.MinSpareServers is -1; want 0 for the default of 1, or more"},
		{Config{MaxSpareServers: -2}, "prefork: Config.MaxSpareServers is -2; want Unlimited, 0 for the default of 10, or more"},
		{Config{MaxClients: Unlimited}, "prefork: Config.MaxClients is -1; want 0 for the default of 50, or 1 to 4096"},
		{Config{MaxClients: MaxWorkers + 1}, "prefork: Config.MaxClients is 4097; want 0 for the default of 50, or 1 to 4096"},
		{Config{MaxRequests: -5}, "prefork: Config.MaxRequests is -5; want Unlimited, 0 for the default of 25, or more"},
		{Config{Timeout: -time.Second}, "prefork: Config.Timeout is -1s; want 0 for no watchdog, or more"},
		{Config{SoftTimeout: -1}, "prefork: Config.SoftTimeout is -1ns; want 0 for none, or more"},
		{Config{SoftTimeout: 2, Timeout: 2}, "prefork: Config.SoftTimeout is 2ns; want less than Timeout, 2ns"},
		{Config{DrainTimeout: -1}, "prefork: Config.DrainTimeout is -1ns; want 0 for as long as it takes, or more"},
		{Config{MaxAge: -1}, "prefork: Config.MaxAge is -1ns; want 0 for any age, or more"},
		{Config{MaxRSS: -1}, "prefork: Config.MaxRSS is -1; want 0 for any number, or more"},
		{Config{MaxRequestsJitter: -1}, "prefork: Config.MaxRequestsJitter is -1; want 0 for none, or more"},
		{Config{MaxRecycling: -1}, "prefork: Config.MaxRecycling is -1; want 0 for a tenth of the workers, or more"},
		{Config{ReloadReady: -1}, "prefork: Config.ReloadReady is -1; want 0 for as many as serve, or more"},
		{Config{ConnsPerServer: -3}, "prefork: Config.ConnsPerServer is -3; want Unlimited, 0 for the default of 1, or more"},
		{Config{ReadTimeout: -time.Second}, "prefork: Config.ReadTimeout is -1s; want Unlimited, 0 for the default of 30s, or more"},
		{Config{CheckSpares: Unlimited}, "prefork: Config.CheckSpares is -1ns; want 0 for the default of 1s, or more"},
		{Config{Grace: -time.Minute}, "prefork: Config.Grace is -1m0s; want Unlimited, 0 for the default of 10s, or more"},
		{Config{Name: "a:b"}, `prefork: Config.Name is "a:b"; want 1 to 64 letters, digits, dots, dashes and underscores`},
		{Config{Name: strings.Repeat("x", 65)}, `prefork: Config.Name is "` + strings.Repeat("x", 65) + `"; want 1 to 64 letters, digits, dots, dashes and underscores`},
		{Config{ForkHandlers: map[kernel.Address]string{"db": ""}}, `prefork: Config.ForkHandlers is "db": ""; want a session and an event, both named`},
		{Config{Listen: []string{"tcp://:0", "localhost:80"}}, `prefork: Config.Listen[1] is "localhost:80"; want ` + wantAddress},
		{Config{Listen: make([]string, 129)}, "prefork: Config.Listen is of length 129; want at most 128 addresses"},
	} {
		_, err := c.give.complete()
		if err == nil || err.Error() != c.want {
			t.Errorf("got  %v\nwant %s", err, c.want)
		}
		var field *ConfigError
		if !errors.As(err, &field) || !strings.HasPrefix(c.want, fmt.Sprintf("prefork: Config.%s is ", field.Field)) {
			t.Errorf("%v is no ConfigError of its field", err)
		}
	}
}

func TestP49_P66_UnlimitedSwitchesOff(t *testing.T) {
	give := Config{MaxSpareServers: Unlimited, MaxRequests: Unlimited, ConnsPerServer: Unlimited, ReadTimeout: Unlimited, Grace: Unlimited}
	got, err := give.complete()
	if err != nil {
		t.Fatal(err)
	}
	if got.MaxSpareServers != Unlimited || got.MaxRequests != Unlimited || got.ConnsPerServer != Unlimited ||
		got.ReadTimeout != Unlimited || got.Grace != Unlimited {
		t.Fatalf("Unlimited was replaced: %+v", got)
	}
}

func TestP51_WorkersBeatTwiceInATimeout(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{0: 0, 10 * time.Second: 5 * time.Second} {
		if got := (Config{Timeout: timeout}).beatInterval(); got != want {
			t.Errorf("with a timeout of %v a worker beats every %v, want %v", timeout, got, want)
		}
	}
}

func TestIII11_JitterOnRequestsOnlyWithALimit(t *testing.T) {
	for _, c := range []struct{ requests, jitter, want int }{
		{Unlimited, 5, Unlimited}, {10, 0, 10}, {10, 5, 15},
	} {
		got := Config{MaxRequests: c.requests, MaxRequestsJitter: c.jitter}.requestLimit(func(n int) int {
			if c.want == c.requests {
				t.Error("drawn without need")
			}
			return n - 1
		})
		if got != c.want {
			t.Errorf("at most %d and %d more: %d, want %d", c.requests, c.jitter, got, c.want)
		}
	}
}

func TestIII1_SurplusFollowsTheConfig(t *testing.T) {
	for _, c := range []struct {
		give Config
		want int
	}{
		{Config{}, 5},
		{Config{ReloadReady: 8}, 8},
		{Config{ReloadReady: 80, MaxClients: 20}, 20},
		{Config{MaxRecycling: 9}, 5}, // nobody is recycled
		{Config{MaxRecycling: 9, MaxAge: time.Hour}, 9},
		{Config{MaxClients: 200, MaxAge: time.Hour}, 20},
	} {
		got, err := c.give.complete()
		if err != nil {
			t.Fatal(err)
		}
		if n := got.surplus(); n != c.want {
			t.Errorf("%+v: %d more than MaxClients, want %d", c.give, n, c.want)
		}
	}
}

func TestP44_LimitsCarryTheConfig(t *testing.T) {
	c, err := Config{
		StartServers: 2, MinSpareServers: 2, MaxSpareServers: 4, MaxClients: 6,
		Timeout: time.Second, Grace: time.Minute, KeepOnError: true,
		MaxAge: time.Hour, MaxRecycling: 3, ReloadReady: 4, DrainTimeout: 2 * time.Minute,
	}.complete()
	if err != nil {
		t.Fatal(err)
	}
	want := limits{
		start: 2, minSpare: 2, maxSpare: 4, maxClients: 6, surplus: 4, reloadReady: 4, maxAge: time.Hour,
		maxRecycling: 3, drainTimeout: 2 * time.Minute, timeout: time.Second, grace: time.Minute,
		keepOnError: true, startTimeout: time.Minute, youth: 2 * time.Second, failedBoots: 10,
		backoff: backoff{250 * time.Millisecond, 30 * time.Second}, unseen: 2 * time.Second,
	}
	if got := c.limits(); got != want {
		t.Fatalf("limits are %+v\nwant %+v", got, want)
	}
}

func TestP12_StateLettersAndNames(t *testing.T) {
	var letters, names []string
	for s := StateDead; s <= states; s++ {
		text, err := s.MarshalText()
		if err != nil || string(text) != s.String() {
			t.Errorf("%v marshals as %q, %v", s, text, err)
		}
		letters = append(letters, string(s.Letter()))
		names = append(names, s.String())
	}
	if got := strings.Join(letters, ""); got != ".S_WGX?" {
		t.Errorf("letters are %q", got)
	}
	if got := strings.Join(names, " "); got != "dead starting idle busy draining stopping unknown" {
		t.Errorf("names are %q", got)
	}
}
