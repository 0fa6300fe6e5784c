#!/usr/bin/env bash
# What a page of tickets costs, as ratios taken in one run: against the health check, and at two sizes of the desk.
#
# Needs wrk, curl and python3. Builds the release binary, makes two desks in a temporary folder (SMALL and LARGE tickets,
# 10,000 and 1,000,000 unless set; the large one takes some minutes and about 4 GB), and prints:
#   - requests a second of GET /external/tickets (15 whole tickets) and of GET /health-check, wrk -t1 -c16, and the ratio
#   - the median time of the first page with its total at both sizes, one connection, and the ratio
#   - resident memory after 10,000 requests, the time from start to the first answer, the size of the binary
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --locked
lodge=$PWD/target/release/lodge
small=${SMALL:-10000} large=${LARGE:-1000000}
folder=$(mktemp -d)
server=
stop() { if [ -n "$server" ]; then kill "$server" && wait "$server" || true; server=; fi; }
trap 'stop; rm -rf "$folder"' EXIT
key=lodge_ext_q3nWFhlXIIDZ4Ai5JMQCeQH3IzdRXUpVxxsJULi4RLM4c0lOP
port=18099
api=http://127.0.0.1:$port/api/v1

serve() {
  "$lodge" serve --db "$1" --listen 127.0.0.1:$port --rate-limit 0 --log error 2>/dev/null &
  server=$!
  python3 - "$api/health-check" <<'PY'
import sys, time, urllib.request
start = time.time()
while True:
    try:
        urllib.request.urlopen(sys.argv[1]).read()
        break
    except OSError:
        time.sleep(0.001)
print(f"start to first answer: {(time.time() - start) * 1000:.0f} ms")
PY
}
median() {
  python3 - "$api/external/tickets" "$key" <<'PY'
import http.client, statistics, sys, time, urllib.parse
url = urllib.parse.urlparse(sys.argv[1])
connection = http.client.HTTPConnection(url.netloc)
times = []
for _ in range(2000):
    start = time.perf_counter()
    connection.request("GET", url.path, headers={"X-API-KEY": sys.argv[2]})
    connection.getresponse().read()
    times.append(time.perf_counter() - start)
print(f"{statistics.median(times) * 1e6:.0f}")
PY
}
rate() { wrk -t1 -c16 -d5s "$@" | sed -n 's/^Requests\/sec: *//p'; }

echo "binary: $(stat -c %s "$lodge") bytes"
"$lodge" seed --db "$folder/demo.db" >/dev/null
serve "$folder/demo.db"
for round in 1 2 3; do
  health=$(rate "$api/health-check") list=$(rate -H "X-API-KEY: $key" "$api/external/tickets")
  python3 -c "print(f'round $round: health check $health/s, tickets $list/s, ratio {$list / $health:.3f}')"
done
echo "resident after these requests: $(sed -n 's/^VmRSS:[[:space:]]*//p' "/proc/$server/status")"
stop
for size in "$small" "$large"; do
  start=$(date +%s.%N)
  "$lodge" seed --db "$folder/$size.db" --tickets "$size" >/dev/null
  python3 -c "print(f'seed: {$size / ($(date +%s.%N) - $start):.0f} tickets a second')"
  serve "$folder/$size.db"
  cost=$(median)
  echo "$size tickets: first page with its total, median $cost us"
  if [ "$size" = "$small" ]; then first=$cost; fi
  stop
done
python3 -c "print(f'ratio: {$cost / $first:.2f}')"
