package main

// Peers that are HTTP servers.
const (
	usherRoute          = "usher-route"           // components/httpd, answered by a session
	usherHandler        = "usher-handler"         // components/httpd with Config.Handler
	usherPrefork        = "usher-prefork"         // components/httpd with Config.Prefork, answered by a session of the worker
	usherPreforkHandler = "usher-prefork-handler" // … by an http.Handler
	goFasthttp          = "fasthttp"
	fasthttpPrefork     = "fasthttp-prefork"
	nginx               = "nginx"
	apachePrefork       = "apache-prefork"
)

// hello is what an HTTP server costs beside the work that it is there for. All peers
// keep connections and answer "GET /hello" with 200, text/plain and helloBody.
var hello = &Group{
	Name:  "hello",
	About: "HTTP servers that answer hello, world",
	Peers: []string{usherRoute, usherHandler, usherPrefork, usherPreforkHandler, goPlain, goFasthttp, fasthttpPrefork, nginx, apachePrefork, perl},
	Needs: map[string]func() error{goFasthttp: needFasthttp, fasthttpPrefork: needFasthttp, nginx: needNginx, apachePrefork: needApache, perl: needSimpleHTTP},
	Shows: "HTTP servers by what another process sees; CPU is the server's, its children included",
	Rows: []*Row{
		// 64 connections of wrk, which has one core for itself if it can get it, for as
		// many whole seconds as -time asks for. Each sends a request when it has the
		// answer to the one before.
		{
			Name: "hello-http", About: "64 connections of wrk, whole seconds of it",
			Unit: "request", Timed: true, Load: wrkLoad(helloConns), Figures: []Figure{Rate, P50, P99, CPU, Failed},
			Budgets: []Budget{
				{Peer: usherRoute, Limit: 1.11, Against: goPlain}, // 0.9 × its requests per second
				{Peer: usherHandler, Limit: 1.11, Against: goPlain},
				{Peer: usherPrefork, Limit: 1.11, Against: goPlain},
				{Peer: usherPrefork, Limit: 0.5, Against: apachePrefork, Stretch: true},
				{Peer: usherPreforkHandler, Limit: 1.11, Against: goPlain},
				{Peer: usherPreforkHandler, Figure: CPU, Limit: 0.5, Against: apachePrefork},   // twice its requests for the same work
				{Peer: usherPreforkHandler, Limit: 0.5, Against: apachePrefork, Stretch: true}, // … and each second, with wrk's work in both
				{Peer: usherRoute, Figure: Failed},
				{Peer: usherHandler, Figure: Failed},
				{Peer: usherPrefork, Figure: Failed},
				{Peer: usherPreforkHandler, Figure: Failed},
			},
		},
		// Connections that are kept after one request, weighed as those of
		// idle-connection are.
		{
			Name: "idle-http", About: "memory of an HTTP connection that is kept; -conns of them",
			Unit: "connection", Conns: true, Load: idleHTTPLoad, Figures: []Figure{Kept},
		},
		// Workers that do nothing, weighed by their share of the memory that they have
		// in common.
		{
			Name: "idle-worker", About: "memory of a worker process that has nothing to do; one of eight",
			Unit: "worker", Few: fewWorkers, Load: idleWorkers, Figures: []Figure{Kept},
		},
		// From the moment when the master begins with a worker until that one accepts;
		// for comparison a program of Go that says something as soon as it can.
		{
			Name: "worker-start", About: "from the decision to start a worker until it accepts",
			Unit: "worker", Few: 20, Figures: []Figure{P50, Worst},
			Budgets: []Budget{{Peer: usherPrefork, Figure: P50, Limit: 3, Against: goPlain}},
		},
		// From the signal until all workers are others, and none of those before is left.
		{
			Name: "reload", About: "all of eight idle workers are replaced",
			Unit: "reload", Few: 5, Load: reloads, Figures: []Figure{P50, Worst},
			Budgets: []Budget{{Peer: usherPrefork, Figure: P50, Limit: 200_000}},
		},
	},
}

func init() {
	for _, peer := range hello.Peers {
		hello.Needs[peer+"/hello-http"] = needWrk
		hello.Needs[peer+"/idle-worker"] = needProc
		hello.Needs[peer+"/reload"] = needProc
	}
}

// helloConns is how many connections wrk has.
const helloConns = 64

// helloBody is the content of the answers.
const helloBody = "hello, world\n"
