package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"
)

// errUsage is what every mistake on the command line is.
var errUsage = errors.New("usage")

type options struct {
	Rounds              int
	Time                time.Duration
	Groups, Rows, Peers []string // nil: all
	Many                int
	Conns               int
	JSON                bool

	Child      string // peer/row
	Serve      string // peer/row
	Ops        int
	CPUProfile string
}

// parse reads the command line. Help and complaints of package flag go to w.
func parse(args []string, w io.Writer) (options, error) {
	var o options
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(w)
	fs.Usage = func() {
		fmt.Fprintln(w, "Usage of bench:")
		fs.PrintDefaults()
		explain(groups, w)
	}
	fs.IntVar(&o.Rounds, "rounds", 5, "samples of each row and peer")
	fs.DurationVar(&o.Time, "time", 200*time.Millisecond, "length of one sample after its warm-up")
	fs.IntVar(&o.Many, "many", many, "how many sessions or timers there are in rows about many")
	fs.IntVar(&o.Conns, "conns", defaultConns, "how many connections there are in rows about idle ones")
	fs.BoolVar(&o.JSON, "json", false, "print JSON instead of tables")
	list(fs, &o.Groups, "group")
	list(fs, &o.Rows, "row")
	list(fs, &o.Peers, "peer")
	fs.StringVar(&o.Child, "child", "", "take one sample of `peer/row` in this process, print it as JSON")
	fs.StringVar(&o.Serve, "serve", "", "be the server of `peer/row`: print its address, end when standard input does")
	fs.IntVar(&o.Ops, "ops", 0, "with -child: exactly `n` operations instead of -time")
	fs.StringVar(&o.CPUProfile, "cpuprofile", "", "with -child: write a CPU profile of the measured part, or of the server, to `file`")
	if err := fs.Parse(args); err != nil {
		return o, err
	}
	switch {
	case fs.NArg() > 0:
		return o, fmt.Errorf("%w: argument %q; want flags only, see -help", errUsage, fs.Arg(0))
	case o.Rounds < 1:
		return o, fmt.Errorf("%w: -rounds is %d; want 1 or more", errUsage, o.Rounds)
	case o.Time <= 0:
		return o, fmt.Errorf("%w: -time is %v; want more than 0, such as 200ms", errUsage, o.Time)
	case o.Many < 1:
		return o, fmt.Errorf("%w: -many is %d; want 1 or more", errUsage, o.Many)
	case o.Conns < 1:
		return o, fmt.Errorf("%w: -conns is %d; want 1 or more", errUsage, o.Conns)
	case o.Child != "" && o.Serve != "":
		return o, fmt.Errorf("%w: -child and -serve are two programs; leave one of them out", errUsage)
	case o.Ops < 0:
		return o, fmt.Errorf("%w: -ops is %d; want 1 or more, or 0 to use -time", errUsage, o.Ops)
	case o.Child == "" && o.Ops != 0, o.Child+o.Serve == "" && o.CPUProfile != "":
		return o, fmt.Errorf("%w: -ops and -cpuprofile need -child peer/row", errUsage)
	}
	return o, nil
}

func list(fs *flag.FlagSet, to *[]string, name string) {
	fs.Func(name, fmt.Sprintf("only these `%ss`, separated by commas (default all)", name), func(s string) error {
		*to = append(*to, strings.Split(s, ",")...)
		return nil
	})
}
