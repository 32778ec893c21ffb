package keepalive

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

func TestA12_ZeroMeansTheDefault(t *testing.T) {
	got, err := Config{}.complete()
	want := Config{MaxPerHost: 4, MaxOpen: 128, KeepAlive: 15 * time.Second, Timeout: 120 * time.Second, // A3–A6
		MaxWaiting: 10_000, MaxLifetime: 30 * time.Minute}
	if err != nil || got != want {
		t.Errorf("zero Config is %+v, %v; want %+v", got, err, want)
	}
}

func TestA14_LimitsStayAsGiven(t *testing.T) {
	for _, c := range []Config{
		{MaxPerHost: 9, MaxOpen: 2, KeepAlive: time.Nanosecond, Timeout: time.Second / 2, MaxWaiting: 1, MaxLifetime: 1, BindAddress: "[::1]:0"},
		{MaxPerHost: NoLimit, MaxOpen: NoLimit, KeepAlive: NoLimit, Timeout: NoLimit, MaxWaiting: NoLimit, MaxLifetime: NoLimit},
		{MaxPerHost: 1 << 30, MaxOpen: 1 << 30, KeepAlive: 1 << 60, Timeout: 1 << 60, MaxWaiting: 1 << 30, MaxLifetime: 1 << 60,
			Breaker: Breaker{Failures: 1 << 30, Ratio: 1, Window: maxWindow, Cooldown: 1, MaxCooldown: 1}},
	} {
		if got, err := c.complete(); err != nil || got != c {
			t.Errorf("%+v became %+v, %v", c, got, err)
		}
	}
}

func TestA13_BadValuesAreRefusedByName(t *testing.T) {
	for field, c := range map[string]Config{
		"Config.MaxPerHost is -2; want 0 for the default of 4, NoLimit (-1), or more":         {MaxPerHost: -2},
		"Config.MaxOpen is -7; want 0 for the default of 128, NoLimit (-1), or more":          {MaxOpen: -7},
		"Config.KeepAlive is -1s; want 0 for the default of 15s, NoLimit (-1), or more":       {KeepAlive: -time.Second},
		"Config.Timeout is -2ns; want 0 for the default of 2m0s, NoLimit (-1), or more":       {Timeout: -2},
		"Config.MaxWaiting is -2; want 0 for the default of 10000, NoLimit (-1), or more":     {MaxWaiting: -2},
		"Config.MaxLifetime is -1m0s; want 0 for the default of 30m0s, NoLimit (-1), or more": {MaxLifetime: -time.Minute},
		"Config.Breaker.Failures is -1; want 0 for no such rule, or more":                     {Breaker: Breaker{Failures: -1}},
		"Config.Breaker.Ratio is NaN; want 0 for no such rule, or up to 1":                    {Breaker: Breaker{Ratio: math.NaN()}},
		"Config.Breaker.Ratio is 1.5; want 0 for no such rule, or up to 1":                    {Breaker: Breaker{Ratio: 1.5}},
		"Config.Breaker.Window is -1; want 0 for the default of 20, or up to 10000":           {Breaker: Breaker{Window: -1}},
		"Config.Breaker.Window is 10001; want 0 for the default of 20, or up to 10000":        {Breaker: Breaker{Window: 10001}},
		"Config.Breaker.Cooldown is -1ns; want 0 for the default of 1s, or more":              {Breaker: Breaker{Cooldown: -1}},
		"Config.Breaker.MaxCooldown is 1s; want 0 for the default, or Cooldown or more":       {Breaker: Breaker{Cooldown: time.Minute, MaxCooldown: time.Second}},
		"Config.Breaker.MaxCooldown is -1ns; want 0 for the default, or Cooldown or more":     {Breaker: Breaker{MaxCooldown: -1}},
		`Config.BindAddress is "localhost"; want an IP address, or one with a port`:           {BindAddress: "localhost"},
	} {
		_, err := c.complete()
		if !errors.Is(err, ErrArgument) || !strings.HasSuffix(err.Error(), field) {
			t.Errorf("%+v: got %v; want ErrArgument: %s", c, err, field)
		}
	}
	if _, err := New(nil, Config{}); !errors.Is(err, ErrArgument) || !strings.Contains(err.Error(), "first argument") {
		t.Errorf("no kernel: %v", err)
	}
}
