-- What wrk saw, as one line of JSON.
done = function(summary, latency, requests)
  local e = summary.errors
  io.write(string.format('{"micros":%d,"requests":%d,"p50_us":%d,"p99_us":%d,"status":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d}\n',
    summary.duration, summary.requests, latency:percentile(50), latency:percentile(99),
    e.status, e.connect, e.read, e.write, e.timeout))
end
