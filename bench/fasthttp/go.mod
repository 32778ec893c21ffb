module github.com/usher-go/usher/bench/fasthttp

go 1.26.0

require github.com/valyala/fasthttp v1.65.0

require (
	github.com/andybalholm/brotli v1.2.0 // indirect
	github.com/klauspost/compress v1.18.0 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	golang.org/x/sys v0.35.0 // indirect
)
