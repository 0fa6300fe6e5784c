#!/usr/bin/env bash
# Shows that a harness catches a planted bug: builds Lodge with one of planted/*.patch applied, runs the harness named in the
# patch's first line against it, and succeeds only if the harness fails.
#
#   benches/torture/prove.sh            every planted bug
#   benches/torture/prove.sh NAME…      those of planted/NAME.patch
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
target="${CARGO_TARGET_DIR:-$root/target}"
names=("$@")
if [ ${#names[@]} -eq 0 ]; then
  for patch in benches/torture/planted/*.patch; do names+=("$(basename "$patch" .patch)"); done
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
missed=0
for name in "${names[@]}"; do
  patch="benches/torture/planted/$name.patch"
  # The first line of a patch: the harness and its arguments. The lines up to the patch itself say what the bug is.
  read -ra run < <(sed -n '1s/^Run: //p' "$patch")
  # Always in the same folder, so that dependencies are built once; with new times, so that Lodge itself is built again.
  rm -rf "$target/planted/source"
  mkdir -p "$target/planted/source"
  git ls-files -z --cached --others --exclude-standard | xargs -0 tar cf - --ignore-failed-read | tar xmf - -C "$target/planted/source"
  patch --quiet --directory "$target/planted/source" -p1 --input "$root/$patch"
  (cd "$target/planted/source" && CARGO_TARGET_DIR="$target/planted" cargo build --quiet --locked --bin lodge)
  printf '== %s: %s\n' "$name" "${run[*]}"
  # `fuzz` calls Lodge in its own process, so it is the harness itself that is built with the bug.
  home=$root torture=$target
  if [ "${run[0]}" = fuzz ]; then home=$target/planted/source torture=$target/planted; fi
  if (cd "$home" && CARGO_TARGET_DIR="$torture" cargo bench --quiet --locked --profile dev --bench torture -- "${run[@]}" \
    --binary "$target/planted/debug/lodge") >"$scratch/out" 2>&1; then
    sed 's/^/  /' "$scratch/out"
    printf '%s was NOT caught\n' "$name"
    missed=1
  elif grep -a -q 'VIOLATION' "$scratch/out"; then
    grep -a -m 3 'VIOLATION' "$scratch/out" | sed 's/^/  /'
    printf '%s was caught\n' "$name"
  else
    sed 's/^/  /' "$scratch/out"
    printf '%s: the harness itself failed\n' "$name"
    missed=1
  fi
done
exit $missed
