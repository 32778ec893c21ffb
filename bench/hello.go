package main

// Peers that are HTTP servers.
const (
	usherRoute      = "usher-route"   // components/httpd, answered by a session
	usherHandler    = "usher-handler" // components/httpd with Config.Handler
	usherPrefork    = "usher-prefork" // nobody yet
	goFasthttp      = "fasthttp"
	fasthttpPrefork = "fasthttp-prefork" // nobody yet
	nginx           = "nginx"
	apachePrefork   = "apache-prefork"
)

// hello is what an HTTP server costs beside the work that it is there for. All peers
// keep connections and answer "GET /hello" with 200, text/plain and helloBody.
var hello = &Group{
	Name:  "hello",
	About: "HTTP servers that answer hello, world",
	Peers: []string{usherRoute, usherHandler, usherPrefork, goPlain, goFasthttp, fasthttpPrefork, nginx, apachePrefork, perl},
	Needs: map[string]func() error{goFasthttp: needFasthttp, nginx: needNginx, apachePrefork: needApache, perl: needSimpleHTTP},
	Shows: "HTTP servers by what another process sees; CPU is the server's, its children included",
	Rows: []*Row{
		// 64 connections of wrk, which has one core for itself if it can get it, for as
		// many whole seconds as -time asks for. Each sends a request when it has the
		// answer to the one before.
		{
			Name: "hello-http", About: "64 connections of wrk, whole seconds of it",
			Unit: "request", Timed: true, Load: wrkLoad(64), Figures: []Figure{Rate, P50, P99, CPU, Failed},
			Budgets: []Budget{
				{Peer: usherRoute, Limit: 1.11, Against: goPlain}, // 0.9 × its requests per second
				{Peer: usherHandler, Limit: 1.11, Against: goPlain},
				{Peer: usherRoute, Figure: Failed},
				{Peer: usherHandler, Figure: Failed},
			},
		},
		// Connections that are kept after one request, weighed as those of
		// idle-connection are.
		{
			Name: "idle-http", About: "memory of an HTTP connection that is kept; -conns of them",
			Unit: "connection", Conns: true, Load: idleHTTPLoad, Figures: []Figure{Kept},
		},
	},
}

func init() {
	for _, peer := range hello.Peers {
		hello.Needs[peer+"/hello-http"] = needWrk
	}
}

// helloBody is the content of the answers.
const helloBody = "hello, world\n"
