# What the steps that need a server share. To be sourced; $lodge is the program.

step() { printf '\n== %s\n' "$*"; }

scratch=$(mktemp -d)
server=

# serve COMMAND: `lodge demo` or `lodge serve` on a fresh database at $db, a sample or an empty one. It listens at $url; $admin
# is a special internal key, and $agent the key of Mira Kessler in a sample.
serve() {
  db="$(mktemp -d "$scratch/XXXX")/lodge.db"
  "$lodge" "$1" --db "$db" --listen 127.0.0.1:0 --rate-limit 0 --log error >"$scratch/out" 2>"$scratch/err" &
  server=$!
  url=
  for _ in $(seq 300); do
    url=$(cat "$scratch/out" "$scratch/err" | sed -n 's/.*\(http:[^ ]*\)\/docs.*/\1/p')
    [ -z "$url" ] || break
    sleep 0.1
  done
  [ -n "$url" ] || { cat "$scratch/err" >&2; exit 1; }
  admin=$("$lodge" key create --db "$db" --type internal --special 2>/dev/null)
  agent=$(sed -n 's/^Mira Kessler\t//p' "$scratch/out")
}

# Stops the server, which must still be there, and shows what it complained of.
stop() {
  kill "$server"
  wait "$server"
  server=
  cat "$scratch/err" >&2
}

clean() {
  if [ -n "$server" ]; then kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; fi
  rm -rf "$scratch"
}
trap clean EXIT
